#include "consentgate/store/virtual_key_store.h"

#include "account_row.h"
#include "database.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/consent.h"

namespace consentgate::store {

namespace {

#define VIRTUAL_KEY_COLUMNS "id, name, key_hash, active, services, created_at, expires_at"

core::VirtualKey read_virtual_key(Row& columns) {
    core::VirtualKey key;
    std::string services;
    columns.read_into(
        key.id, from_blob(key.name), key.hash, key.active, from_blob(services), key.created_at,
        key.expires_at);
    key.services = core::split(services, '\n');
    return key;
}

// in:  sql  of VIRTUAL_KEY_COLUMNS
template <class... Bound>
std::vector<core::VirtualKey> query_virtual_keys(
    Database& db, const char* sql, const Bound&... bound) {
    return db.read([&] {
        std::vector<core::VirtualKey> keys;
        db.query(
            sql, [&](Row& columns) { keys.push_back(read_virtual_key(columns)); }, bound...);
        return keys;
    });
}

} // namespace

void VirtualKeyStore::put(const core::VirtualKey& key) {
    db_.write(
        [&] {
            db_.run(
                "INSERT INTO virtual_key (" VIRTUAL_KEY_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)",
                key.id, to_blob(key.name), key.hash, key.active,
                to_blob(core::join(key.services, "\n")), key.created_at, key.expires_at);
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM virtual_key WHERE id = ?", key.id); });
}

std::optional<core::VirtualKey> VirtualKeyStore::find(const core::VirtualKeyId& id) {
    auto keys =
        query_virtual_keys(db_, "SELECT " VIRTUAL_KEY_COLUMNS " FROM virtual_key WHERE id = ?", id);
    return keys.empty() ? std::nullopt : std::optional(std::move(keys.front()));
}

std::optional<core::VirtualKey> VirtualKeyStore::find(const core::Digest& hash) {
    auto keys = query_virtual_keys(
        db_, "SELECT " VIRTUAL_KEY_COLUMNS " FROM virtual_key WHERE key_hash = ?", hash);
    return keys.empty() ? std::nullopt : std::optional(std::move(keys.front()));
}

std::vector<core::VirtualKey> VirtualKeyStore::list() {
    return query_virtual_keys(
        db_, "SELECT " VIRTUAL_KEY_COLUMNS " FROM virtual_key ORDER BY created_at DESC, id");
}

// A sign-in that is finished at this very moment may leave a token behind: the sweep finds it.
Applied VirtualKeyStore::disable(const core::VirtualKeyId& id, core::Instant now) {
    return db_.write(
        [&] {
            if (db_.run("UPDATE virtual_key SET active = 0 WHERE id = ? AND active = 1", id) != 1)
                return Applied::no;
            end_accounts_of(
                db_,
                core::token_owner({core::IdentityKind::virtual_key, id.text}, core::SessionId()),
                now);
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM virtual_key WHERE id = ? AND active = 0", id); });
}

} // namespace consentgate::store
