#include "consentgate/core/keyring.h"

#include "consentgate/core/text.h"

namespace consentgate::core {

Keyring::Keyring(std::vector<ServerKey> keys) : keys_(std::move(keys)) {}

// `from` begins with the name of its use, which keeps uses of one key apart: no other derivation can yield the same token.
std::optional<Secret> Keyring::derive(const KeyId& key, const char* prefix, const std::string& from) const {
    for (const auto& known : keys_) {
        if (known.id == key) return Secret(prefix + to_base64url(hmac_sha256_bytes(known.bytes, from)));
    }
    return std::nullopt;
}

std::optional<Secret> Keyring::session_token(const KeyId& key, const Secret& code) const {
    return derive(key, "cgs_", "session-token:" + code.reveal());
}

std::optional<Secret> Keyring::code(const KeyId& key, const Secret& browser, const FlowId& flow) const {
    return derive(key, "", "code:" + browser.reveal() + ":" + flow.text);
}

std::optional<Secret> Keyring::refresh_token(const KeyId& key, const Secret& before) const {
    return derive(key, "cgr_", "refresh-token:" + before.reveal());
}

std::optional<Secret> Keyring::access_token(const KeyId& key, const Secret& refresh_token, const std::string& scope) const {
    return derive(key, "cgs_", "access-token:" + refresh_token.reveal() + ":" + scope);
}

Digest Keyring::fingerprint(const ServerKey& key) { return sha256(hmac_sha256_bytes(key.bytes, "fingerprint:" + key.id.text)); }

} // namespace consentgate::core
