#include "database.h"

#include <algorithm>
#include <thread>

#include <unistd.h>

namespace consentgate::store {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A transaction that collides this often is not helped by another try.
constexpr int max_collisions = 8;
// When no host would serve, requests fail at once for as long as the vain tries took, within these
// bounds, instead of trying each host again.
constexpr milliseconds closed_at_least{100}, closed_at_most{5000};

// A length that differs between processes keeps transactions that collided from colliding again in
// step.
void pause(int at_most_ms) {
    const auto spread = static_cast<std::uint64_t>(
        Clock::now().time_since_epoch().count() / 1000 + ::getpid() * 7919);
    std::this_thread::sleep_for(
        std::chrono::microseconds(1000 + spread % (static_cast<std::uint64_t>(at_most_ms) * 1000)));
}

} // namespace

// How often and how long one unit of work may be tried.
class Database::Attempts {
public:
    explicit Attempts(const StoreConfig& config)
        : config_(config),
          end_(Clock::now() + config.wait),
          sessions_(static_cast<int>(config.hosts.size()) + 1) {}

    // Returns when the unit of work may be tried once more, after a pause where that helps.
    // in:   unknown  a commit may have taken effect; finding out is then worth all the time there
    //                is
    // fail: throws StoreFailure when it may not be tried again
    void allow_another_after(const EngineError& error, bool unknown) {
        const auto kind = error.kind();
        bool another = Clock::now() < end_;
        if (kind == EngineErrorKind::again)
            another = another && ++collisions_ < max_collisions;
        else if (kind == EngineErrorKind::lost && !unknown)
            another = another && --sessions_ >= 0;
        else
            another = another && unknown;
        report(
            !another                         ? RetryReason::failed
            : unknown                        ? RetryReason::unknown_outcome
            : kind == EngineErrorKind::again ? RetryReason::collision
                                             : RetryReason::session_lost);
        if (!another) throw StoreFailure(error.what(), !unknown);
        if (kind == EngineErrorKind::again)
            pause(std::min(5 << collisions_, 100));
        else if (unknown)
            pause(100);
    }

private:
    void report(RetryReason retry_reason) const {
        if (config_.on_retry) config_.on_retry(retry_reason);
    }

    const StoreConfig& config_;
    Clock::time_point end_;
    int sessions_; // how many may still be lost: one for each host, and the one that was open
    int collisions_ = 0;
};

bool Database::can_be_stored(std::string_view sql, Values values) {
    const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
    for (const auto& value : values) {
        if (value.kind != Value::Kind::text ||
            std::all_of(value.data.begin(), value.data.end(), printable))
            continue;
        if (sql.starts_with("INSERT"))
            throw EngineError(EngineErrorKind::refused, "an id is not printable ASCII");
        return false;
    }
    return true;
}

void Database::repeat(const std::function<void()>& work) {
    Attempts attempts(config_);
    for (;;) {
        try {
            ensure_open();
            const StallGuard::Watch watch(guard_, time_of_one());
            return work();
        } catch (const EngineError& error) {
            put_aside(error.kind());
            attempts.allow_another_after(error, false);
        } catch (...) {
            fail_unexpectedly();
        }
    }
}

Applied Database::write(
    const std::function<Applied()>& work, const std::function<bool()>& in_effect) {
    Attempts attempts(config_);
    bool unknown = false; // whether an earlier try took effect
    for (;;) {
        bool committing = false;
        try {
            ensure_open();
            const StallGuard::Watch watch(guard_, time_of_one());
            if (unknown && in_effect()) return Applied::yes;
            announce("BEGIN");
            session_->begin();
            const auto outcome = work();
            announce("COMMIT");
            committing = true;
            session_->commit();
            // The earlier try may have taken effect after in_effect() looked.
            return unknown && outcome == Applied::no && in_effect() ? Applied::yes : outcome;
        } catch (const EngineError& error) {
            put_aside(error.kind());
            if (committing && config_.engine != Engine::sqlite &&
                error.kind() != EngineErrorKind::again && error.kind() != EngineErrorKind::taken)
                unknown = true;
            // The row that is there already may be our own: look again.
            const bool own = unknown && error.kind() == EngineErrorKind::taken;
            attempts.allow_another_after(
                own ? EngineError(EngineErrorKind::again, error.what()) : error, unknown);
        } catch (...) {
            fail_unexpectedly();
        }
    }
}

void Database::ensure_open() {
    if (session_ && session_->usable()) return;
    session_.reset();
    ++opened_;
    if (config_.engine == Engine::sqlite) {
        session_ = open_sqlite(config_, create_);
        return;
    }
    if (Clock::now() < closed_until_)
        throw EngineError(EngineErrorKind::away, "no database host is to be had");
    const auto began = Clock::now();
    try {
        guard_.emplace();
        session_ = open_odbc(config_);
        guard_->find_socket(config_.hosts);
    } catch (const EngineError&) {
        const auto ended = Clock::now();
        closed_until_ =
            ended + std::clamp<Clock::duration>(ended - began, closed_at_least, closed_at_most);
        throw;
    }
}

std::optional<Commit> Database::last_commit() const {
    auto commit = session_->last_commit();
    if (commit) commit->session = opened_;
    return commit;
}

// After an exception a session is used again only where it is known to be good; its transaction is
// never committed.
void Database::put_aside(EngineErrorKind kind) {
    try {
        if (session_ && (kind == EngineErrorKind::again || kind == EngineErrorKind::taken))
            session_->roll_back();
        else
            session_.reset();
    } catch (const EngineError&) {
        session_.reset();
    }
}

// Any other exception than EngineError comes from a bug or from a test. Its text is not known to be
// fit for a log.
void Database::fail_unexpectedly() {
    session_.reset();
    if (config_.on_retry) config_.on_retry(RetryReason::failed);
    try {
        throw;
    } catch (const StoreFailure&) {
        throw;
    } catch (const std::exception&) {
        throw StoreFailure("the database could not be used");
    }
}

} // namespace consentgate::store
