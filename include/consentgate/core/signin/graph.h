// Microsoft Graph, which names all groups of a person where a token of Entra leaves them out. The
// shapes are known from its documentation alone.
// spec: docs/requirements_signin.md SI55
#pragma once

#include "consentgate/core/signin/group_pages.h"

#include <string>

namespace consentgate::core {

// The scope without which it tells nothing.
inline constexpr const char* graph_scope = "User.Read";

// The first page of a person's groups, as GUIDs. The address follows from the provider's issuer,
// and never from what a token says (`_claim_sources`), because it gets the person's token.
// out: empty: this issuer is no cloud of Microsoft's, nor a program of this machine
std::string graph_groups_url(const std::string& issuer);

// The person's token leaves out their groups, and the operator wants them asked for.
bool needs_graph(const PersonClaims& claims, const IdentityProvider& provider);

// fail: service_unavailable, access_denied: the groups are unknown
Result<GroupPage> read_graph_groups(const ServiceReply& reply, const std::string& asked);

} // namespace consentgate::core
