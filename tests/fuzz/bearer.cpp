// The Authorization header: raw keys and JWTs. The input is the credential; it is also tried as the
// claims of a token that is signed rightly, so that what stands behind the signature is reached.
#include "require.h"

#include "tests/support/jwt.h"

#include "consentgate/core/oauth/bearer.h"

using namespace consentgate;
using tests::require;

namespace {

void look_at(const core::Result<core::BearerClaims>& claims) {
    if (!claims) {
        require(
            claims.error().code == core::ErrorCode::invalid_bearer, "a refusal is invalid_bearer");
        return;
    }
    require(
        !(claims->admin && (claims->virtual_key_id || claims->virtual_key_hash)),
        "an admin names no key");
    require(
        claims->admin || claims->virtual_key_id || claims->virtual_key_hash,
        "a bearer names somebody");
    require(!claims->virtual_key_id || !claims->virtual_key_id->text.empty(), "a key has a name");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const core::BearerVerifier verifier({tests::hs256_key(), tests::es256_key()}, "", "");
    static const auto policy = tests::sample_policy();
    const std::string text(tests::text_of_input(data, size));
    const auto header = core::bearer_credential(text);
    const auto credential = core::bearer_credential("Bearer " + text);
    if (header && *header) require(!(*header)->empty(), "a credential is not empty");
    if (credential && *credential) {
        const auto claims = verifier.verify(**credential, policy, tests::noon);
        look_at(claims);
        // Nobody but the holder of the key can make a token: what is accepted is a raw key or was
        // signed by us.
        require(
            !claims || claims->virtual_key_hash.has_value() || text.find('.') != std::string::npos,
            "a token has parts");
    }
    look_at(verifier.verify(tests::forge(R"({"alg":"HS256"})", text), policy, tests::noon));
    look_at(verifier.verify(
        tests::forge(text, R"({"exp":9999999999,"sub":"x"})"), policy, tests::noon));
    return 0;
}
