// One Poco session to SQLite with the traps of Poco 1.11 taken out; private to this room.
//
// - Poco's begin() is BEGIN DEFERRED, which can fail at once when a read turns into a write: we say BEGIN IMMEDIATE.
// - Poco waits with SQLite's own busy handler, which lets the unlucky starve for seconds: ours polls often and fairly.
// - A file that was moved away stays open under its old inode, and commits would go to a file nobody sees: every unit of
//   work first looks whether the path still leads to the file that is open.
// - After any exception nothing is reused: the connection is closed and the next unit of work opens another.
#pragma once

#include "consentgate/core/time.h"
#include "consentgate/store/open.h"

#include <Poco/Data/LOB.h>
#include <Poco/Data/Session.h>
#include <Poco/Data/Statement.h>
#include <Poco/Nullable.h>

#include <sys/types.h>

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace consentgate::store {

using Poco::Data::BLOB;
using MaybeBlob = Poco::Nullable<BLOB>;
using MaybeText = Poco::Nullable<std::string>;
using MaybeTime = Poco::Nullable<Poco::Int64>;

// Long text is stored as BLOB: server engines over ODBC truncate or refuse long VARCHARs. Empty text is stored as NULL,
// because they store an empty BLOB as NULL anyway.
BLOB to_blob(std::string_view text);
MaybeBlob to_maybe_blob(std::string_view text);
std::string from_blob(const BLOB& blob);
std::string from_blob(const MaybeBlob& blob);
MaybeTime to_maybe_time(const std::optional<core::Instant>& at);
std::optional<core::Instant> from_maybe_time(const MaybeTime& at);

class Connection {
public:
    enum class Create { no, yes };

    explicit Connection(StoreConfig config, Create create = Create::no) : config_(std::move(config)), create_(create) {}
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Runs `work` on an open session, outside any transaction. Every exception becomes StoreFailure.
    template <class Work> auto read(Work work) {
        return guarded([&] { return work(); });
    }

    // Runs `work` in one transaction that is committed when it returns and rolled back when it throws.
    template <class Work> auto write(Work work) {
        return guarded([&] {
            run("BEGIN IMMEDIATE");
            if constexpr (std::is_void_v<decltype(work())>) {
                work();
                run("COMMIT");
            } else {
                auto answer = work();
                run("COMMIT");
                return answer;
            }
        });
    }

    // One statement with its bindings; the number of rows it changed. Call inside read() or write().
    template <class... Bound> std::size_t run(const char* sql, Bound... bound) {
        announce(sql);
        Poco::Data::Statement statement(*session_);
        statement << sql;
        (statement.addBind(Poco::Data::Keywords::use(bound)), ...);
        return statement.execute();
    }

    // A query: prepares it, lets `into` add its extractions, and executes. out: the number of rows extracted.
    template <class Into, class... Bound> std::size_t query(const char* sql, Into into, Bound... bound) {
        announce(sql);
        Poco::Data::Statement statement(*session_);
        statement << sql;
        into(statement);
        (statement.addBind(Poco::Data::Keywords::use(bound)), ...);
        return statement.execute();
    }

private:
    template <class Work> auto guarded(Work work) {
        try {
            ensure_open();
            return work();
        } catch (...) {
            close();
            rethrow_as_failure();
        }
    }

    void ensure_open();
    void open();
    void close() noexcept; // rolls back what was not committed
    [[noreturn]] static void rethrow_as_failure();
    void announce(const char* sql) const {
        if (config_.before_statement) config_.before_statement(sql);
    }
    static int wait_for_writer(void* connection, int tries);

    StoreConfig config_;
    Create create_;
    std::optional<Poco::Data::Session> session_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
    std::int64_t waiting_since_ns_ = 0;
};

} // namespace consentgate::store
