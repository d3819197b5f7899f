// One open session with an engine, and its errors; private to this module. sqlite_session.cpp
// implements it for SQLite, odbc_session.cpp for the server engines.
#pragma once

#include "consentgate/store/failure.h"
#include "consentgate/store/open.h"
#include "value.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace consentgate::store {

// An error, by the step that follows it.
enum class EngineErrorKind {
    again,   // another transaction was in the way; this one was rolled back and may be run again
    taken,   // a row with this key is there already
    lost,    // the session cannot be used any more; another one may serve
    away,    // no session could be opened
    refused, // any other error: running the work again would not help
};

// The text is fit for a log: the engine's code for the error, never its words, which can hold SQL,
// values and passwords.
class EngineError : public std::runtime_error {
public:
    EngineError(EngineErrorKind kind, const std::string& text)
        : std::runtime_error(text), kind_(kind) {}
    EngineErrorKind kind() const { return kind_; }

private:
    EngineErrorKind kind_;
};

// An error of SQLite alone: another writer held the lock for as long as this one may wait.
inline constexpr const char* stayed_locked = "the database stayed locked";

// Identifies the last commit to a database, by any process. While it stays the same, so does
// everything that can be read.
struct Commit {
    std::uint64_t session = 0;            // number of the session that read it
    std::array<std::uint64_t, 6> words{}; // the engine's own mark
    bool operator==(const Commit&) const = default;
};

// Every function throws EngineError. Destroying a session rolls back what it has not committed.
class DbSession {
public:
    DbSession() = default;
    virtual ~DbSession() = default;
    DbSession(const DbSession&) = delete;
    DbSession& operator=(const DbSession&) = delete;

    virtual bool usable() const = 0; // false: it is known to fail; open another. Asks no server
    // Absent on an engine that would have to be asked for it.
    virtual std::optional<Commit> last_commit() const { return std::nullopt; }
    virtual void begin() = 0;
    virtual void commit() = 0;
    virtual void roll_back() = 0;

    // One statement, prepared at its first use. out: the number of rows it changed
    virtual std::size_t run(const char* sql, Values values) = 0;
    // A query: calls `read_row` with every row. out: the number of rows
    virtual std::size_t query(const char* sql, const RowReader& read_row, Values values) = 0;
};

enum class Create { no, yes };

std::unique_ptr<DbSession> open_sqlite(const StoreConfig& config, Create create);
// Tries the hosts in order and keeps the first that serves.
// fail: throws EngineError of kind `away`, with the problem of each host
std::unique_ptr<DbSession> open_odbc(const StoreConfig& config);

} // namespace consentgate::store
