#include "consentgate/core/keyring.h"

#include "consentgate/core/text.h"

namespace consentgate::core {

Keyring::Keyring(std::vector<ServerKey> keys) : keys_(std::move(keys)) {}

std::optional<Secret> Keyring::session_token(const KeyId& key, const Secret& code) const {
    for (const auto& known : keys_) {
        // The prefix keeps uses of one key apart: no other derivation can yield a session token.
        if (known.id == key) return Secret("cgs_" + to_base64url(hmac_sha256_bytes(known.bytes, "session-token:" + code.reveal())));
    }
    return std::nullopt;
}

Digest Keyring::fingerprint(const ServerKey& key) { return sha256(hmac_sha256_bytes(key.bytes, "fingerprint:" + key.id.text)); }

} // namespace consentgate::core
