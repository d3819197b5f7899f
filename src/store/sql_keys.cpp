#include "sql_store.h"

#include "consentgate/core/consent.h"
#include "consentgate/core/text.h"

namespace consentgate::store {

namespace {

#define VIRTUAL_KEY_COLUMNS "id, name, key_hash, active, services, created_at, expires_at"

} // namespace

void SqlStore::put_virtual_key(const core::VirtualKey& key) {
    db_.write(
        [&] {
            db_.run("INSERT INTO virtual_key (" VIRTUAL_KEY_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)", key.id.text, to_blob(key.name),
                    key.hash.hex, key.active ? 1 : 0, to_maybe_blob(core::join(key.services, "\n")), core::epoch(key.created_at),
                    to_maybe_time(key.expires_at));
            return Outcome::done;
        },
        [&] { return db_.has("SELECT 1 FROM virtual_key WHERE id = ?", key.id.text); });
}

// in:  wanted  what the one `?` of the query is bound to
std::vector<core::VirtualKey> SqlStore::query_virtual_keys(const char* sql, const std::string& wanted) {
    return db_.read([&] {
        std::vector<std::string> ids, hashes;
        std::vector<Blob> names;
        std::vector<int> active;
        std::vector<MaybeBlob> services;
        std::vector<Poco::Int64> created;
        std::vector<MaybeTime> expires;
        db_.query(
            sql,
            [&](Row& columns) {
                columns.into(ids, names, hashes, active, services, created, expires);
            },
            wanted);
        std::vector<core::VirtualKey> keys;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            keys.push_back({core::VirtualKeyId(ids[i]), from_blob(names[i]), core::Digest{hashes[i]}, active[i] != 0,
                            core::from_epoch(created[i]), from_maybe_time(expires[i]), core::split(from_blob(services[i]), '\n')});
        }
        return keys;
    });
}

std::optional<core::VirtualKey> SqlStore::find_virtual_key(const core::VirtualKeyId& id) {
    auto keys = query_virtual_keys("SELECT " VIRTUAL_KEY_COLUMNS " FROM virtual_key WHERE id = ?", id.text);
    return keys.empty() ? std::nullopt : std::optional(std::move(keys.front()));
}

std::optional<core::VirtualKey> SqlStore::find_virtual_key(const core::Digest& hash) {
    auto keys = query_virtual_keys("SELECT " VIRTUAL_KEY_COLUMNS " FROM virtual_key WHERE key_hash = ?", hash.hex);
    return keys.empty() ? std::nullopt : std::optional(std::move(keys.front()));
}

std::vector<core::VirtualKey> SqlStore::list_virtual_keys() {
    return query_virtual_keys("SELECT " VIRTUAL_KEY_COLUMNS " FROM virtual_key WHERE id <> ? ORDER BY created_at DESC, id", "");
}

// A sign-in that is finished at this very moment may leave a token behind: the sweep finds it.
Outcome SqlStore::disable_virtual_key(const core::VirtualKeyId& id, core::Instant now) {
    return db_.write(
        [&] {
            if (db_.run("UPDATE virtual_key SET active = 0 WHERE id = ? AND active = 1", id.text) != 1) return Outcome::gone;
            end_tokens_of(core::token_owner({core::IdentityKind::virtual_key, id.text}, core::SessionId()), now);
            return Outcome::done;
        },
        [&] { return db_.has("SELECT 1 FROM virtual_key WHERE id = ? AND active = 0", id.text); });
}

} // namespace consentgate::store
