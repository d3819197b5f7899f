#include "jws.h"
#include "provider_reply.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/signin/person_claims.h"

namespace consentgate::core {
namespace {

// spec: OpenID Connect Core 5.3.2
Result<JsonObject> read_signed(
    const std::string& body, const ProvedClaims& proved, const IdentityProvider& provider,
    const ProviderKeys& keys) {
    auto read = jws::read(body, provider, {"jwt"});
    if (!read) return std::move(read).error();
    const auto* key = jws::signer(*read, keys);
    if (key == nullptr)
        return jws::not_believed("signature", "no key of the provider has signed the userinfo");
    // Where a provider has many tenants, the ID token has proved which one.
    if (read->claims.text("iss") != proved.claims.text("iss"))
        return jws::not_believed("iss", "the userinfo is another issuer's");
    if (auto valid = jws::check_audience(read->claims, provider); !valid)
        return std::move(valid).error();
    return std::move(read->claims);
}

} // namespace

Result<JsonObject> read_userinfo(
    const ServiceReply& reply, const ProvedClaims& proved, const IdentityProvider& provider,
    const ProviderKeys& keys) {
    if (auto answered = check_answered(reply); !answered) return std::move(answered).error();
    const std::string body(trim(without_byte_order_mark(reply.body.reveal())));
    auto object = parse_json_object(body);
    auto claims =
        object ? Result<JsonObject>(*std::move(object)) : read_signed(body, proved, provider, keys);
    if (claims && claims->text("sub") != proved.subject)
        return bad_answer("sub", "the userinfo is about another person");
    return claims;
}

} // namespace consentgate::core
