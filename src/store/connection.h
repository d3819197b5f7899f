// One Poco session to SQLite with the traps of Poco 1.11 taken out; private to this room.
//
// - Poco prepares a statement anew at each execution, half of what a request costs: ours are prepared once.
// - Poco's begin() is BEGIN DEFERRED, which can fail at once when a read turns into a write: we say BEGIN IMMEDIATE.
// - Poco waits with SQLite's own busy handler, which lets the unlucky starve for seconds: writers of one master take turns in
//   a queue, and meet writers from elsewhere with a handler that asks often.
// - A file that was moved away stays open under its old inode, and commits would go to a file nobody sees: every unit of
//   work first looks whether the path still leads to the file that is open.
// - After any exception nothing is reused: the connection is closed and the next unit of work opens another.
#pragma once

#include "consentgate/core/time.h"
#include "consentgate/store/open.h"
#include "statement.h"

#include <Poco/Data/Session.h>

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
            const Turn turn(*this);
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
    template <class... Bound> std::size_t run(const char* sql, const Bound&... bound) {
        auto* statement = start(sql, bound...);
        const auto before = sqlite3_total_changes(handle_);
        while (next_row(statement)) {}
        return static_cast<std::size_t>(sqlite3_total_changes(handle_) - before);
    }

    // A query: hands every row to `take`. out: the number of rows
    template <class Take, class... Bound> std::size_t query(const char* sql, Take take, const Bound&... bound) {
        auto* statement = start(sql, bound...);
        std::size_t rows = 0;
        for (; next_row(statement); ++rows) {
            Row row(statement);
            take(row);
        }
        return rows;
    }

private:
    template <class... Bound> sqlite3_stmt* start(const char* sql, const Bound&... bound) {
        announce(sql);
        auto* statement = statements_.get(handle_, sql);
        Binder binder(statement);
        (binder.add(bound), ...);
        return statement;
    }

    template <class Work> auto guarded(Work work) {
        try {
            ensure_open();
            return work();
        } catch (...) {
            close();
            rethrow_as_failure();
        }
    }

    // A place in the writers' queue for the length of one transaction. The time spent in the queue counts against the
    // wait for SQLite's lock, so that the two together are no longer than configured.
    class Turn {
    public:
        explicit Turn(Connection& connection);
        ~Turn();
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

    private:
        Connection& connection_;
    };

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
    sqlite3* handle_ = nullptr; // the session's own
    Statements statements_;     // on that handle, so they go before it
    dev_t device_ = 0;
    ino_t inode_ = 0;
    std::int64_t waiting_since_ns_ = 0;
    bool writing_ = false; // between the queue's beginning and the transaction's end
};

} // namespace consentgate::store
