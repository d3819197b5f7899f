// The database that all stores share; private to this module.
//
// It opens a session when one is needed and runs units of work on it. When a unit of work fails it
// runs the whole unit again if another transaction was in the way, opens another session (on
// another host, after a failover) if this one was lost, and finds out whether a commit took effect
// if its answer was lost. A unit of work may therefore run more than once: apart from its answer it
// must leave no traces outside the database.
#pragma once

#include "db_session.h"
#include "recent.h"
#include "stall_guard.h"

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

namespace consentgate::store {

class Database {
public:
    explicit Database(StoreConfig config, Create create = Create::no)
        : config_(std::move(config)), create_(create) {}
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    // Runs `work` outside any transaction and returns its answer. Every exception becomes
    // StoreFailure.
    template <class Work> auto read(const Work& work) {
        std::optional<decltype(work())> answer;
        repeat([&] { answer.emplace(work()); });
        return std::move(*answer);
    }

    // read() for values that are asked for again and again: the answer that `work` gave before
    // stands for as long as nothing was committed since. An absent answer is not cached.
    template <class Value, class Work>
    std::optional<Value> read_cached(
        Recent<Value>& recent, const std::string& key, const Work& work) {
        return read([&]() -> std::optional<Value> {
            const auto before = last_commit();
            if (const auto* known = recent.find(before, key)) return *known;
            std::optional<Value> found = work();
            if (found) recent.keep(before, last_commit(), key, *found);
            return found;
        });
    }

    // Runs `work` in one transaction, committed when it returns and rolled back when it throws.
    // in: in_effect  looks for the rows that this unit of work writes, by an id of its own; called
    //                only when the answer to a commit was lost
    Applied write(const std::function<Applied()>& work, const std::function<bool()>& in_effect);

    // write() for work that can be done twice without harm: after a lost answer it runs again.
    Applied rewrite(const std::function<Applied()>& work) {
        return write(work, [] { return false; });
    }

    // One statement with its bindings; the number of rows it changed. Call inside read() or
    // write().
    template <class... Bound> std::size_t run(const char* sql, const Bound&... bound) {
        const std::array<Value, sizeof...(bound)> values{Value(bound)...};
        announce(sql);
        return can_be_stored(sql, values) ? session_->run(sql, values) : 0;
    }

    // The same for a number of values that is known only at run time.
    std::size_t run(const char* sql, Values values) {
        announce(sql);
        return session_->run(sql, values);
    }

    // A query: calls `read_row` with every row. out: the number of rows
    template <class ReadRow, class... Bound>
    std::size_t query(const char* sql, const ReadRow& read_row, const Bound&... bound) {
        const std::array<Value, sizeof...(bound)> values{Value(bound)...};
        announce(sql);
        return can_be_stored(sql, values) ? session_->query(sql, std::ref(read_row), values) : 0;
    }

    // The same for a number of values that is known only at run time.
    template <class ReadRow>
    std::size_t query(const char* sql, const ReadRow& read_row, Values values) {
        announce(sql);
        return can_be_stored(sql, values) ? session_->query(sql, std::ref(read_row), values) : 0;
    }

    // Whether a query has rows.
    template <class... Bound> bool has(const char* sql, const Bound&... bound) {
        return query(
                   sql, [](Row&) {}, bound...) > 0;
    }

    const StoreConfig& config() const { return config_; }

private:
    class Attempts;

    // Text columns hold ids, digests and names in printable ASCII. Any other text equals none of
    // them, so that a statement with it meets no row. Engines must not be asked: some find rows for
    // a text with NUL, and some fail at a text that is not UTF-8.
    // fail: throws EngineError when the statement would insert such a text
    static bool can_be_stored(std::string_view sql, Values values);

    void repeat(const std::function<void()>& work);
    void ensure_open();
    std::optional<Commit> last_commit() const;
    void put_aside(EngineErrorKind kind);
    // Longer than the server's own limits, because those leave the session usable.
    std::chrono::milliseconds time_of_one() const { return config_.wait + std::chrono::seconds(1); }
    [[noreturn]] void fail_unexpectedly();
    void announce(const char* sql) const {
        if (config_.before_statement) config_.before_statement(sql);
    }

    StoreConfig config_;
    Create create_;
    std::optional<StallGuard> guard_; // of a session with a server
    std::unique_ptr<DbSession> session_;
    std::uint64_t opened_ = 0; // number of sessions so far, this one included
    std::chrono::steady_clock::time_point
        closed_until_{}; // after a failed opening: do not try before
};

inline Applied applied(std::size_t rows) { return rows == 1 ? Applied::yes : Applied::no; }

} // namespace consentgate::store
