// Two ways to write the same settlement: our store, and the yardstick it is held against.
#pragma once

#include "consentgate/core/consent.h"

#include <memory>
#include <string>
#include <vector>

namespace consentgate::bench {

class Settler {
public:
    virtual ~Settler() = default;
    virtual void settle(const core::Settlement& settlement) = 0; // throws when it was not done
};

enum class Kind { ours, plain };

// Opens the database at once, so that no measured transaction pays for it. Make it after the fork.
std::unique_ptr<Settler> open_settler(Kind kind, const std::string& database);

// The plain program: what one would write in C against libsqlite3 with nothing in between. Statements prepared once,
// the engine's own busy handling, no exceptions on the way, no copies of what is bound.
std::unique_ptr<Settler> open_plain_settler(const std::string& database);

// The texts that the plain program runs for one settlement, in their order.
std::vector<std::string> plain_statements();

} // namespace consentgate::bench
