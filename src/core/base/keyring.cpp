#include "consentgate/core/base/keyring.h"

#include "consentgate/core/base/text.h"

#include <algorithm>

namespace consentgate::core {

Keyring::Keyring(std::vector<ServerKey> keys) : keys_(std::move(keys)) {
    // Stored ciphertexts depend on the label: it stays.
    for (const auto& key : keys_)
        encryption_keys_.emplace_back(hmac_sha256_bytes(key.bytes, "vault:"));
}

const ServerKey* Keyring::find(const KeyId& key) const {
    const auto known =
        std::find_if(keys_.begin(), keys_.end(), [&](const auto& one) { return one.id == key; });
    return known == keys_.end() ? nullptr : &*known;
}

// `from` begins with the name of its use, which keeps uses of one key apart: no other derivation
// can yield the same token.
std::optional<Secret> Keyring::derive(
    const KeyId& key, const char* prefix, const std::string& from) const {
    const auto* known = find(key);
    if (known == nullptr) return std::nullopt;
    return Secret(prefix + to_base64url(hmac_sha256_bytes(known->bytes, from)));
}

std::optional<Secret> Keyring::session_token(const KeyId& key, const Secret& code) const {
    return derive(key, "cgs_", "session-token:" + code.reveal());
}

std::optional<Secret> Keyring::code(
    const KeyId& key, const Secret& browser, const FlowId& flow) const {
    return derive(key, "", "code:" + browser.reveal() + ":" + flow.text);
}

std::optional<Secret> Keyring::refresh_token(const KeyId& key, const Secret& before) const {
    return derive(key, "cgr_", "refresh-token:" + before.reveal());
}

std::optional<Secret> Keyring::access_token(
    const KeyId& key, const Secret& refresh_token, const std::string& distinction) const {
    return derive(key, "cgs_", "access-token:" + refresh_token.reveal() + ":" + distinction);
}

const Secret* Keyring::encryption_key(const KeyId& key) const {
    const auto* known = find(key);
    return known == nullptr ? nullptr
                            : &encryption_keys_[static_cast<std::size_t>(known - keys_.data())];
}

std::optional<Secret> Keyring::link_mark(const KeyId& key, const std::string& link) const {
    return derive(key, "", "link:" + link);
}

std::optional<Secret> Keyring::call_mark(const KeyId& key, const std::string& call) const {
    constexpr std::size_t length = 22;
    const auto mark = derive(key, "", "call:" + call);
    return mark ? std::optional(Secret(mark->reveal().substr(0, length))) : std::nullopt;
}

namespace {
constexpr const char* probe_prefix = "cgp_";
constexpr const char* probe_use = "probe:";
} // namespace

Secret Keyring::probe_token() const {
    return derive(newest(), probe_prefix, probe_use).value_or(Secret());
}

bool Keyring::is_probe(const Secret& token) const {
    return token.reveal().starts_with(probe_prefix) &&
           std::any_of(keys_.begin(), keys_.end(), [&](const ServerKey& key) {
               return same_bytes(derive(key.id, probe_prefix, probe_use)->reveal(), token.reveal());
           });
}

std::string Keyring::caller_mark(const std::string& caller) const {
    constexpr std::size_t length = 22;
    return to_base64url(hmac_sha256_bytes(keys_.back().bytes, "caller:" + caller))
        .substr(0, length);
}

Digest Keyring::fingerprint(const ServerKey& key) {
    return sha256(hmac_sha256_bytes(key.bytes, "fingerprint:" + key.id.text));
}

} // namespace consentgate::core
