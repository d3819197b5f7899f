#include "provider_call.h"

#include "service_call.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/core/oauth/client_document.h"
#include "consentgate/core/signin/client_key.h"
#include "consentgate/core/signin/provider_metadata.h"

#include <algorithm>

namespace consentgate::usecase {
namespace {

constexpr core::Span shortest_life{300};

// The label of a measurement, of a closed set.
std::string_view call_of(const core::IdentityProvider& idp, const std::string& url) {
    if (url == idp.token_endpoint) return "token";
    if (url == idp.userinfo_endpoint) return "userinfo";
    if (url == idp.jwks_uri) return "keys";
    return url == core::provider_metadata_url(idp.issuer) ? "metadata" : "groups";
}

} // namespace

sys::HttpResponse ask_idp(
    Dependencies& deps, const core::IdentityProvider& idp, sys::HttpRequest request) {
    if (deps.web == nullptr) return {};
    request.operator_url = core::provider_metadata_url(idp.issuer);
    request.addresses = request.url == request.operator_url ? sys::AddressPolicy::operator_url
                                                            : sys::AddressPolicy::named_by_service;
    const sys::Stopwatch watch;
    auto response = deps.web->send(request);
    if (deps.metrics)
        deps.metrics->observe(
            sys::Metric::idp_seconds, {{"idp", idp.id.text}, {"call", call_of(idp, request.url)}},
            watch.taken());
    return response;
}

core::Result<sys::HttpResponse> ask_token_endpoint(
    Dependencies& deps, const core::IdentityProvider& idp, const core::Secret& secret,
    core::ServiceRequest request, core::Instant now) {
    if (idp.auth == core::ClientAuth::private_key_jwt) {
        const auto proved = core::prove_by_key(
            request, secret, idp.client_id, idp.token_endpoint, deps.random.id(16), now);
        if (!proved) return proved.error();
    }
    return ask_idp(deps, idp, form_post(sys::PlaceKind::signin, std::move(request)));
}

core::Result<core::Secret> client_secret_of(Dependencies& deps, const core::IdentityProvider& idp) {
    if (idp.client_secret.empty()) return core::Secret();
    auto secret =
        core::unseal(deps.keyring, idp.key_id, idp.client_secret, idp.client_secret_aad());
    if (!secret) return does_not_open("the client secret at " + idp.id.text);
    return std::move(*secret);
}

KeptKeys kept_keys(const sys::HttpResponse& answer, core::Instant now) {
    const auto life = core::document_lifetime(
        {.cache_control = answer.cache_control, .age = answer.age, .expires = answer.expires}, now);
    return {answer.body.reveal(), now + std::max(life, shortest_life)};
}

} // namespace consentgate::usecase
