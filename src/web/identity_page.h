// Page 1: the ways to say who one is. Private to this module.
#pragma once

#include "consentgate/core/base/form.h"
#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/usecase/consent.h"
#include "consentgate/web/context.h"

#include <string_view>
#include <vector>

namespace consentgate::web {

// The ways that are offered, of which one is open: that of the mistake, or else the most
// trustworthy, which is to sign in at a provider where there is one.
// in: keys  rules let some key in
void show_ways(
    View& view, std::string_view mistake, bool signs_in, bool keys, const core::Policy& policy);

// The mistake that led back to page 1, of a closed set; no other text is shown.
std::string_view show_mistake(
    View& view, const core::Form& query, const std::vector<core::IdentityProvider>& providers);

// The operator wants people to go straight to the provider where there is no other way in.
bool goes_straight(
    const std::vector<core::IdentityProvider>& providers, const core::Form& query,
    const usecase::BrowserContext& browser_context, const core::Policy& policy);

} // namespace consentgate::web
