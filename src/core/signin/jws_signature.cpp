#include "jws_signature.h"

#include "consentgate/core/base/openssl.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>

namespace consentgate::core::jws {
namespace {

// r and s one behind the other; empty: it is no such signature.
std::string both_numbers(const std::string& der) {
    const auto* in = bytes_of(der);
    const Owned<ECDSA_SIG> pair(
        d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size())), ECDSA_SIG_free);
    std::string both(2 * p256_coordinate, '\0');
    auto* out = bytes_of(both);
    const bool written =
        pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out, p256_coordinate) > 0 &&
        BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out + p256_coordinate, p256_coordinate) > 0;
    return written ? both : std::string();
}

} // namespace

std::string signature_by(EVP_PKEY* key, std::string_view text) {
    const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)), '\0');
    auto length = signature.size();
    const bool made =
        context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
        EVP_DigestSign(context.get(), bytes_of(signature), &length, bytes_of(text), text.size()) ==
            1;
    ERR_clear_error(); // else the next use of OpenSSL would report ours
    if (!made) return {};
    signature.resize(length);
    return EVP_PKEY_is_a(key, "EC") == 1 ? both_numbers(signature) : signature;
}

} // namespace consentgate::core::jws
