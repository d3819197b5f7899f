#include "consentgate/usecase/provider_keys.h"

#include "provider_call.h"
#include "service_call.h"

namespace consentgate::usecase {
namespace {

constexpr core::Span pause_between_fetches{60};
// Expired keys serve so much longer while their host is away.
constexpr core::Span grace{3600};

bool are_fresh(const core::IdentityProvider& idp, core::Instant now) {
    return idp.jwks_expires_at && now < *idp.jwks_expires_at;
}

// out: why it did not work; empty when the row has new keys
std::string fetch(Dependencies& deps, core::IdentityProvider& idp, core::Instant now) {
    if (deps.web == nullptr) return "nothing is asked here";
    const auto response = ask_idp(
        deps, idp,
        {.purpose = sys::PlaceKind::signin,
         .url = idp.jwks_uri,
         .headers = {{"Accept", "application/json, application/jwk-set+json"}}});
    if (!response.answered) return "no answer: " + response.reason;
    if (response.status != 200) return "status " + std::to_string(response.status);
    const auto read = core::read_provider_keys(response.body.reveal());
    if (!read) return read.error().reason;
    auto kept = kept_keys(response, now);
    idp.jwks = std::move(kept.jwks);
    idp.jwks_expires_at = kept.expires_at;
    deps.store.idps.keep_keys(idp); // where it was changed meanwhile, they serve this once
    return {};
}

} // namespace

std::optional<core::ProviderKeys> kept_keys_for(
    const core::IdentityProvider& idp, const std::string& token, core::Instant now) {
    if (!are_fresh(idp, now)) return std::nullopt;
    auto keys = core::read_provider_keys(idp.jwks);
    if (!keys || core::needs_newer_keys(token, idp, *keys)) return std::nullopt;
    return std::move(*keys);
}

// The right to ask is taken before anybody is asked. Where that cannot be written, nobody is.
core::Result<core::ProviderKeys> provider_keys_for(
    Dependencies& deps, const core::IdentityProvider& idp, const std::string& token,
    core::Instant now) {
    if (auto kept = kept_keys_for(idp, token, now)) return std::move(*kept);
    auto current = idp;
    std::string problem = "they were asked for less than a minute ago";
    bool did_not_come = false;
    if (deps.store.idps.claim_keys(idp.id, now - pause_between_fetches, now) ==
        store::Applied::yes) {
        problem = fetch(deps, current, now);
        did_not_come = !problem.empty();
    } else if (auto stored = deps.store.idps.find(idp.id);
               stored && stored->version == idp.version) {
        current = std::move(*stored); // another worker may have fetched them
    }
    auto keys = core::read_provider_keys(current.jwks);
    // The kept ones would call a token false whose key they lack, and nobody knows that it is.
    const bool lacks_key = did_not_come && keys && core::needs_newer_keys(token, idp, *keys);
    if (keys && !lacks_key && current.jwks_expires_at && now < *current.jwks_expires_at + grace)
        return keys;
    return unavailable("the keys of " + idp.id.text + ": " + problem, core::Span(1));
}

} // namespace consentgate::usecase
