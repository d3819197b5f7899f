#include "consentgate/core/upstream/registration_renewal.h"

#include "consentgate/core/base/json.h"

#include <algorithm>

namespace consentgate::core {
namespace {

constexpr Span longest_ahead{3 * 86400};
constexpr int part_ahead = 3;
constexpr std::int64_t latest_end = 32503680000; // the year 3000

} // namespace

std::optional<Instant> renewal_time(const std::optional<Instant>& ends, Instant now) {
    if (!ends) return std::nullopt;
    const auto ahead = std::min(longest_ahead, (*ends - now) / part_ahead);
    return std::max(*ends - ahead, now + renewal_pause);
}

std::optional<Instant> secret_end(const Registered& registered) {
    const auto at = registered.secret_expires_at;
    return at > 0 && at < latest_end ? std::optional(from_epoch(at)) : std::nullopt;
}

bool may_manage(const Service& service, std::string_view client_uri) {
    return !client_uri.empty() && !service.registration_endpoint.empty() &&
           plain_origin(client_uri) == plain_origin(service.registration_endpoint);
}

std::string renewal_request(
    const Policy& policy, const Service& service, const Secret& client_secret) {
    auto request = parse_json_object(registration_request(policy, service)).value_or(JsonObject{});
    request.set("client_id", service.client_id);
    if (!client_secret.empty()) request.set("client_secret", client_secret.reveal());
    return json_string(request);
}

SecretRenewal renewal_of(const Service& service) {
    if (service.client_secret.empty() || !service.client_secret_expires_at)
        return SecretRenewal::unneeded;
    if (service.registration != Registration::dynamic) return SecretRenewal::by_hand;
    return may_manage(service, service.registration_client_uri) ? SecretRenewal::managed
                                                                : SecretRenewal::anew;
}

std::string_view words_of(SecretRenewal renewal) {
    switch (renewal) {
    case SecretRenewal::unneeded: return "not needed";
    case SecretRenewal::managed: return "by RFC 7592; connections stay";
    case SecretRenewal::anew: return "by registering anew; connect again when the old secret ends";
    case SecretRenewal::by_hand: return "by hand: service set ID --client-secret-file FILE";
    }
    return "";
}

} // namespace consentgate::core
