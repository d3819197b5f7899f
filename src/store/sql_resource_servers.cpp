#include "session_row.h"
#include "sql_store.h"

#include "consentgate/core/text.h"

namespace consentgate::store {

namespace {

#define RESOURCE_SERVER_COLUMNS "r.id, r.resource, r.secret_hash, r.active, r.created_at, r.services, r.scope"

core::ResourceServer take_resource_server(Row& columns) {
    core::ResourceServer server;
    Blob resource;
    int active = 0;
    Poco::Int64 created_at = 0;
    MaybeBlob services, scope;
    columns.into(server.id.text, resource, server.secret.hex, active, created_at, services, scope);
    server.services = core::split(from_blob(services), '\n');
    server.scope = core::ScopeSet::parse(from_blob(scope)).value_or(core::ScopeSet{});
    server.resource = from_blob(resource);
    server.active = active != 0;
    server.created_at = core::from_epoch(created_at);
    return server;
}

} // namespace

void SqlStore::put_resource_server(const core::ResourceServer& server) {
    db_.write(
        [&] {
            db_.run("INSERT INTO resource_server (id, resource, secret_hash, active, created_at, services, scope) VALUES (?, ?, ?, ?, ?, ?, ?)", server.id.text, to_blob(server.resource),
                    server.secret.hex, server.active ? 1 : 0, core::epoch(server.created_at),
                    to_maybe_blob(core::join(server.services, "\n")), to_maybe_blob(server.scope.text()));
            return Outcome::done;
        },
        [&] { return db_.has("SELECT 1 FROM resource_server WHERE id = ?", server.id.text); });
}

std::optional<core::ResourceServer> SqlStore::find_resource_server(const core::ResourceServerId& id) {
    return db_.read([&]() -> std::optional<core::ResourceServer> {
        std::optional<core::ResourceServer> found;
        db_.query("SELECT " RESOURCE_SERVER_COLUMNS " FROM resource_server r WHERE r.id = ?", [&](Row& columns) { found = take_resource_server(columns); }, id.text);
        return found;
    });
}

std::vector<core::ResourceServer> SqlStore::list_resource_servers() {
    return db_.read([&] {
        std::vector<core::ResourceServer> servers;
        db_.query("SELECT " RESOURCE_SERVER_COLUMNS " FROM resource_server r ORDER BY r.created_at DESC, r.id LIMIT 10000",
                  [&](Row& columns) { servers.push_back(take_resource_server(columns)); });
        return servers;
    });
}

Enquiry SqlStore::find_enquiry(const core::ResourceServerId& server, const core::Digest& token) {
    return db_.read([&] {
        Enquiry enquiry;
        SessionViewRow row;
        db_.query("SELECT " RESOURCE_SERVER_COLUMNS ", " SESSION_VIEW_COLUMNS " FROM resource_server r LEFT JOIN session s ON s.token_hash = ? " SESSION_VIEW_JOINS "WHERE r.id = ?",
                  [&](Row& columns) {
                      enquiry.server = take_resource_server(columns);
                      extract(columns, row);
                  },
                  token.hex, server.text);
        if (!enquiry.server) return enquiry;
        enquiry.view = row.session.id.empty() ? find_refreshed_session(token) : std::optional(session_view_of(row));
        return enquiry;
    });
}

Outcome SqlStore::disable_resource_server(const core::ResourceServerId& id) {
    return db_.write([&] { return outcome(db_.run("UPDATE resource_server SET active = 0 WHERE id = ? AND active = 1", id.text)); },
                     [&] { return db_.has("SELECT 1 FROM resource_server WHERE id = ? AND active = 0", id.text); });
}

} // namespace consentgate::store
