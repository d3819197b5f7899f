// The key of a client's rows; private to this module. An id that fits is its own key. A longer one,
// the URL of a document, has the digest of its text as key, and the text stands beside it in a
// column of its own.
#pragma once

#include "consentgate/core/base/ids.h"
#include "consentgate/core/base/secret.h"
#include "consentgate/core/base/text.h"

#include <string>
#include <string_view>

namespace consentgate::store {

inline constexpr std::string_view digest_key = "cgd_"; // begins the keys that are no ids

// An id that looks like such a key is not its own: whoever sends the key of a URL is not that
// client.
inline bool is_own_key(const core::ClientId& id) {
    return id.text.size() <= core::max_id_bytes && !id.text.starts_with(digest_key);
}

inline std::string client_key(const core::ClientId& id) {
    if (is_own_key(id)) return id.text;
    return std::string(digest_key) + core::to_base64url(core::sha256_bytes(id.text));
}

} // namespace consentgate::store
