// The addresses that a client gives people to read: about itself, its terms, its privacy policy.
#pragma once

#include "consentgate/core/base/ids.h"

#include <string>

namespace consentgate::core {

// Each is an address of the web, or empty.
struct ClientLinks {
    std::string about, terms, privacy;
};

// A client that nobody checked could borrow trust from the site of another, so its links count only
// on a host that is proven to be its own: of its document, or of its https redirect URI. An
// operator vouches for the links of a client of theirs.
// in:   metadata      of the client, a JSON object
//       redirect_uri  where this consent ends
// spec: RFC 7591 section 5; docs/requirements.md XG3
struct ClientSelf {
    ClientId id;
    std::string metadata;
    std::string redirect_uri;
    bool by_operator = false;
};
ClientLinks client_links(const ClientSelf& client);

} // namespace consentgate::core
