// What the engines do not say in the same words; everything else in this module is one SQL text for
// all. Private to this module.
#pragma once

#include "consentgate/store/open.h"

#include <string>
#include <string_view>

namespace consentgate::store {

struct Dialect {
    const char* begin; // a transaction over ODBC; sqlite_session says its own
    const char*
        count_schema_table;     // 1 or 0: whether there is a table schema_version in our database
    const char* migration_lock; // held until the end of the transaction, so that one migrates at a
                                // time; empty: see below

    // A statement of a migration in the engine's types. Where CREATE is not part of the transaction
    // (MariaDB), it also becomes one that does nothing when it was done before, so that an
    // interrupted migration can be run again and two at once do no harm. Empty when the engine has
    // nothing to do. `ALTER COLUMN c TYPE t` is for columns that are NOT NULL.
    std::string (*adapt)(std::string statement);
};

const Dialect& dialect_of(Engine engine);

// The session's settings and the limits that make the server give up when we do; each is run once
// after connecting. Only a server that can serve us answers them all.
std::vector<std::string> session_settings(const StoreConfig& config);

// The connection string for one host; holds the password. fail: throws EngineError when the driver
// could not take it
core::Secret connection_string(const StoreConfig& config, const Host& host);

} // namespace consentgate::store
