// Renewing our registration at a service before its secret ends. spec: RFC 7591 section 3.2.1; RFC
// 7592; docs/requirements.md XC8
#pragma once

#include "consentgate/core/upstream/service_discovery.h"

#include <optional>
#include <string>
#include <string_view>

namespace consentgate::core {

// When a registration whose secret ends is renewed: in the last third of its life, and in its last
// three days; but never sooner than in an hour, so that a service that gives short lives is not
// asked all the time. Absent: it does not end.
std::optional<Instant> renewal_time(const std::optional<Instant>& ends, Instant now);
// A renewal is begun by moving its time on by this, which keeps other workers off and is the pause
// when it fails.
inline constexpr Span renewal_pause{3600};

// The time in an answer of the service. Absent: never; what cannot be a time is never, too.
std::optional<Instant> secret_end(const Registered& registered);

// Our registration is managed where we registered, and nowhere else: a token goes there.
bool may_manage(const Service& service, std::string_view client_uri);

// The body of an update of our registration. spec: RFC 7592 section 2.2
std::string renewal_request(
    const Policy& policy, const Service& service, const Secret& client_secret);

// How the operator learns of it.
enum class SecretRenewal {
    unneeded, // there is no secret, or it does not end
    managed,  // RFC 7592: the client id stays, and every connection with it
    anew,     // registering anew; who connected before has to connect again when the secret ends
    by_hand,  // the operator's own client
};
SecretRenewal renewal_of(const Service& service);
std::string_view words_of(SecretRenewal renewal);

} // namespace consentgate::core
