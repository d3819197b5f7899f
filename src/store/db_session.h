// One open session with an engine, and what can go wrong with it; private to this module. Each
// engine has its own implementation, in sqlite_session and odbc_session.
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

// What an error means for the step after it.
enum class EngineErrorKind {
    again,   // another transaction was in the way; this one is rolled back and may be run again
    taken,   // a row with this key is there already
    lost,    // the session is no good any more; another one may be
    away,    // no session is to be had
    refused, // anything else: running it again would not help
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

// Stands for the last commit to a database, of whatever and by whomever: as long as it is the same
// one, so is all that can be read.
struct Commit {
    std::uint64_t session = 0;            // which of a connection's sessions told it
    std::array<std::uint64_t, 6> words{}; // whatever the engine tells its commits apart by
    bool operator==(const Commit&) const = default;
};

// Every function throws EngineError. Destroying a session rolls back what it has not committed.
class DbSession {
public:
    DbSession() = default;
    virtual ~DbSession() = default;
    DbSession(const DbSession&) = delete;
    DbSession& operator=(const DbSession&) = delete;

    virtual bool usable() const = 0; // false: it would fail for sure, make another. Asks no server
    virtual std::optional<Commit> last_commit() const {
        return std::nullopt;
    } // absent where it would have to be asked for
    virtual void begin() = 0;
    virtual void commit() = 0;
    virtual void roll_back() = 0;

    // One statement, prepared at its first use. out: the number of rows it changed
    virtual std::size_t run(const char* sql, Values values) = 0;
    // A query: hands every row to `take`. out: the number of rows
    virtual std::size_t query(const char* sql, const RowReader& take, Values values) = 0;
};

enum class Create { no, yes };

std::unique_ptr<DbSession> open_sqlite(const StoreConfig& config, Create create);
// Tries the hosts in order; the first that serves it becomes the session's. fail: throws
// EngineError, Trouble::away, of the last one
std::unique_ptr<DbSession> open_odbc(const StoreConfig& config);

} // namespace consentgate::store
