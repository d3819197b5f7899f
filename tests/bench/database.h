// A database of the engine that is measured, for what a measurement needs beside the store:
// filling, emptying, counting.
#pragma once

#include "consentgate/store/open.h"
#include "store/database.h"

#include <cstdint>
#include <string>
#include <vector>

namespace consentgate::bench {

// As the workers of one master have it: the queue of a SQLite database is made before they are
// forked.
// in:   address  as in the configuration; the password of a server is in the environment, as the
//       programs read it
// fail: throws std::runtime_error
store::StoreConfig config_of(const std::string& address);

// Runs SQL over a session of the store module, which is the same for every engine, with more
// patience than the store has.
class Database {
public:
    explicit Database(store::StoreConfig config);

    void run(const std::string& sql);
    std::int64_t number(const std::string& sql);
    std::vector<std::string> texts(const std::string& sql);

private:
    store::Database db_;
};

// SQL of the measurements in which the engines differ.
struct Words {
    std::string (*numbers)(
        std::size_t from, std::size_t to); // a table with the one column n, both ends included
    std::string (*hash)(const std::string& text); // 64 hexadecimal digits, each text its own
    const char* shuffled;                         // what to order by for a random order
};
const Words& words_of(store::Engine engine);

// Empties the tables that finalizing changes. Not for SQLite.
void truncate(Database& database);
// Lets the engine gather statistics of the filled tables, as it does by itself after a while.
void analyze(Database& database, store::Engine engine);

} // namespace consentgate::bench
