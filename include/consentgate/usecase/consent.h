// One consent, from the first page to the redirect. spec: docs/http.md
#pragma once

#include "consentgate/core/oauth/authorize.h"
#include "consentgate/core/oauth/consent.h"
#include "consentgate/core/oauth/verified_user.h"
#include "consentgate/core/signin/browser_signin.h"
#include "consentgate/usecase/dependencies.h"

#include <optional>
#include <string>

namespace consentgate::usecase {

// The browser that a request comes from, and the person who is signed in there, by the web server
// or at an identity provider.
struct BrowserContext {
    std::optional<core::Digest> browser;       // digest of the browser's secret
    std::optional<core::Secret> secret{};      // of its cookie
    std::optional<std::string> remote_user{};  // absent: the web server names none
    std::optional<core::SignedIn> signed_in{}; // that stands now; absent: none

    core::ProvenUser proven_user() const {
        return {remote_user, signed_in ? std::optional(signed_in->identity()) : std::nullopt};
    }
};

// How often the rules are applied again because the flow changed meanwhile. A person cannot change
// a flow that often within one request; a script that does gets 503.
inline constexpr int max_flow_attempts = 5;
core::Error flow_kept_changing();

// The open flow of a page or form.
// fail: invalid_flow, browser_mismatch, flow_expired, flow_already_submitted; as check_principal
core::Result<core::FlowView> open_flow(
    Dependencies& deps, const core::FlowId& flow, const BrowserContext& browser_context,
    core::Instant now);

// The three ways to say who one is. Each answers with the flow as it was before.
// fail: as open_flow; invalid_virtual_key, invalid_user_id; identity_required and
//       identity_not_allowed when the operator does not let such people in; invalid_request when
//       the web server names the person
core::Result<core::FlowView> choose_virtual_key(
    Dependencies& deps, const core::FlowId& flow, const core::Secret& typed,
    const BrowserContext& browser_context, core::Instant now);
core::Result<core::FlowView> choose_user_id(
    Dependencies& deps, const core::FlowId& flow, const std::optional<std::string>& typed,
    const BrowserContext& browser_context, core::Instant now);
core::Result<core::FlowView> skip_identity(
    Dependencies& deps, const core::FlowId& flow, const BrowserContext& browser_context,
    core::Instant now);

// The person says which resource the app may use, where the client named none of several.
// out:  the flow as it is now
// fail: as open_flow; as core::choose_resource
core::Result<core::FlowView> choose_resource(
    Dependencies& deps, const core::FlowId& flow, const std::optional<std::string>& named,
    const BrowserContext& browser_context, core::Instant now);

struct SubmitRequest {
    core::FlowId flow;
    std::optional<core::Secret> bearer{}; // a virtual key, or a JWT that names one or an admin
};

struct Submitted {
    core::Secret location; // where the browser goes; carries the code
    core::Session session; // for the log
    bool by_admin = false; // an admin's bearer stood in for the cookie
    std::string admin{};   // the subject of that bearer
};

// Finishes the flow in one transaction. A flow that this browser has finished before is refused;
// the error holds the address of the client as long as its code is unused (U14).
// fail: as open_flow; invalid_bearer, resource_required, identity_required, identity_not_allowed
core::Result<Submitted> submit_consent(
    Dependencies& deps, const SubmitRequest& request, const BrowserContext& browser_context,
    core::Instant now);

// The session of an earlier consent to the same, which the person may give again with one button.
// out:  absent when they must be asked everything
std::optional<core::SessionView> recall_consent(
    Dependencies& deps, const core::Flow& flow, core::Instant now);

// Finishes the flow as the earlier consent was finished: the person has seen it, and pressed.
// fail: as open_flow, with the address of the client as submit_consent has it; resource_required;
//       identity_required when there is no such consent any more
core::Result<Submitted> reuse_consent(
    Dependencies& deps, const core::FlowId& flow, const BrowserContext& browser_context,
    core::Instant now);

struct Denied {
    std::string location; // where the browser goes
    core::Flow flow;      // as it was
};

// Refuses: the flow is over, and its half-made upstream tokens are ended.
core::Result<Denied> deny_consent(
    Dependencies& deps, const core::FlowId& flow, const BrowserContext& browser_context,
    core::Instant now);

// A consent that is over, for the page that leads the person back to the app.
struct Ending {
    bool denied = false;
    core::ClientId client_id{};
    std::string client_name{};
    std::string redirect_uri{};
    // Where the app waits, with the code or the denial. Absent when it had its answer or the time
    // for it is over.
    std::optional<core::Secret> location{};
};

// in:   browser_context  whose secret makes the code again, as it did at the first time
// out:  absent while the flow is open
// fail: as open_flow, but flow_already_submitted
// spec: docs/requirements.md XE2
core::Result<std::optional<Ending>> find_ending(
    Dependencies& deps, const core::FlowId& flow, const BrowserContext& browser_context,
    core::Instant now);

} // namespace consentgate::usecase
