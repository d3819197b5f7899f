#include "consentgate/store/server_key_store.h"

#include "account_row.h"
#include "database.h"

#include <algorithm>

namespace consentgate::store {

namespace {

// NULL is the state that all keys had before there were states.
std::optional<std::string> to_text(core::KeyState state) {
    switch (state) {
    case core::KeyState::known: return "known";
    case core::KeyState::removed: return "removed";
    case core::KeyState::used: break;
    }
    return {};
}

core::KeyState state_of(const std::optional<std::string>& text) {
    if (!text) return core::KeyState::used;
    return *text == "known" ? core::KeyState::known : core::KeyState::removed;
}

std::optional<core::Instant> later(
    std::optional<core::Instant> one, std::optional<core::Instant> other) {
    return other && (!one || *one < *other) ? other : one;
}

} // namespace

std::vector<core::ServerKeyRecord> ServerKeyStore::list() {
    return db_.read([&] {
        std::vector<core::ServerKeyRecord> records;
        db_.query(
            "SELECT id, fingerprint, state, created_at FROM server_key ORDER BY created_at, id",
            [&](Row& columns) {
                auto& record = records.emplace_back();
                std::optional<std::string> state;
                columns.read_into(record.id, record.fingerprint, state, record.created_at);
                record.state = state_of(state);
            });
        return records;
    });
}

void ServerKeyStore::put(const core::ServerKeyRecord& key, core::Instant now) {
    db_.write(
        [&] {
            db_.run(
                "INSERT INTO server_key (id, fingerprint, created_at, state) VALUES (?, ?, ?, ?)",
                key.id, key.fingerprint, now, to_text(key.state));
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
        return applied(
            db_.run("UPDATE server_key SET state = ? WHERE id = ?", to_text(state), key));
    });
}

std::vector<core::KeyUse> ServerKeyStore::list_uses(core::Instant now) {
    return db_.read([&] {
        std::vector<core::KeyUse> uses;
        // Adds what one query counts. in: latest  the column's meaning, if it has one
        const auto count = [&](Row& columns, std::size_t core::KeyUse::*kind,
                               std::optional<core::Instant> core::KeyUse::*latest) {
            core::KeyId key;
            std::int64_t rows = 0;
            std::optional<core::Instant> time;
            columns.read_into(key, rows);
            if (latest != nullptr) columns.read_into(time);
            auto use = std::find_if(
                uses.begin(), uses.end(), [&](const auto& known) { return known.key == key; });
            if (use == uses.end()) use = uses.insert(uses.end(), core::KeyUse{key});
            (*use).*kind += static_cast<std::size_t>(rows);
            if (latest != nullptr) (*use).*latest = later((*use).*latest, time);
        };
        db_.query("SELECT key_id, count(*) FROM upstream_token GROUP BY key_id", [&](Row& columns) {
            count(columns, &core::KeyUse::accounts, nullptr);
        });
        db_.query("SELECT key_id, count(*) FROM service GROUP BY key_id", [&](Row& columns) {
            count(columns, &core::KeyUse::services, nullptr);
        });
        db_.query(
            "SELECT key_id, count(*), max(used_at) FROM refresh_token WHERE expires_at > ? GROUP BY key_id",
            [&](Row& columns) {
                count(columns, &core::KeyUse::refresh_tokens, &core::KeyUse::last_use);
            },
            now);
        db_.query(
            "SELECT key_id, count(*), max(expires_at) FROM code WHERE expires_at > ? GROUP BY key_id",
            [&](Row& columns) { count(columns, &core::KeyUse::codes, &core::KeyUse::last_expiry); },
            now);
        db_.query(
            "SELECT key_id, count(*), max(expires_at) FROM upstream_state WHERE expires_at > ? GROUP BY key_id",
            [&](Row& columns) {
                count(columns, &core::KeyUse::upstream_states, &core::KeyUse::last_expiry);
            },
            now);
        return uses;
    });
}

std::vector<core::LinkedAccount> ServerKeyStore::list_accounts_to_rekey(
    const core::KeyId& key, const std::string& after, std::size_t limit) {
    return db_.read([&] {
        std::vector<core::LinkedAccount> tokens;
        db_.query(
            "SELECT " UPSTREAM_TOKEN_COLUMNS
            " FROM upstream_token WHERE id > ? AND key_id <> ? ORDER BY id LIMIT ?",
            [&](Row& columns) { tokens.push_back(read_account(columns)); }, after, key, limit);
        return tokens;
    });
}

std::size_t ServerKeyStore::rekey_accounts(const std::vector<RekeyedAccount>& tokens) {
    std::size_t changed = 0;
    db_.rewrite([&] {
        changed = 0;
        for (const auto& [token, before] : tokens) {
            changed += db_.run(
                "UPDATE upstream_token SET access_token = ?, refresh_token = ?, key_id = ? WHERE id = ? AND version = ? AND key_id = ?",
                to_blob(token.access_token), to_blob(token.refresh_token), token.key_id, token.id,
                token.version, before);
        }
        return Applied::yes;
    });
    return changed;
}

Applied ServerKeyStore::rekey_service(const core::Service& service, const core::KeyId& before) {
    return db_.write(
        [&] {
            return applied(db_.run(
                "UPDATE service SET client_secret = ?, key_id = ? WHERE id = ? AND version = ? AND key_id = ?",
                to_blob(service.client_secret), service.key_id, service.id, service.version,
                before));
        },
        [&] {
            return db_.has(
                "SELECT 1 FROM service WHERE id = ? AND version = ? AND key_id = ?", service.id,
                service.version, service.key_id);
        });
}

// The walk goes along the primary key, so that it needs no index that every refresh would have to
// keep.
Step ServerKeyStore::rekey_refresh_tokens(
    const core::KeyId& key, core::Instant used_before, const std::string& after,
    std::size_t limit) {
    std::vector<std::string> hashes, keys;
    db_.read([&] {
        hashes.clear();
        keys.clear();
        return db_.query(
            "SELECT token_hash, key_id FROM refresh_token WHERE token_hash > ? AND key_id <> ? AND (used_at IS NULL OR used_at < ?) "
            "ORDER BY token_hash LIMIT ?",
            [&](Row& columns) { columns.read_into(hashes, keys); }, after, key, used_before, limit);
    });
    Step step{hashes.size() < limit ? std::string() : hashes.back(), hashes.size(), 0};
    if (hashes.empty()) return step;
    db_.rewrite([&] {
        step.changed = 0;
        for (std::size_t i = 0; i < hashes.size(); ++i) {
            step.changed += db_.run(
                "UPDATE refresh_token SET key_id = ? WHERE token_hash = ? AND key_id = ? AND (used_at IS NULL OR used_at < ?)",
                key, hashes[i], keys[i], used_before);
        }
        return Applied::yes;
    });
    return step;
}

} // namespace consentgate::store
