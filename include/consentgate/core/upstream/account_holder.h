// Whose account it is at the service, where the service tells with its tokens. It came over TLS
// from the token endpoint, so that an id_token needs no check of its signature (OpenID Connect Core
// section 3.1.3.7). People read the name; the id says whether two accounts are one.
// spec: docs/services.md Accounts
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace consentgate::core {

struct AccountHolder {
    std::string id_hash; // of the service's own id of them: 64 hexadecimal characters
    std::string name;    // UTF-8, at most 80 characters; empty: it gave only the id
};

// in:  reply  the body of an answer with tokens
// out: absent when the service does not tell
std::optional<AccountHolder> holder_in(std::string_view reply);

} // namespace consentgate::core
