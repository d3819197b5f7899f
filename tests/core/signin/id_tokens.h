// ID tokens of a sample provider, each with one change, and what becomes of them.
#pragma once

#include "tests/support/provider_signing.h"

#include "consentgate/core/signin/id_token.h"

#include <boost/test/unit_test.hpp>

#include <functional>

namespace consentgate::tests {

using namespace consentgate::core;

using Edit = std::function<void(JsonObject&)>;

inline JsonObject without(const JsonObject& object, const std::string& name) {
    JsonObject rest;
    for (const auto& member : object.members())
        if (member.name != name) rest.set(member.name, member.value);
    return rest;
}
inline Edit drop(const std::string& name) {
    return [name](JsonObject& object) { object = without(object, name); };
}
template <class Value> Edit put(const std::string& name, Value value) {
    return [name, value](JsonObject& object) { object.set(name, value); };
}
inline Edit keep() {
    return [](JsonObject&) {};
}

inline ExpectedIdToken expected() { return {.nonce_hash = sha256("a nonce")}; }

// "ok", or the name of what is wrong.
inline std::string verdict(
    const std::string& token, const IdentityProvider& provider, const ProviderKeys& keys,
    const ExpectedIdToken& wanted = expected()) {
    const auto proved = validate_id_token(token, provider, keys, wanted, noon);
    if (proved) return "ok";
    BOOST_TEST((proved.error().code == ErrorCode::access_denied));
    BOOST_TEST(!proved.error().reason.empty());
    BOOST_TEST(!proved.error().back.has_value());
    return proved.error().param;
}

inline ProviderKeys usual_keys() {
    return keys_of({provider_rsa().jwk("rsa"), provider_ec().jwk("ec")});
}

inline std::string with_claims(
    const Edit& edit, const ExpectedIdToken& wanted = expected(),
    const IdentityProvider& provider = sample_signing_provider()) {
    auto claims = sample_id_claims();
    edit(claims);
    return verdict(
        provider_ec().sign(token_header("ES256", "ec"), claims), provider, usual_keys(), wanted);
}

inline std::string with_header(const Edit& edit) {
    auto header = token_header("ES256", "ec");
    edit(header);
    return verdict(
        provider_ec().sign(header, sample_id_claims(), "ES256"), sample_signing_provider(),
        usual_keys());
}

inline Edit at(const std::string& name, std::int64_t seconds) {
    return put(name, epoch(noon) + seconds);
}

} // namespace consentgate::tests
