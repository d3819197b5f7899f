#include "consentgate/store/server_key_store.h"

#include "account_tables.h"
#include "server_key_table.h"

#include <algorithm>

namespace consentgate::store {

namespace {

std::optional<core::Instant> latest_of(
    std::optional<core::Instant> one, std::optional<core::Instant> other) {
    return other && (!one || *one < *other) ? other : one;
}

} // namespace

std::vector<core::ServerKeyRecord> ServerKeyStore::list() {
    static constexpr auto statement =
        sql("SELECT ", columns<core::ServerKeyRecord>, " FROM server_key ORDER BY created_at, id");
    return list_rows<core::ServerKeyRecord>(db_, statement);
}

void ServerKeyStore::put(const core::ServerKeyRecord& key, core::Instant now) {
    auto record = key;
    record.created_at = now;
    db_.write(
        [&] {
            insert(db_, record);
            return Applied::yes;
        },
        [&] {
            return db_.has(
                "SELECT 1 FROM server_key WHERE id = ? AND fingerprint = ?", key.id,
                key.fingerprint);
        });
}

Applied ServerKeyStore::set_state(const core::KeyId& key, core::KeyState state) {
    return db_.rewrite([&] {
        return applied(db_.run("UPDATE server_key SET state = ? WHERE id = ?", stored(state), key));
    });
}

std::vector<core::KeyUse> ServerKeyStore::list_uses(core::Instant now) {
    return db_.read([&] {
        std::vector<core::KeyUse> uses;
        // Adds the count of one query. in: latest  the meaning of its third column, if it has one
        const auto count = [&](Row& row, std::size_t core::KeyUse::*kind,
                               std::optional<core::Instant> core::KeyUse::*latest) {
            core::KeyId key;
            std::int64_t rows = 0;
            std::optional<core::Instant> time;
            row.read_into(key, rows);
            if (latest != nullptr) row.read_into(time);
            auto use = std::find_if(
                uses.begin(), uses.end(), [&](const auto& known) { return known.key == key; });
            if (use == uses.end()) use = uses.insert(uses.end(), core::KeyUse{key});
            (*use).*kind += static_cast<std::size_t>(rows);
            if (latest != nullptr) (*use).*latest = latest_of((*use).*latest, time);
        };
        db_.query("SELECT key_id, count(*) FROM upstream_token GROUP BY key_id", [&](Row& row) {
            count(row, &core::KeyUse::accounts, nullptr);
        });
        for (const auto* of_services :
             {"SELECT key_id, count(*) FROM service GROUP BY key_id",
              "SELECT key_id, count(*) FROM former_registration GROUP BY key_id"})
            db_.query(of_services, [&](Row& row) { count(row, &core::KeyUse::services, nullptr); });
        db_.query("SELECT key_id, count(*) FROM idp GROUP BY key_id", [&](Row& row) {
            count(row, &core::KeyUse::idps, nullptr);
        });
        db_.query("SELECT key_id, count(*) FROM provider_grant GROUP BY key_id", [&](Row& row) {
            count(row, &core::KeyUse::grants, nullptr);
        });
        db_.query(
            "SELECT key_id, count(*), max(used_at) FROM refresh_token WHERE expires_at > ? "
            "GROUP BY key_id",
            [&](Row& row) { count(row, &core::KeyUse::refresh_tokens, &core::KeyUse::last_use); },
            now);
        db_.query(
            "SELECT key_id, count(*), max(expires_at) FROM code WHERE expires_at > ? "
            "GROUP BY key_id",
            [&](Row& row) { count(row, &core::KeyUse::codes, &core::KeyUse::last_expiry); }, now);
        db_.query(
            "SELECT key_id, count(*), max(expires_at) FROM upstream_state WHERE expires_at > ? "
            "GROUP BY key_id",
            [&](Row& row) {
                count(row, &core::KeyUse::upstream_states, &core::KeyUse::last_expiry);
            },
            now);
        return uses;
    });
}

std::vector<core::LinkedAccount> ServerKeyStore::list_accounts_to_rekey(
    const core::KeyId& key, const std::string& after, std::size_t limit) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::LinkedAccount>,
            " FROM upstream_token WHERE id > ? AND key_id <> ? ORDER BY id LIMIT ?");
    return list_rows<core::LinkedAccount>(db_, statement, after, key, limit);
}

std::size_t ServerKeyStore::rekey_accounts(const std::vector<RekeyedAccount>& tokens) {
    std::size_t changed = 0;
    db_.rewrite([&] {
        changed = 0;
        for (const auto& [token, before] : tokens) {
            changed += db_.run(
                "UPDATE upstream_token SET access_token = ?, refresh_token = ?, key_id = ?, "
                "seal = ? WHERE id = ? AND version = ? AND key_id = ?",
                to_blob(token.access_token), to_blob(token.refresh_token), token.key_id, token.seal,
                token.id, token.version, before);
        }
        return Applied::yes;
    });
    return changed;
}

Applied ServerKeyStore::rekey_service(const core::Service& service, const core::KeyId& before) {
    return db_.write(
        [&] {
            return applied(db_.run(
                "UPDATE service SET client_secret = ?, registration_token = ?, key_id = ? "
                "WHERE id = ? AND version = ? AND key_id = ?",
                to_blob(service.client_secret), to_blob(service.registration_token), service.key_id,
                service.id, service.version, before));
        },
        [&] {
            return db_.has(
                "SELECT 1 FROM service WHERE id = ? AND version = ? AND key_id = ?", service.id,
                service.version, service.key_id);
        });
}

Applied ServerKeyStore::rekey_registration(
    const core::FormerRegistration& former, const core::KeyId& before) {
    return db_.rewrite([&] {
        return applied(db_.run(
            "UPDATE former_registration SET client_secret = ?, key_id = ? "
            "WHERE id = ? AND key_id = ?",
            to_blob(former.client_secret), former.key_id, former.id, before));
    });
}

Applied ServerKeyStore::rekey_idp(const core::IdentityProvider& idp, const core::KeyId& before) {
    return db_.rewrite([&] {
        return applied(db_.run(
            "UPDATE idp SET client_secret = ?, key_id = ? WHERE id = ? AND version = ? AND "
            "key_id = ?",
            to_blob(idp.client_secret), idp.key_id, idp.id, idp.version, before));
    });
}

// Walks along the primary key, because an index for this would have to be kept by every refresh.
Step ServerKeyStore::rekey_refresh_tokens(
    const core::KeyId& key, core::Instant used_before, const std::string& after,
    std::size_t limit) {
    std::vector<std::string> hashes, keys;
    db_.read([&] {
        hashes.clear();
        keys.clear();
        return db_.query(
            "SELECT token_hash, key_id FROM refresh_token "
            "WHERE token_hash > ? AND key_id <> ? AND (used_at IS NULL OR used_at < ?) "
            "ORDER BY token_hash LIMIT ?",
            [&](Row& row) { row.read_into(hashes, keys); }, after, key, used_before, limit);
    });
    Step step{hashes.size() < limit ? std::string() : hashes.back(), hashes.size(), 0};
    if (hashes.empty()) return step;
    db_.rewrite([&] {
        step.changed = 0;
        for (std::size_t i = 0; i < hashes.size(); ++i) {
            step.changed += db_.run(
                "UPDATE refresh_token SET key_id = ? WHERE token_hash = ? AND key_id = ? AND "
                "(used_at IS NULL OR used_at < ?)",
                key, hashes[i], keys[i], used_before);
        }
        return Applied::yes;
    });
    return step;
}

} // namespace consentgate::store
