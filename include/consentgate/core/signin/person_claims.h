// The facts that we keep of a person: which claims of the ID token and of the userinfo answer we
// believe.
// spec: OpenID Connect Core 5.1, 5.3; docs/requirements_signin.md SI45, SI49, SI53-SI55
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/base/json.h"
#include "consentgate/core/signin/id_token.h"
#include "consentgate/core/signin/person.h"
#include "consentgate/core/signin/provider_keys.h"
#include "consentgate/core/upstream/upstream.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

struct IdentityProvider;

// A top-level member, whatever its name; or behind a first `/` a JSON Pointer (RFC 6901). Null when
// it is not there.
const Json* find_claim(const JsonObject& claims, std::string_view name);

// The ID token lacks a claim of use, or the operator wants userinfo asked always; and there is
// somebody to ask.
bool needs_userinfo(const ProvedClaims& proved, const IdentityProvider& provider);

// The claims of a userinfo answer, in JSON or as a signed JWT.
// fail: service_unavailable: the provider does not answer; access_denied: it is about somebody
//       else, or is no answer
Result<JsonObject> read_userinfo(
    const ServiceReply& reply, const ProvedClaims& proved, const IdentityProvider& provider,
    const ProviderKeys& keys);

struct PersonClaims {
    std::string name;                // for people, at most 120 characters
    std::string email{};             // empty unless it counts
    std::vector<std::string> groups; // sorted, each once; empty when they are unknown
    bool groups_known = true;        // false: we do not know, which is not the same as none
    bool groups_sent = false;        // the claim was there, in whatever shape
    std::size_t groups_dropped = 0;  // entries that are no group's name
    // Claims that the operator keeps, with their values: at most 4 KiB together.
    KeptClaims claims{};
};

// in: userinfo  absent: it was not asked. It can add claims, and replaces none of the ID token
PersonClaims person_claims(
    const ProvedClaims& proved, const std::optional<JsonObject>& userinfo,
    const IdentityProvider& provider);

} // namespace consentgate::core
