#include "account_row.h"

namespace consentgate::store {

core::Service read_service(Row& columns) {
    core::Service service;
    std::string registration, auth;
    columns.read_into(
        from_blob(service.name), from_blob(service.url), from_blob(service.issuer),
        from_blob(service.authorization_endpoint), from_blob(service.token_endpoint),
        from_blob(service.registration_endpoint), from_blob(service.revocation_endpoint),
        from_blob(service.resource), from_blob(service.scope), registration,
        from_blob(service.client_id), auth, from_blob(service.client_secret), service.key_id,
        service.sends_iss, service.active, service.id, service.version, service.created_at);
    service.registration = core::registration_of(registration).value_or(core::Registration::given);
    service.auth = core::client_auth_of(auth).value_or(core::ClientAuth::none);
    return service;
}

core::LinkedAccount read_account(Row& columns) {
    core::LinkedAccount token;
    columns.read_into(
        token.id, token.owner, token.service, from_blob(token.access_token),
        from_blob(token.refresh_token), token.key_id, from_blob(token.scope), token.expires_at,
        token.version, token.failures, token.retry_at, token.broken_at, token.created_at,
        token.updated_at, token.last_used_at, token.ended_at);
    return token;
}

} // namespace consentgate::store
