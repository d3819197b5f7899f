// Reads what registrations and client documents say in the same members, by one rule: this server
// drops what it cannot use, and refuses only what leaves a client nothing to work with. Private to
// this module.
// spec: RFC 7591 section 2; docs/requirements.md XE6
#pragma once

#include "consentgate/core/base/json.h"
#include "consentgate/core/oauth/policy.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

// in: param  the member that is wrong
Error metadata_error(const std::string& message, const std::string& param);

struct RedirectUris {
    std::vector<std::string> kept; // each once, in their order
    bool dropped = false;          // others stood beside them
};

// in:   limit  how many may be kept; any number of others may stand beside them
//       check  whether one can be kept
// fail: invalid_redirect_uri
Result<RedirectUris> read_redirect_uris(
    const JsonObject& from, std::size_t limit,
    const std::function<Checked(const std::string&)>& check);

// Empty when there is none that a person would see. fail: invalid_client_metadata
Result<std::string> read_client_name(const JsonObject& from);

// The list must hold `needed` when it is there at all; everything else in it is dropped.
// fail: invalid_client_metadata. spec: docs/requirements.md R14, R29
Checked check_list(const JsonObject& from, const std::string& member, const std::string& needed);

bool lists_refresh(const JsonObject& from); // among its grants

// out:  those of its scopes that the catalogue has
// fail: invalid_client_metadata
Result<std::string> read_scope(const JsonObject& from, const Policy& policy);

// Members that are kept to be given back or shown and that nothing is decided by; those that cannot
// be kept are left out.
JsonObject read_decorations(const JsonObject& from);
inline constexpr const char* application_type = "application_type"; // a decoration

} // namespace consentgate::core
