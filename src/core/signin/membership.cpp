#include "consentgate/core/signin/membership.h"

#include <algorithm>

namespace consentgate::core {

Checked check_membership(const IdentityProvider& provider, const Person& person) {
    const auto& allowed = provider.domains; // of Google alone they are no groups
    if (allowed.empty() || provider.kind == ProviderKind::google) return Nothing{};
    const auto& groups = person.groups;
    const bool member = std::any_of(allowed.begin(), allowed.end(), [&](const auto& group) {
        return std::binary_search(groups.begin(), groups.end(), group);
    });
    if (person.groups_known && member) return Nothing{};
    return make_error(
        ErrorCode::access_refused, PublicMessage{"this server does not let this account in"},
        LogDetail{person.groups_known ? "in no group of --member-of" : "the groups are unknown"},
        {}, RefusedAccount{.groups_unknown = !person.groups_known});
}

} // namespace consentgate::core
