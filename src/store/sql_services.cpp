#include "sql_store.h"

namespace consentgate::store {

namespace {

#define SERVICE_CONTENT "name, url, issuer, authorization_endpoint, token_endpoint, registration_endpoint, revocation_endpoint, resource, scope, " \
                        "registration, client_id, auth_method, client_secret, key_id, sends_iss, active"

core::Service take_service(Row& columns) {
    core::Service service;
    Blob name, url, authorization_endpoint, token_endpoint, client_id;
    MaybeBlob issuer, registration_endpoint, revocation_endpoint, resource, scope, client_secret;
    std::string registration, auth;
    int sends_iss = 0, active = 0;
    Poco::Int64 created_at = 0;
    columns.into(name, url, issuer, authorization_endpoint, token_endpoint, registration_endpoint, revocation_endpoint, resource, scope, registration,
                 client_id, auth, client_secret, service.key_id.text, sends_iss, active, service.id.text, service.version, created_at);
    service.name = from_blob(name);
    service.url = from_blob(url);
    service.issuer = from_blob(issuer);
    service.authorization_endpoint = from_blob(authorization_endpoint);
    service.token_endpoint = from_blob(token_endpoint);
    service.registration_endpoint = from_blob(registration_endpoint);
    service.revocation_endpoint = from_blob(revocation_endpoint);
    service.resource = from_blob(resource);
    service.scope = from_blob(scope);
    service.registration = core::registration_of(registration).value_or(core::Registration::given);
    service.client_id = from_blob(client_id);
    service.auth = core::client_auth_of(auth).value_or(core::ClientAuth::none);
    service.client_secret = from_blob(client_secret);
    service.sends_iss = sends_iss != 0;
    service.active = active != 0;
    service.created_at = core::from_epoch(created_at);
    return service;
}

} // namespace

void SqlStore::put_service(const core::Service& service) {
    db_.write(
        [&] {
            db_.run("INSERT INTO service (" SERVICE_CONTENT ", id, version, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    to_blob(service.name), to_blob(service.url), to_maybe_blob(service.issuer), to_blob(service.authorization_endpoint),
                    to_blob(service.token_endpoint), to_maybe_blob(service.registration_endpoint), to_maybe_blob(service.revocation_endpoint),
                    to_maybe_blob(service.resource), to_maybe_blob(service.scope), std::string(core::name_of(service.registration)),
                    to_blob(service.client_id), std::string(core::name_of(service.auth)), to_maybe_blob(service.client_secret), service.key_id.text,
                    service.sends_iss ? 1 : 0, service.active ? 1 : 0, service.id.text, service.version, core::epoch(service.created_at));
            return Outcome::done;
        },
        [&] { return db_.has("SELECT 1 FROM service WHERE id = ?", service.id.text); });
}

std::optional<core::Service> SqlStore::find_service(const core::ServiceId& id) {
    return db_.read([&] {
        std::optional<core::Service> found;
        db_.query("SELECT " SERVICE_CONTENT ", id, version, created_at FROM service WHERE id = ?", [&](Row& columns) { found = take_service(columns); }, id.text);
        return found;
    });
}

std::vector<core::Service> SqlStore::list_services() {
    return db_.read([&] {
        std::vector<core::Service> services;
        db_.query("SELECT " SERVICE_CONTENT ", id, version, created_at FROM service ORDER BY id",
                  [&](Row& columns) { services.push_back(take_service(columns)); });
        return services;
    });
}

Outcome SqlStore::update_service(const core::Service& service) {
    return db_.write(
        [&] {
            return outcome(db_.run("UPDATE service SET name = ?, url = ?, issuer = ?, authorization_endpoint = ?, token_endpoint = ?, registration_endpoint = ?, "
                                   "revocation_endpoint = ?, resource = ?, scope = ?, registration = ?, client_id = ?, auth_method = ?, client_secret = ?, "
                                   "key_id = ?, sends_iss = ?, active = ?, version = version + 1 WHERE id = ? AND version = ?",
                                   to_blob(service.name), to_blob(service.url), to_maybe_blob(service.issuer), to_blob(service.authorization_endpoint),
                                   to_blob(service.token_endpoint), to_maybe_blob(service.registration_endpoint), to_maybe_blob(service.revocation_endpoint),
                                   to_maybe_blob(service.resource), to_maybe_blob(service.scope), std::string(core::name_of(service.registration)),
                                   to_blob(service.client_id), std::string(core::name_of(service.auth)), to_maybe_blob(service.client_secret),
                                   service.key_id.text, service.sends_iss ? 1 : 0, service.active ? 1 : 0, service.id.text, service.version));
        },
        [&] { // two that wrote the same client id over the same version are alike
            MaybeBlob client_id;
            const auto found = db_.query("SELECT client_id FROM service WHERE id = ? AND version = ?", [&](Row& columns) { columns.into(client_id); },
                                         service.id.text, service.version + 1);
            return found == 1 && from_blob(client_id) == service.client_id;
        });
}

Outcome SqlStore::remove_service(const core::ServiceId& id, bool leave) {
    return db_.write(
        [&] {
            if (!leave && db_.has("SELECT 1 FROM upstream_token WHERE service_id = ? LIMIT 1", id.text)) return Outcome::gone;
            if (db_.run("DELETE FROM service WHERE id = ?", id.text) != 1) return Outcome::gone;
            db_.run("DELETE FROM upstream_state WHERE service_id = ?", id.text);
            db_.run("DELETE FROM upstream_token WHERE service_id = ?", id.text);
            return Outcome::done;
        },
        [&] { return !db_.has("SELECT 1 FROM service WHERE id = ?", id.text); });
}

} // namespace consentgate::store
