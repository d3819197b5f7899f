// Which groups a claim names. Private to this folder. spec: docs/requirements_signin.md SI53, SI55
#pragma once

#include "consentgate/core/base/json.h"
#include "consentgate/core/signin/identity_provider.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

struct NamedGroups {
    std::vector<std::string> groups{}; // sorted, each once
    bool known = true;                 // false: too many, cut, or of a shape that says nothing
    bool sent = false;
    std::size_t dropped = 0; // entries that are no group's name
};

// The names, within what is kept of one person. in: names  null: an entry without one
NamedGroups read_group_names(const std::vector<const std::string*>& names);

// in: claim  null: it was not sent
NamedGroups read_groups(const Json* claim, const IdentityProvider& provider);

// The provider has more groups to name than it puts into a token.
// spec: OpenID Connect Core 5.6.2
bool groups_are_elsewhere(const JsonObject& claims, const IdentityProvider& provider);

// The top-level member in which a claim is found (find_claim).
std::string claim_member(std::string_view name);

} // namespace consentgate::core
