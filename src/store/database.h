// A connection that outlives its sessions; private to this module.
//
// It opens a session when one is needed, runs units of work on it, and knows what to do when one
// fails: run the whole unit again when another transaction was in the way, go to another session
// (another host, after a failover) when this one is lost, and find out whether a commit took effect
// whose answer never came. A unit of work may therefore run more than once: it must not leave
// traces outside the database but its answer.
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

    // read() of what is asked for again and again: what `work` found lately is the answer for as
    // long as nothing was committed since.
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
    // in: in_effect  looks whether what `work` writes is in the database, by an id of its own:
    //       asked only when the answer
    //                to a commit was lost
    Applied write(const std::function<Applied()>& work, const std::function<bool()>& in_effect);

    // For work that can be done twice without harm: it is simply run again.
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

    // The same with as many values as a table has columns.
    std::size_t run(const char* sql, Values values) {
        announce(sql);
        return session_->run(sql, values);
    }

    // A query: hands every row to `take`. out: the number of rows
    template <class Take, class... Bound>
    std::size_t query(const char* sql, const Take& take, const Bound&... bound) {
        const std::array<Value, sizeof...(bound)> values{Value(bound)...};
        announce(sql);
        return can_be_stored(sql, values) ? session_->query(sql, std::ref(take), values) : 0;
    }

    // Whether a query has rows.
    template <class... Bound> bool has(const char* sql, const Bound&... bound) {
        return query(
                   sql, [](Row&) {}, bound...) > 0;
    }

    const StoreConfig& config() const { return config_; }

private:
    class Attempts;

    // Text columns hold ids, digests and names: printable ASCII. What is anything else equals none
    // of them, so that the statement would meet no row; engines find some of it nevertheless (NUL)
    // and fail at the rest (what is not UTF-8).
    // fail: throws EngineError when it is to be inserted
    static bool can_be_stored(std::string_view sql, Values values);

    void repeat(const std::function<void()>& work);
    void ensure_open();
    std::optional<Commit> last_commit() const;
    void put_aside(EngineErrorKind kind);
    // Longer than a server's own limits, which leave the session whole.
    std::chrono::milliseconds time_of_one() const { return config_.wait + std::chrono::seconds(1); }
    [[noreturn]] void fail_unexpectedly();
    void announce(const char* sql) const {
        if (config_.before_statement) config_.before_statement(sql);
    }

    StoreConfig config_;
    Create create_;
    std::optional<StallGuard> guard_; // of the session, when a server has it
    std::unique_ptr<DbSession> session_;
    std::uint64_t opened_ = 0; // sessions, this one included
    std::chrono::steady_clock::time_point
        closed_until_{}; // after a failed opening: do not try before
};

inline Applied applied(std::size_t rows) { return rows == 1 ? Applied::yes : Applied::no; }

} // namespace consentgate::store
