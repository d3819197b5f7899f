#include "consentgate/store/upstream_state_store.h"

#include "database.h"
#include "once.h"

namespace consentgate::store {

void UpstreamStateStore::put(const core::UpstreamState& state) {
    db_.write(
        [&] {
            db_.run(
                "INSERT INTO upstream_state (state_hash, browser_hash, service_id, flow_id, session_id, verifier, key_id, expires_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                state.state, state.browser, state.service, state.flow, state.session,
                to_blob(state.verifier), state.key_id, state.expires_at);
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM upstream_state WHERE state_hash = ?", state.state); });
}

std::optional<core::UpstreamState> UpstreamStateStore::find(const core::Digest& wanted) {
    return db_.read([&] {
        std::optional<core::UpstreamState> found;
        db_.query(
            "SELECT state_hash, browser_hash, service_id, flow_id, session_id, verifier, key_id, expires_at FROM upstream_state WHERE state_hash = ?",
            [&](Row& columns) {
                auto& state = found.emplace();
                columns.read_into(
                    state.state, state.browser, state.service, state.flow, state.session,
                    from_blob(state.verifier), state.key_id, state.expires_at);
            },
            wanted);
        return found;
    });
}

bool UpstreamStateStore::has(const core::Digest& browser, const core::ServiceId& service) {
    return db_.read([&] {
        return db_.has(
            "SELECT 1 FROM upstream_state WHERE browser_hash = ? AND service_id = ?", browser,
            service);
    });
}

// A row that is gone after a lost answer may have been taken by somebody else, so it counts as
// that: the person tries again.
Applied UpstreamStateStore::consume(const core::Digest& state, core::Instant now) {
    return db_.rewrite([&] {
        return applied(db_.run(
            "DELETE FROM upstream_state WHERE state_hash = ? AND expires_at > ?", state, now));
    });
}

Applied UpstreamStateStore::use_link(
    const core::Digest& link, core::Instant expires_at, const std::string& use) {
    return use_once(
        db_,
        {"SELECT 1 FROM used_link WHERE link_hash = ?",
         "SELECT 1 FROM used_link WHERE link_hash = ? AND used_by = ?",
         "INSERT INTO used_link (link_hash, used_by, expires_at) VALUES (?, ?, ?)"},
        link, expires_at, use);
}

} // namespace consentgate::store
