#include "consentgate/core/base/aead.h"

#include "consentgate/core/base/openssl.h"

#include <openssl/evp.h>

#include <stdexcept>

namespace consentgate::core {
namespace {

constexpr std::size_t tag_bytes = 16;

using Context = Owned<EVP_CIPHER_CTX>;

const EVP_CIPHER* method() {
    static const EVP_CIPHER* const fetched = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    return fetched;
}

int length(std::string_view text) { return static_cast<int>(text.size()); }

} // namespace

std::string associated_data(std::string_view table, std::string_view row, std::string_view column) {
    std::string place;
    for (const auto part : {table, row, column})
        place.append(part).push_back('\n'); // none of them holds one
    return place;
}

std::string seal(
    const Keyring& keyring, const KeyId& key, std::string_view nonce, const std::string& place,
    const Secret& clear) {
    const auto bytes = keyring.encryption_key(key);
    if (!bytes || nonce.size() != nonce_bytes)
        throw std::logic_error("a secret was to be encrypted without a key");
    const auto& text = clear.reveal();
    std::string sealed(text.size(), '\0');
    std::string tag(tag_bytes, '\0');
    int written = 0;
    const Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    const bool done =
        context &&
        EVP_EncryptInit_ex2(
            context.get(), method(), bytes_of(bytes->reveal()), bytes_of(nonce), nullptr) == 1 &&
        EVP_EncryptUpdate(context.get(), nullptr, &written, bytes_of(place), length(place)) == 1 &&
        EVP_EncryptUpdate(
            context.get(), bytes_of(sealed), &written, bytes_of(text), length(text)) == 1 &&
        EVP_EncryptFinal_ex(context.get(), bytes_of(sealed) + written, &written) == 1 &&
        EVP_CIPHER_CTX_ctrl(
            context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag_bytes), tag.data()) == 1;
    if (!done) throw std::runtime_error("encryption failed");
    return std::string(nonce) + sealed + tag;
}

std::optional<Secret> unseal(
    const Keyring& keyring, const KeyId& key, std::string_view sealed, const std::string& place) {
    const auto bytes = keyring.encryption_key(key);
    if (!bytes || sealed.size() < nonce_bytes + tag_bytes) return std::nullopt;
    const auto nonce = sealed.substr(0, nonce_bytes);
    const auto body = sealed.substr(nonce_bytes, sealed.size() - nonce_bytes - tag_bytes);
    std::string tag(sealed.substr(sealed.size() - tag_bytes));
    std::string clear(body.size(), '\0');
    int written = 0;
    const Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    const bool done =
        context &&
        EVP_DecryptInit_ex2(
            context.get(), method(), bytes_of(bytes->reveal()), bytes_of(nonce), nullptr) == 1 &&
        EVP_DecryptUpdate(context.get(), nullptr, &written, bytes_of(place), length(place)) == 1 &&
        EVP_DecryptUpdate(context.get(), bytes_of(clear), &written, bytes_of(body), length(body)) ==
            1 &&
        EVP_CIPHER_CTX_ctrl(
            context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag_bytes), tag.data()) == 1 &&
        EVP_DecryptFinal_ex(context.get(), bytes_of(clear) + written, &written) == 1;
    Secret opened(std::move(clear)); // wiped, when it is not what was sealed
    if (!done) return std::nullopt;
    return opened;
}

} // namespace consentgate::core
