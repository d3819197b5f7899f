#include "consentgate/store/upstream_state_store.h"

#include "account_tables.h"
#include "once_tables.h"

namespace consentgate::store {

void UpstreamStateStore::put(const core::UpstreamState& state) {
    db_.write(
        [&] {
            insert(db_, state);
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM upstream_state WHERE state_hash = ?", state.state); });
}

std::optional<core::UpstreamState> UpstreamStateStore::find(const core::Digest& state) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::UpstreamState>, " FROM upstream_state WHERE state_hash = ?");
    return find_row<core::UpstreamState>(db_, statement, state);
}

bool UpstreamStateStore::has(const core::Digest& browser, const core::ServiceId& service) {
    return db_.read([&] {
        return db_.has(
            "SELECT 1 FROM upstream_state WHERE browser_hash = ? AND service_id = ?", browser,
            service);
    });
}

// After a lost answer to the commit, a missing row may have been deleted by another request, so it
// counts as consumed before: the person tries again.
Applied UpstreamStateStore::consume(const core::Digest& state, core::Instant now) {
    return db_.rewrite([&] {
        return applied(db_.run(
            "DELETE FROM upstream_state WHERE state_hash = ? AND expires_at > ?", state, now));
    });
}

Applied UpstreamStateStore::use_link(
    const core::Digest& link, core::Instant expires_at, const std::string& use) {
    return use_once(db_, UsedLink{.hash = link, .used_by = use, .expires_at = expires_at});
}

} // namespace consentgate::store
