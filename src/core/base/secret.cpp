#include "consentgate/core/base/secret.h"

#include "consentgate/core/base/openssl.h"
#include "consentgate/core/base/text.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <stdexcept>
#include <utility>

namespace consentgate::core {

Secret::Secret(Secret&& other) noexcept : clear_(std::move(other.clear_)) { other.wipe(); }

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        wipe();
        clear_ = std::move(other.clear_);
        other.wipe();
    }
    return *this;
}

Secret::~Secret() { wipe(); }

// All the module there is: a short text that was moved away is still in the place it was moved
// from.
void Secret::wipe() noexcept {
    clear_.resize(clear_.capacity());
    OPENSSL_cleanse(clear_.data(), clear_.size());
    clear_.clear();
}

bool same_bytes(std::string_view left, std::string_view right) {
    return left.size() == right.size() &&
           CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

bool Digest::operator==(const Digest& other) const { return same_bytes(hex, other.hex); }

std::string sha256_bytes(std::string_view bytes) {
    std::string out(SHA256_DIGEST_LENGTH, '\0');
    // Made once: OpenSSL 3 otherwise looks the algorithm up anew for each digest, and makes it a
    // place to work in, for longer than the digest takes.
    static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    thread_local const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    if (!context || EVP_DigestInit_ex2(context.get(), method, nullptr) != 1 ||
        EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1 ||
        EVP_DigestFinal_ex(context.get(), bytes_of(out), nullptr) != 1) {
        throw std::runtime_error("SHA-256 failed");
    }
    return out;
}

Digest sha256(std::string_view bytes) { return Digest{to_hex(sha256_bytes(bytes))}; }

std::string hmac_sha256_bytes(const Secret& key, std::string_view message) {
    std::string out(SHA256_DIGEST_LENGTH, '\0');
    HMAC(
        EVP_sha256(), key.reveal().data(), static_cast<int>(key.reveal().size()), bytes_of(message),
        message.size(), bytes_of(out), nullptr);
    return out;
}

} // namespace consentgate::core
