// A client's key set, as it registers one or publishes it, and an assertion that one of its keys
// might have signed. The input is the set; it is also tried as the claims of an assertion that is
// signed rightly, when it is no set.
#include "lines.h"
#include "require.h"

#include "core/oauth/jwk.h"
#include "core/oauth/jwt.h"
#include "tests/support/samples.h"
#include "tests/support/signing.h"

#include "consentgate/core/oauth/client_auth.h"
#include "consentgate/core/oauth/metadata.h"

#include <Poco/JSON/Parser.h>

using namespace consentgate;
using tests::require;

namespace {

std::string without_zeros(std::string number) {
    return number.erase(0, std::min(number.find_first_not_of('\0'), number.size()));
}

std::string text_of(const std::vector<unsigned char>& bytes) {
    return without_zeros({bytes.begin(), bytes.end()});
}

std::string der_of(const std::string& pem) {
    std::string base64;
    for (const auto& line : core::split(pem, '\n'))
        if (!line.starts_with("-----")) base64 += core::trim(line);
    return core::from_base64(base64, core::Base64::standard).value();
}

// OpenSSL reads from the PEM what stood in the set.
void look_at_key(const core::PublicKey& key, const core::JsonObject& from) {
    const auto bytes = [&](const char* name) {
        return core::from_base64(from.text(name).value_or(""), core::Base64::url).value();
    };
    std::istringstream pem(key.pem);
    if (key.algorithm == "ES256") {
        require(
            der_of(key.pem).ends_with('\x04' + bytes("x") + bytes("y")),
            "the point is the one of the set");
        return;
    }
    const Poco::Crypto::RSAKey rsa(&pem);
    require(rsa.size() >= 256 && rsa.size() <= 512, "an RSA key is neither short nor endless");
    require(
        text_of(rsa.modulus()) == without_zeros(bytes("n")), "the modulus is the one of the set");
    require(
        text_of(rsa.encryptionExponent()) == without_zeros(bytes("e")),
        "the exponent is the one of the set");
}

void look_at_set(const std::string& text) {
    const auto keys = core::read_jwks(text);
    if (!core::check_jwks(text)) return;
    require(keys && !keys->empty() && keys->size() <= 10, "1 to 10 keys are kept");
    const auto set = core::parse_json_object(text);
    std::size_t at = 0;
    for (const auto& entry : *set->array("keys")) {
        for (const auto* secret : {"d", "k", "p", "q"})
            require(!entry.object()->contains(secret), "no private key is kept");
        const auto kind = entry.object()->text("kty");
        const bool signs =
            entry.object()->text("use").value_or("sig") == "sig" &&
            (kind == "RSA" || (kind == "EC" && entry.object()->text("crv") == "P-256"));
        if (signs) look_at_key(keys->at(at++), *entry.object());
    }
    require(at == keys->size(), "every key that signs is kept, and no other");
}

// The claims that were believed are those that the rules ask for.
void look_at_claims(const std::string& text) {
    static const auto key = tests::TestKey::ec();
    static const auto policy = tests::sample_policy();
    static const auto client = [] {
        auto made = tests::sample_client();
        made.auth = core::ClientAuth::private_key_jwt;
        made.jwks = key.jwks();
        return made;
    }();
    Poco::JWT::Token token;
    try {
        const auto claims = Poco::JSON::Parser().parse(text).extract<Poco::JSON::Object::Ptr>();
        for (const auto& [name, value] : *claims) token.payload().set(name, value);
    } catch (const std::exception&) {
        return; // nobody can sign these
    }
    const auto assertion = key.sign(token, "ES256");
    static_cast<void>(core::names_unknown_key(assertion, client.jwks));
    const auto verified = core::verify_client(
        {.kind = core::ClientCredentials::Kind::assertion,
         .id = client.id.text,
         .secret = {},
         .decoded = {},
         .assertion = core::Secret(assertion)},
        client, policy, tests::noon);
    if (!verified) {
        require(
            verified.error().code == core::ErrorCode::invalid_client && !verified.error().back,
            "who is not proven is an invalid client");
        return;
    }
    const auto& claims = token.payload();
    require(verified->has_value(), "an assertion is good once");
    require(
        (*verified)->expires_at > tests::noon &&
            (*verified)->expires_at <= tests::noon + core::Span(601),
        "an assertion is remembered until it has ended, and is short-lived");
    require(
        core::jwt::text_claim(claims, "sub") == client.id.text &&
            core::jwt::text_claim(claims, "iss") == client.id.text,
        "an assertion is the client's own");
    require(!core::jwt::text_claim(claims, "jti").empty(), "an assertion has a name");
    for (const auto& audience : core::jwt::audiences(claims))
        require(audience.starts_with(policy.issuer), "an assertion is for us");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(tests::text_of_input(data, size));
    const auto object = core::parse_json_object(text);
    if (!object || object->contains("keys"))
        look_at_set(text);
    else
        look_at_claims(text);
    return 0;
}
