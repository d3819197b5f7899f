// Opening the database and bringing its schema up to date.
#pragma once

#include "consentgate/store/store.h"
#include "consentgate/store/writer_queue.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::store {

struct StoreConfig {
    std::string path;                  // of the SQLite database file
    std::chrono::milliseconds wait{5000}; // how long a write waits for other writers before StoreFailure
    std::shared_ptr<WriterQueue> queue{}; // of the processes that write together; absent: SQLite's own lock alone
    // Called with the text of every statement, BEGIN and COMMIT included, before it runs. Tests throw or pause in it;
    // empty otherwise.
    std::function<void(std::string_view)> before_statement;
};

// Does not touch the database: the first verb does, and every verb after a failure opens it again.
std::unique_ptr<Store> open_store(StoreConfig config);

// The schema this program was built for.
int expected_schema_version();

struct Applied {
    int version;
    std::string name;
};

// Creates the database when it is missing and applies what it lacks, one transaction per migration, safe when started
// twice at once. out: what was applied, in order; empty when it was up to date. fail: throws StoreFailure
std::vector<Applied> migrate(const StoreConfig& config, core::Instant now);

} // namespace consentgate::store
