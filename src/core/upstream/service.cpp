#include "consentgate/core/upstream/service.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/core/base/uri.h"

namespace consentgate::core {
namespace {

// An ended account has no owner of its own any more; what it was sealed for serves its revocation
// alone.
std::string place_of(const LinkedAccount& account, std::string_view column) {
    const auto row = account.id + "/" + account.service.text;
    if (account.seal < current_seal) return associated_data("upstream_token", row, column);
    const bool ended = account.owner.kind() == OwnerKind::ended && !account.sealed_for.empty();
    return associated_data(
        "upstream_token 2", row + "/" + (ended ? account.sealed_for : account.owner.text()),
        column);
}

std::string place_of_client_secret(const ServiceId& service) {
    return associated_data("service", service.text, "client_secret");
}

} // namespace

std::string_view name_of(Registration registration) {
    switch (registration) {
    case Registration::document: return "document";
    case Registration::dynamic: return "dynamic";
    case Registration::given: return "given";
    }
    return "given";
}

std::optional<Registration> registration_of(std::string_view name) {
    for (const auto known : {Registration::document, Registration::dynamic, Registration::given}) {
        if (name_of(known) == name) return known;
    }
    return std::nullopt;
}

std::string_view name_of(CallbackAddress address) {
    return address == CallbackAddress::own ? "own" : "shared";
}

std::optional<CallbackAddress> callback_address_of(std::string_view name) {
    for (const auto known : {CallbackAddress::shared, CallbackAddress::own}) {
        if (name_of(known) == name) return known;
    }
    return std::nullopt;
}

std::string former_registration_id(const ServiceId& service, const RegistrationId& registration) {
    return service.text + "/" + registration.text;
}

FormerRegistration former_registration_of(const Service& service, Instant now) {
    return {
        .id = former_registration_id(service.id, service.registration_id),
        .service = service.id,
        .registration = service.registration_id,
        .client_id = service.client_id,
        .auth = service.auth,
        .client_secret = service.client_secret,
        .key_id = service.key_id,
        .ended_at = now};
}

Service as_registered(Service service, const FormerRegistration& former) {
    service.registration_id = former.registration;
    service.client_id = former.client_id;
    service.auth = former.auth;
    service.client_secret = former.client_secret;
    service.key_id = former.key_id;
    service.client_secret_expires_at.reset(); // not known any more
    service.renew_at.reset();
    service.registration_client_uri.clear();
    service.registration_token.clear();
    return service;
}

std::optional<ServiceId> Service::own_callback() const {
    return callback == CallbackAddress::own ? std::optional(id) : std::nullopt;
}

std::string Service::host() const { return authority_of(url); }

std::string Service::client_secret_aad() const { return place_of_client_secret(id); }
std::string Service::registration_token_aad() const {
    return associated_data("service", id.text, "registration_token");
}
std::string FormerRegistration::client_secret_aad() const {
    return place_of_client_secret(service);
}

std::string LinkedAccount::access_token_aad() const { return place_of(*this, "access_token"); }
std::string LinkedAccount::refresh_token_aad() const { return place_of(*this, "refresh_token"); }

std::optional<ServiceId> UpstreamState::own_callback() const {
    return callback == CallbackAddress::own ? std::optional(service) : std::nullopt;
}
std::string OldSeals::mark_aad() const {
    return associated_data("old_seals", id, "until " + std::to_string(epoch(expires_at)));
}
std::string UpstreamState::verifier_aad() const {
    return associated_data("upstream_state", state.hex, "verifier");
}

} // namespace consentgate::core
