// SQL and settings in which the engines differ; everything else in this module is one SQL text for
// all engines. Private to this module.
#pragma once

#include "consentgate/store/open.h"

#include <string>
#include <string_view>

namespace consentgate::store {

struct Dialect {
    const char* begin;              // of a transaction over ODBC; sqlite_session.cpp has its own
    const char* count_schema_table; // 1 or 0: whether our database has a table schema_version
    // Held until the end of the transaction, so that one process migrates at a time; empty where
    // `adapt` makes statements that two processes may run at once.
    const char* migration_lock;

    // A statement of a migration in the engine's types. Where CREATE is not part of a transaction
    // (MariaDB), the statement also does nothing when it was run before, so that an interrupted
    // migration can be run again and two at once do no harm. Empty when the engine has nothing to
    // do. `ALTER COLUMN c TYPE t` is for columns that are NOT NULL.
    std::string (*adapt)(std::string statement);
};

const Dialect& dialect_of(Engine engine);

// Settings of a session, and limits that make the server give up when we do. Each is run once after
// connecting; only a server that can serve us answers them all.
std::vector<std::string> session_settings(const StoreConfig& config);

// The connection string for one host; holds the password. fail: throws EngineError when the driver
// could not take it
core::Secret connection_string(const StoreConfig& config, const Host& host);

} // namespace consentgate::store
