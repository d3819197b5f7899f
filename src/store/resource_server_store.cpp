#include "consentgate/store/resource_server_store.h"

#include "recent.h"
#include "resource_server_table.h"
#include "session_table.h"

namespace consentgate::store {

ResourceServerStore::ResourceServerStore(Database& db, std::size_t max_cached)
    : db_(db), recent_(std::make_unique<Recent<core::IntrospectionLookup>>(max_cached)) {}
ResourceServerStore::~ResourceServerStore() = default;

void ResourceServerStore::put(const core::ResourceServer& server) {
    db_.write(
        [&] {
            insert(db_, server);
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM resource_server WHERE id = ?", server.id); });
}

std::optional<core::ResourceServer> ResourceServerStore::find(const core::ResourceServerId& id) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::ResourceServer>, " FROM resource_server WHERE id = ?");
    return find_row<core::ResourceServer>(db_, statement, id);
}

std::vector<core::ResourceServer> ResourceServerStore::list() {
    static constexpr auto statement =
        sql("SELECT ", columns<core::ResourceServer>,
            " FROM resource_server ORDER BY created_at DESC, id LIMIT 10000");
    return list_rows<core::ResourceServer>(db_, statement);
}

core::IntrospectionLookup ResourceServerStore::find_with_session(
    const core::ResourceServerId& server, const core::Digest& token) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::ResourceServer, 'r'>, ", ", columns<core::SessionView>,
            " FROM resource_server r LEFT JOIN session s ON s.token_hash = ? ", session_view_joins,
            "WHERE r.id = ?");
    core::IntrospectionLookup unknown; // the answer for an unknown token; it is not cached
    const auto look_up = [&]() -> std::optional<core::IntrospectionLookup> {
        core::IntrospectionLookup lookup;
        std::optional<core::SessionView> view;
        const auto read_lookup = [&](Row& row) {
            lookup.server =
                std::make_shared<const core::ResourceServer>(read<core::ResourceServer>(row));
            view = read<core::SessionView>(row);
        };
        db_.query(statement, read_lookup, token, server);
        if (view && view->session.id.text.empty()) view = find_refreshed_session(db_, token);
        if (view) {
            lookup.view = std::make_shared<const core::SessionView>(*std::move(view));
            return lookup;
        }
        unknown = std::move(lookup);
        return std::nullopt;
    };
    auto found = db_.read_cached(*recent_, server.text + ' ' + token.hex, look_up);
    return found ? std::move(*found) : std::move(unknown);
}

// Looks before it writes, because engines count a row that is written as it was differently.
// Written twice it is the same, so a lost answer needs no look.
Applied ResourceServerStore::change(std::span<const core::ResourceServer> servers) {
    static constexpr auto statement =
        sql("UPDATE resource_server SET ", assignments<core::ResourceServer>,
            " WHERE id = ? AND active = 1");
    return db_.rewrite([&] {
        for (const auto& server : servers)
            if (!db_.has("SELECT 1 FROM resource_server WHERE id = ? AND active = 1", server.id))
                return Applied::no;
        for (const auto& server : servers)
            std::apply(
                [&](const auto&... bound) { db_.run(statement, bound..., server.id); },
                bindings<List::assignments>(server));
        return Applied::yes;
    });
}

Applied ResourceServerStore::disable(const core::ResourceServerId& id) {
    return db_.write(
        [&] {
            return applied(
                db_.run("UPDATE resource_server SET active = 0 WHERE id = ? AND active = 1", id));
        },
        [&] { return db_.has("SELECT 1 FROM resource_server WHERE id = ? AND active = 0", id); });
}

Applied ResourceServerStore::enable(const core::ResourceServerId& id) {
    return db_.write(
        [&] {
            return applied(
                db_.run("UPDATE resource_server SET active = 1 WHERE id = ? AND active = 0", id));
        },
        [&] { return db_.has("SELECT 1 FROM resource_server WHERE id = ? AND active = 1", id); });
}

Applied ResourceServerStore::remove(const core::ResourceServerId& id) {
    return db_.write(
        [&] { return applied(db_.run("DELETE FROM resource_server WHERE id = ?", id)); },
        [&] { return !db_.has("SELECT 1 FROM resource_server WHERE id = ?", id); });
}

} // namespace consentgate::store
