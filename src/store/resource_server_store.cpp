#include "consentgate/store/resource_server_store.h"

#include "recent.h"
#include "session_row.h"

#include "consentgate/core/base/text.h"

namespace consentgate::store {

namespace {

#define RESOURCE_SERVER_COLUMNS                                                                    \
    "r.id, r.resource, r.secret_hash, r.active, r.created_at, r.services, r.scope"

core::ResourceServer read_resource_server(Row& columns) {
    core::ResourceServer server;
    std::string services, scope;
    columns.read_into(
        server.id, from_blob(server.resource), server.secret, server.active, server.created_at,
        from_blob(services), from_blob(scope));
    server.services = core::split(services, '\n');
    server.scope = core::ScopeSet::parse(scope).value_or(core::ScopeSet{});
    return server;
}

} // namespace

ResourceServerStore::ResourceServerStore(Database& db, std::size_t max_cached)
    : db_(db), recent_(std::make_unique<Recent<core::IntrospectionLookup>>(max_cached)) {}
ResourceServerStore::~ResourceServerStore() = default;

void ResourceServerStore::put(const core::ResourceServer& server) {
    db_.write(
        [&] {
            db_.run(
                "INSERT INTO resource_server (id, resource, secret_hash, active, created_at, services, scope) VALUES (?, ?, ?, ?, ?, ?, ?)",
                server.id, to_blob(server.resource), server.secret, server.active,
                server.created_at, to_blob(core::join(server.services, "\n")),
                to_blob(server.scope.text()));
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM resource_server WHERE id = ?", server.id); });
}

std::optional<core::ResourceServer> ResourceServerStore::find(const core::ResourceServerId& id) {
    return db_.read([&] {
        std::optional<core::ResourceServer> found;
        db_.query(
            "SELECT " RESOURCE_SERVER_COLUMNS " FROM resource_server r WHERE r.id = ?",
            [&](Row& columns) { found = read_resource_server(columns); }, id);
        return found;
    });
}

std::vector<core::ResourceServer> ResourceServerStore::list() {
    return db_.read([&] {
        std::vector<core::ResourceServer> servers;
        db_.query(
            "SELECT " RESOURCE_SERVER_COLUMNS
            " FROM resource_server r ORDER BY r.created_at DESC, r.id LIMIT 10000",
            [&](Row& columns) { servers.push_back(read_resource_server(columns)); });
        return servers;
    });
}

core::IntrospectionLookup ResourceServerStore::find_with_session(
    const core::ResourceServerId& server, const core::Digest& token) {
    core::IntrospectionLookup unknown; // the token is; it is not remembered
    auto found = db_.read_cached(
        *recent_, server.text + ' ' + token.hex, [&]() -> std::optional<core::IntrospectionLookup> {
            core::IntrospectionLookup lookup;
            db_.query(
                "SELECT " RESOURCE_SERVER_COLUMNS ", " SESSION_VIEW_COLUMNS
                " FROM resource_server r LEFT JOIN session s ON s.token_hash = ? " SESSION_VIEW_JOINS
                "WHERE r.id = ?",
                [&](Row& columns) {
                    lookup.server = read_resource_server(columns);
                    lookup.view = read_session_view(columns);
                },
                token, server);
            if (lookup.view && lookup.view->session.id.text.empty())
                lookup.view = find_refreshed_session(db_, token);
            if (lookup.view) return lookup;
            unknown = std::move(lookup);
            return std::nullopt;
        });
    return found ? std::move(*found) : std::move(unknown);
}

Applied ResourceServerStore::disable(const core::ResourceServerId& id) {
    return db_.write(
        [&] {
            return applied(
                db_.run("UPDATE resource_server SET active = 0 WHERE id = ? AND active = 1", id));
        },
        [&] { return db_.has("SELECT 1 FROM resource_server WHERE id = ? AND active = 0", id); });
}

} // namespace consentgate::store
