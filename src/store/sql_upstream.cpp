#include "sql_store.h"

namespace consentgate::store {

// The token belongs to the flow while the flow is open. Raising the flow's revision in the same transaction makes a
// submit that judged the flow before this moment judge it again, so that no token can be left behind.
Outcome SqlStore::put_upstream_token(const core::FlowId& flow, const UpstreamToken& token, core::Instant now) {
    const auto at = core::epoch(now);
    const auto owner = core::token_owner(flow);
    return db_.write(
        [&] {
            if (db_.run("UPDATE flow SET revision = revision + 1 WHERE id = ? AND expires_at > ?", flow.text, at) != 1) return Outcome::gone;
            db_.run("DELETE FROM upstream_token WHERE owner = ? AND service_id = ?", owner, token.service_id); // a reconnect replaces
            db_.run("INSERT INTO upstream_token (id, owner, service_id, access_token, refresh_token, key_id, version, created_at, updated_at) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    token.id, owner, token.service_id, to_blob(token.access_token), to_maybe_blob(token.refresh_token.value_or("")),
                    token.key_id.text, token.version, at, at);
            return Outcome::done;
        },
        [&] { return db_.has("SELECT 1 FROM upstream_token WHERE id = ?", token.id); });
}

std::vector<UpstreamToken> SqlStore::list_upstream_tokens(const std::string& owner) {
    return db_.read([&] {
        std::vector<std::string> ids, services, keys;
        std::vector<BLOB> access;
        std::vector<MaybeBlob> refresh;
        std::vector<Poco::Int64> versions;
        db_.query("SELECT id, service_id, access_token, refresh_token, key_id, version FROM upstream_token WHERE owner = ? ORDER BY service_id",
                  [&](Row& columns) {
                      columns.into(ids, services, access, refresh, keys, versions);
                  },
                  owner);
        std::vector<UpstreamToken> tokens;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            tokens.push_back({ids[i], owner, services[i], from_blob(access[i]),
                              refresh[i].isNull() ? std::nullopt : std::optional(from_blob(refresh[i])), core::KeyId(keys[i]), versions[i]});
        }
        return tokens;
    });
}

// Inside settle_flow. What the owner had for the same service before gives way to what was connected just now. Rows are
// taken in the order of their service, so that two transfers to one owner cannot deadlock.
void SqlStore::transfer_upstream_tokens(const std::string& from, const std::string& to, core::Instant now) {
    std::vector<std::string> ids, services;
    db_.query("SELECT id, service_id FROM upstream_token WHERE owner = ? ORDER BY service_id",
              [&](Row& columns) { columns.into(ids, services); }, from);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        db_.run("DELETE FROM upstream_token WHERE owner = ? AND service_id = ?", to, services[i]);
        db_.run("UPDATE upstream_token SET owner = ?, version = version + 1, updated_at = ? WHERE id = ?", to, core::epoch(now), ids[i]);
    }
}

} // namespace consentgate::store
