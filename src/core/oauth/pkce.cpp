#include "consentgate/core/oauth/pkce.h"

#include "consentgate/core/base/secret.h"
#include "consentgate/core/base/text.h"

namespace consentgate::core {

bool valid_challenge(std::string_view challenge) {
    return challenge.size() == challenge_length && is_base64url(challenge);
}

bool valid_verifier(std::string_view verifier) {
    return verifier.size() >= 43 && verifier.size() <= 128 && is_unreserved(verifier);
}

bool proves(std::string_view verifier, std::string_view challenge) {
    return same_bytes(to_base64url(sha256_bytes(verifier)), challenge);
}

} // namespace consentgate::core
