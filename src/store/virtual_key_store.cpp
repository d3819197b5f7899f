#include "consentgate/store/virtual_key_store.h"

#include "account_tables.h"
#include "virtual_key_table.h"

namespace consentgate::store {

void VirtualKeyStore::put(const core::VirtualKey& key) {
    db_.write(
        [&] {
            insert(db_, key);
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM virtual_key WHERE id = ?", key.id); });
}

std::optional<core::VirtualKey> VirtualKeyStore::find(const core::VirtualKeyId& id) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::VirtualKey>, " FROM virtual_key WHERE id = ?");
    return find_row<core::VirtualKey>(db_, statement, id);
}

std::optional<core::VirtualKey> VirtualKeyStore::find(const core::Digest& hash, core::Instant now) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::VirtualKey>, " FROM virtual_key WHERE key_hash = ?");
    static constexpr auto former =
        sql("SELECT ", columns<core::VirtualKey, 'v'>,
            " FROM former_key f JOIN virtual_key v ON v.id = f.virtual_key_id "
            "WHERE f.key_hash = ? AND f.expires_at > ?");
    auto key = find_row<core::VirtualKey>(db_, statement, hash);
    return key ? key : find_row<core::VirtualKey>(db_, former, hash, now);
}

std::vector<core::VirtualKey> VirtualKeyStore::list() {
    static constexpr auto statement =
        sql("SELECT ", columns<core::VirtualKey>, " FROM virtual_key ORDER BY created_at DESC, id");
    return list_rows<core::VirtualKey>(db_, statement);
}

bool VirtualKeyStore::has_usable(core::Instant now) {
    return db_.read([&] {
        return db_.has(
            "SELECT 1 FROM virtual_key WHERE active = 1 AND "
            "(expires_at IS NULL OR expires_at > ?) LIMIT 1",
            now);
    });
}

std::size_t VirtualKeyStore::count_usable(core::Instant now) {
    return db_.read([&] {
        std::int64_t count = 0;
        db_.query(
            "SELECT COUNT(*) FROM virtual_key WHERE active = 1 AND "
            "(expires_at IS NULL OR expires_at > ?)",
            [&](Row& row) { row.read_into(count); }, now);
        return static_cast<std::size_t>(count);
    });
}

Applied VirtualKeyStore::rotate(
    const core::VirtualKeyId& id, const core::Digest& fresh,
    std::optional<core::Instant> keep_until) {
    const auto changed = [&] {
        return db_.has("SELECT 1 FROM virtual_key WHERE id = ? AND key_hash = ?", id, fresh);
    };
    return db_.write(
        [&] {
            core::Digest before;
            db_.query(
                "SELECT key_hash FROM virtual_key WHERE id = ? AND active = 1",
                [&](Row& row) { row.read_into(before); }, id);
            if (before.hex.empty()) return Applied::no;
            if (db_.run(
                    "UPDATE virtual_key SET key_hash = ? WHERE id = ? AND active = 1 AND "
                    "key_hash = ?",
                    fresh, id, before) != 1)
                return Applied::no;
            if (!keep_until)
                db_.run("DELETE FROM former_key WHERE virtual_key_id = ?", id);
            else
                insert(db_, FormerKey{.hash = before, .key = id, .expires_at = *keep_until});
            return Applied::yes;
        },
        changed);
}

std::optional<core::Instant> VirtualKeyStore::former_until(
    const core::VirtualKeyId& id, core::Instant now) {
    return db_.read([&] {
        std::optional<core::Instant> until;
        db_.query(
            "SELECT max(expires_at) FROM former_key WHERE virtual_key_id = ? AND expires_at > ?",
            [&](Row& row) { row.read_into(until); }, id, now);
        return until;
    });
}

// A consent that is finished at the same moment may link an account to the key afterwards: the
// sweep ends it.
Applied VirtualKeyStore::disable(const core::VirtualKeyId& id, core::Instant now) {
    return db_.write(
        [&] {
            if (db_.run("UPDATE virtual_key SET active = 0 WHERE id = ? AND active = 1", id) != 1)
                return Applied::no;
            end_accounts_of(db_, core::Owner::of(id), now);
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM virtual_key WHERE id = ? AND active = 0", id); });
}

} // namespace consentgate::store
