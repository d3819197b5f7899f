// Signing in at an identity provider: a person is sent there, comes back, and goes on.
// spec: OpenID Connect Core 3.1; docs/http_signin.md
#pragma once

#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/core/signin/signin_request.h"
#include "consentgate/core/signin/trial_report.h"
#include "consentgate/usecase/consent.h"
#include "consentgate/usecase/dependencies.h"

#include <optional>
#include <string>
#include <vector>

namespace consentgate::usecase {

// in:  cookie  digest of the browser's secret for it
// out: absent when it does not stand now
std::optional<core::SignedIn> find_signed_in(
    Dependencies& deps, const core::Digest& cookie, core::Instant now);

// The providers that people may sign in at, by id; none when the operator lets no such people in.
std::vector<core::IdentityProvider> offered_providers(Dependencies& deps);

struct SigninRequest {
    core::IdpId idp{};                    // empty: that of the flow's person
    std::optional<core::FlowId> flow{};   // absent: from the person's own page
    bool another = false;                 // they want another account than last time
    std::optional<core::Digest> cookie{}; // of the browser's sign-in before, ended or not
};

// Records that this browser was sent to the provider. The flow may be another person's, who then
// sign in, or make it theirs. out: the address at the provider
// fail: not_found: no such provider is offered; as open_flow, but another_user
core::Result<core::Secret> start_signin(
    Dependencies& deps, const SigninRequest& request, const BrowserContext& browser_context,
    core::Instant now);

struct SigninReturn {
    core::SigninOutcome outcome = core::SigninOutcome::failed;
    core::IdpId idp{};
    std::string title{};
    std::optional<core::Flow> flow{};         // that it was for, when it can go on
    std::string reason{};                     // for the log, where it did not work
    int retry_after = 0;                      // seconds, when the provider is away
    std::optional<core::Secret> cookie{};     // the new sign-in's
    std::optional<core::Person> person{};     // when the provider proved one
    std::optional<core::TrialReport> trial{}; // tried: what came
};

// in:   at      the provider whose own address the answer came to
//       before  the cookie of the browser's sign-in before
// fail: invalid_signin, browser_mismatch: nothing was asked, and the answer of the right browser
//       can still come; service_unavailable: as that, for want of a place
core::Result<SigninReturn> finish_signin(
    Dependencies& deps, const core::CallbackParameters& sent, const core::IdpId& at,
    const BrowserContext& browser_context, const std::optional<core::Digest>& before,
    core::Instant now);

// The flow becomes that of the person who is signed in in this browser.
// fail: as open_flow; identity_required: nobody is, or not in the way that the app wants;
//       identity_not_allowed
core::Result<core::FlowView> go_on_signed_in(
    Dependencies& deps, const core::FlowId& flow, const BrowserContext& browser_context,
    core::Instant now);

// Ends the sign-in of this browser. A flow of that person has nobody then.
// out: the sign-in that ended; absent: there was none
std::optional<core::SignedIn> sign_out(
    Dependencies& deps, const std::optional<core::FlowId>& flow,
    const BrowserContext& browser_context, core::Instant now);

// A person's sign-ins in other browsers that stand now.
std::vector<core::BrowserSignin> other_signins(
    Dependencies& deps, const core::SignedIn& signed_in, core::Instant now);

// Where the person ends their sign-in at the provider itself, and comes back from to their own
// page.
// spec: OpenID Connect RP-Initiated Logout 2
std::string sign_out_url(Dependencies& deps, const core::IdentityProvider& idp);

// Ends another browser's sign-in of the same person. no: it had ended before
// fail: not_found: nobody is signed in here, or it is not one of theirs
core::Result<store::Applied> sign_out_there(
    Dependencies& deps, const core::SigninId& id, const BrowserContext& browser_context,
    core::Instant now);

} // namespace consentgate::usecase
