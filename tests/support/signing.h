// Keys that tests make for themselves, and what is signed with them.
#pragma once

#include "consentgate/core/base/text.h"

#include <Poco/Crypto/ECKey.h>
#include <Poco/Crypto/RSAKey.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JWT/Signer.h>
#include <Poco/JWT/Token.h>
#include <Poco/SharedPtr.h>

#include <sstream>
#include <string>

namespace consentgate::tests {

class TestKey {
public:
    static TestKey rsa() {
        TestKey key;
        key.rsa_ = new Poco::Crypto::RSAKey(
            Poco::Crypto::RSAKey::KL_2048, Poco::Crypto::RSAKey::EXP_LARGE);
        return key;
    }
    static TestKey ec() {
        TestKey key;
        key.ec_ = new Poco::Crypto::ECKey("prime256v1");
        return key;
    }

    std::string sign(Poco::JWT::Token token, const std::string& algorithm) const {
        Poco::JWT::Signer signer;
        if (rsa_) signer.setRSAKey(rsa_);
        if (ec_) signer.setECKey(ec_);
        signer.setAlgorithms({algorithm});
        return signer.sign(token, algorithm);
    }

    std::string public_pem() const {
        std::ostringstream out;
        if (rsa_) rsa_->save(&out);
        if (ec_) ec_->save(&out);
        return out.str();
    }

    // A JSON Web Key Set of this one.
    std::string jwks() const {
        Poco::JSON::Object key;
        if (rsa_) {
            key.set("kty", "RSA")
                .set("n", number(rsa_->modulus()))
                .set("e", number(rsa_->encryptionExponent()));
        } else {
            const auto point = last_bytes(64);
            key.set("kty", "EC")
                .set("crv", "P-256")
                .set("x", core::to_base64url(point.substr(0, 32)))
                .set("y", core::to_base64url(point.substr(32)));
        }
        Poco::JSON::Array keys;
        keys.add(key);
        Poco::JSON::Object set;
        set.set("keys", keys);
        std::ostringstream out;
        set.stringify(out);
        return out.str();
    }

private:
    static std::string number(const std::vector<unsigned char>& bytes) {
        return core::to_base64url(std::string(bytes.begin(), bytes.end()));
    }

    // The public key's DER ends with a point on the curve.
    std::string last_bytes(std::size_t count) const {
        std::string base64;
        std::istringstream lines(public_pem());
        for (std::string line; std::getline(lines, line);) {
            if (!line.starts_with("-----")) base64 += line;
        }
        const auto der = core::from_base64(base64, core::Base64::standard).value();
        return der.substr(der.size() - count);
    }

    Poco::SharedPtr<Poco::Crypto::RSAKey> rsa_;
    Poco::SharedPtr<Poco::Crypto::ECKey> ec_;
};

} // namespace consentgate::tests
