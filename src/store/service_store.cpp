#include "consentgate/store/service_store.h"

#include "account_row.h"

namespace consentgate::store {

namespace {

#define SERVICE_CONTENT                                                                                                        \
    "name, url, issuer, authorization_endpoint, token_endpoint, registration_endpoint, revocation_endpoint, resource, scope, " \
    "registration, client_id, auth_method, client_secret, key_id, sends_iss, active"

} // namespace

void ServiceStore::put(const core::Service& service) {
    db_.write(
        [&] {
            db_.run(
                "INSERT INTO service (" SERVICE_CONTENT
                ", id, version, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                to_blob(service.name), to_blob(service.url), to_blob(service.issuer),
                to_blob(service.authorization_endpoint), to_blob(service.token_endpoint),
                to_blob(service.registration_endpoint), to_blob(service.revocation_endpoint),
                to_blob(service.resource), to_blob(service.scope),
                core::name_of(service.registration), to_blob(service.client_id),
                core::name_of(service.auth), to_blob(service.client_secret), service.key_id,
                service.sends_iss, service.active, service.id, service.version, service.created_at);
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM service WHERE id = ?", service.id); });
}

std::optional<core::Service> ServiceStore::find(const core::ServiceId& id) {
    return db_.read([&] {
        std::optional<core::Service> found;
        db_.query(
            "SELECT " SERVICE_COLUMNS " FROM service WHERE id = ?",
            [&](Row& columns) { found = read_service(columns); }, id);
        return found;
    });
}

std::vector<core::Service> ServiceStore::list() {
    return db_.read([&] {
        std::vector<core::Service> services;
        db_.query("SELECT " SERVICE_COLUMNS " FROM service ORDER BY id", [&](Row& columns) {
            services.push_back(read_service(columns));
        });
        return services;
    });
}

Applied ServiceStore::update(const core::Service& service) {
    return db_.write(
        [&] {
            return applied(db_.run(
                "UPDATE service SET name = ?, url = ?, issuer = ?, authorization_endpoint = ?, token_endpoint = ?, registration_endpoint = ?, "
                "revocation_endpoint = ?, resource = ?, scope = ?, registration = ?, client_id = ?, auth_method = ?, client_secret = ?, "
                "key_id = ?, sends_iss = ?, active = ?, version = version + 1 WHERE id = ? AND version = ?",
                to_blob(service.name), to_blob(service.url), to_blob(service.issuer),
                to_blob(service.authorization_endpoint), to_blob(service.token_endpoint),
                to_blob(service.registration_endpoint), to_blob(service.revocation_endpoint),
                to_blob(service.resource), to_blob(service.scope),
                core::name_of(service.registration), to_blob(service.client_id),
                core::name_of(service.auth), to_blob(service.client_secret), service.key_id,
                service.sends_iss, service.active, service.id, service.version));
        },
        [&] { // two that wrote the same client id over the same version are alike
            std::string client_id;
            const auto found = db_.query(
                "SELECT client_id FROM service WHERE id = ? AND version = ?",
                [&](Row& columns) { columns.read_into(from_blob(client_id)); }, service.id,
                service.version + 1);
            return found == 1 && client_id == service.client_id;
        });
}

Applied ServiceStore::remove(const core::ServiceId& id, bool leave) {
    return db_.write(
        [&] {
            if (!leave && db_.has("SELECT 1 FROM upstream_token WHERE service_id = ? LIMIT 1", id))
                return Applied::no;
            if (db_.run("DELETE FROM service WHERE id = ?", id) != 1) return Applied::no;
            db_.run("DELETE FROM upstream_state WHERE service_id = ?", id);
            db_.run("DELETE FROM upstream_token WHERE service_id = ?", id);
            return Applied::yes;
        },
        [&] { return !db_.has("SELECT 1 FROM service WHERE id = ?", id); });
}

} // namespace consentgate::store
