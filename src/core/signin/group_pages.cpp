#include "consentgate/core/signin/group_pages.h"

#include "group_claims.h"
#include "provider_reply.h"

#include "consentgate/core/base/uri.h"
#include "consentgate/core/signin/identity_provider.h"

namespace consentgate::core {

Result<std::string> following_page(const std::string& asked, const std::string& next) {
    if (next.empty()) return std::string();
    const auto parts = split_uri(next);
    if (!parts || parts->has_userinfo || origin_of(next) != origin_of(asked))
        return bad_answer("next", "the next page of groups is at another origin");
    return next;
}

void apply_asked_groups(
    PersonClaims& claims, const std::optional<std::vector<std::string>>& names,
    const IdentityProvider& provider) {
    claims.groups.clear();
    claims.groups_known = false;
    if (!names) return;
    const auto list = json_array(*names);
    auto read = read_groups(&list, provider);
    claims.groups_sent = true;
    claims.groups_known = read.known;
    claims.groups_dropped = read.dropped;
    claims.groups = std::move(read.groups);
}

} // namespace consentgate::core
