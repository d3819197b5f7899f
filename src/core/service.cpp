#include "consentgate/core/service.h"

#include "consentgate/core/uri.h"
#include "consentgate/core/vault.h"

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

std::string Service::secret_place() const { return place_of("service", id.text, "client_secret"); }

std::string UpstreamToken::access_place() const { return place_of("upstream_token", id + "/" + service.text, "access_token"); }
std::string UpstreamToken::refresh_place() const { return place_of("upstream_token", id + "/" + service.text, "refresh_token"); }
std::string UpstreamState::verifier_place() const { return place_of("upstream_state", state.hex, "verifier"); }

} // namespace consentgate::core
