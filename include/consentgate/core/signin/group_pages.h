// Groups that a provider names in a list of its own, page after page, and not in a token.
// spec: docs/requirements_signin.md SI46, SI55
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/signin/person_claims.h"
#include "consentgate/core/upstream/upstream.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

inline constexpr std::size_t max_group_pages = 20;
inline constexpr Span group_pages_time{5}; // for all of them together

struct GroupPage {
    std::vector<std::string> names;
    std::string next{}; // where the next page is; empty: this is the last
};

// The address of a following page. It gets the person's token, so it is refused unless it is of the
// origin that was asked. Its path is the provider's matter: both change it between two pages.
// fail: access_denied
Result<std::string> following_page(const std::string& asked, const std::string& next);

// The claims with groups that were asked for. in: names  absent: they did not come, or not whole
void apply_asked_groups(
    PersonClaims& claims, const std::optional<std::vector<std::string>>& names,
    const IdentityProvider& provider);

} // namespace consentgate::core
