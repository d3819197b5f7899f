// The parts of pages about signing in at an identity provider. Private to this module.
#pragma once

#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/core/signin/trial_report.h"
#include "consentgate/usecase/consent.h"
#include "consentgate/usecase/rights.h"
#include "consentgate/web/answer.h"
#include "consentgate/web/context.h"

#include <optional>
#include <vector>

namespace consentgate::web {

// The address that sends a browser to the provider.
std::string signin_url(
    const core::IdpId& idp, const std::optional<core::FlowId>& flow, bool another = false);

// Shows the operator what came of a sign-in on trial.
Reply trial_page(
    const core::TrialReport& report, const std::string& idp_title, const Request& request,
    const WebContext& context);

// A button for each provider. in: flow  that the person signs in for; absent: none
void show_providers(
    View& view, const std::vector<core::IdentityProvider>& providers,
    const std::optional<core::FlowId>& flow);

// The person who is signed in in this browser, where somebody is.
void show_signed_in(View& view, const std::optional<core::SignedIn>& signed_in);

// Page 1: who is signed in, and the providers. out: whether there is such a way in
bool show_signin_ways(
    View& view, const core::Flow& flow, const std::vector<core::IdentityProvider>& providers,
    const std::optional<core::SignedIn>& signed_in, core::Instant now);

// In place of Finish, where rules or the app want another proof: the person signs in again, or says
// who they are at another provider, or reads that neither helps.
void show_needed_proof(
    View& view, const usecase::PermittedFlow& permitted,
    const std::optional<core::SignedIn>& signed_in, WebContext& context, core::Instant now);

} // namespace consentgate::web
