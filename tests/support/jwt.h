// Signed tokens, made by Poco's signer and, for what it will not make, by hand.
#pragma once

#include "samples.h"

#include <Poco/Crypto/ECKey.h>
#include <Poco/Crypto/RSAKey.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/JWT/Signer.h>
#include <Poco/JWT/Token.h>

#include <sstream>
#include <string>

namespace consentgate::tests {

inline const std::string hmac_secret = "a shared secret of 32 bytes, yes";

// One key pair a process, because RSA keys take long to make.
inline Poco::Crypto::RSAKey& rsa_pair() {
    static Poco::Crypto::RSAKey key(Poco::Crypto::RSAKey::KL_2048, Poco::Crypto::RSAKey::EXP_LARGE);
    return key;
}

inline Poco::Crypto::ECKey& ec_pair() {
    static Poco::Crypto::ECKey key("prime256v1");
    return key;
}

template <class Pair> std::string public_pem(const Pair& pair) {
    std::ostringstream pem;
    pair.save(&pem);
    return pem.str();
}

inline core::BearerKey hs256_key() { return {"HS256", core::Secret(hmac_secret)}; }
inline core::BearerKey rs256_key() { return {"RS256", core::Secret(public_pem(rsa_pair()))}; }
inline core::BearerKey es256_key() { return {"ES256", core::Secret(public_pem(ec_pair()))}; }

// The claims as JSON text, signed under the algorithm.
inline core::Secret sign(
    const std::string& claims, const std::string& algorithm = "HS256",
    const std::string& secret = hmac_secret) {
    Poco::JWT::Token token;
    token.setType("JWT");
    const auto object = Poco::JSON::Parser().parse(claims).extract<Poco::JSON::Object::Ptr>();
    for (const auto& [name, value] : *object) token.payload().set(name, value);
    Poco::JWT::Signer signer;
    signer.setHMACKey(secret);
    if (algorithm.starts_with("RS")) signer.setRSAKey(new Poco::Crypto::RSAKey(rsa_pair()));
    if (algorithm.starts_with("ES")) signer.setECKey(new Poco::Crypto::ECKey(ec_pair()));
    signer.addAllAlgorithms();
    return core::Secret(signer.sign(token, algorithm));
}

// Any header and payload, HMAC-signed under any key, so that a case can lie about everything.
inline core::Secret forge(
    const std::string& header, const std::string& payload,
    const std::string& secret = hmac_secret) {
    const auto signed_part = core::to_base64url(header) + "." + core::to_base64url(payload);
    return core::Secret(
        signed_part + "." +
        core::to_base64url(core::hmac_sha256_bytes(core::Secret(secret), signed_part)));
}

inline std::string in_an_hour() { return std::to_string(core::epoch(noon) + 3600); }

} // namespace consentgate::tests
