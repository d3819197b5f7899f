// The rules for every JWT that we read: bearers of operators and assertions of clients. Private to
// this module.
// spec: RFC 7515, RFC 7519, RFC 8725
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/base/secret.h"
#include "consentgate/core/base/time.h"

#include <Poco/JWT/Signer.h>
#include <Poco/JWT/Token.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace consentgate::core::jwt {

// in:   algorithm  HS256, RS256 or ES256, the only one the key may be used with: no algorithm
//       confusion
//       material   shared secret, or PEM public key
// fail: throws std::invalid_argument, Poco::Exception (whose text may quote the key)
std::unique_ptr<Poco::JWT::Signer> signer_for(const std::string& algorithm, const Secret& material);

// Three parts of base64url without padding (RFC 7515 section 7.1). Poco would forgive padding and a
// fourth part.
bool compact(const std::string& text);

// False for what does not verify, and for what asks for an extension (RFC 7515 section 4.1.11). The
// text is compact.
bool verified(
    const Poco::JWT::Signer& signer, const std::string& algorithm, const std::string& text,
    Poco::JWT::Token& token);

// RFC 7519 section 4.1: numbers of seconds; anything else, a date far outside included, is none.
std::optional<double> numeric_date(const Poco::JSON::Object& claims, const std::string& name);

// aud, which is one text or an array; anything else in it is an empty text.
std::vector<std::string> audiences(const Poco::JSON::Object& claims);

// Empty when it is no text that a database takes: Poco lets NUL through.
std::string text_claim(const Poco::JSON::Object& claims, const std::string& name);

// exp is there and not over, and nbf is not to come. fail: invalid_bearer, the reason in the log
// detail
Checked check_dates(const Poco::JSON::Object& claims, Instant now);

} // namespace consentgate::core::jwt
