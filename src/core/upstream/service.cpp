#include "consentgate/core/upstream/service.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/core/base/uri.h"

namespace consentgate::core {

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

std::string Service::host() const { return authority_of(url); }

std::string Service::client_secret_aad() const {
    return associated_data("service", id.text, "client_secret");
}

std::string LinkedAccount::access_token_aad() const {
    return associated_data("upstream_token", id + "/" + service.text, "access_token");
}
std::string LinkedAccount::refresh_token_aad() const {
    return associated_data("upstream_token", id + "/" + service.text, "refresh_token");
}
std::string UpstreamState::verifier_aad() const {
    return associated_data("upstream_state", state.hex, "verifier");
}

} // namespace consentgate::core
