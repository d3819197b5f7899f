// One consent, from the first page to the redirect. spec: contract sections 1 and 3
#pragma once

#include "consentgate/core/base/form.h"
#include "consentgate/usecase/dependencies.h"

#include <optional>
#include <string>

namespace consentgate::usecase {

// Whoever is acting: the browser's cookie and its digest (absent when there is none), for submit
// only the Authorization header, and whom the web server says it has signed in (absent when it says
// nothing).
struct BrowserContext {
    std::optional<core::Digest> browser;
    std::optional<std::string> authorization;
    std::optional<core::Secret> secret{};
    std::optional<std::string> remote_user{};
};

// The open flow a page or form is about.
// fail: missing_flow_id, invalid_flow, browser_mismatch, flow_expired, flow_already_submitted; as
//       check_principal
core::Result<store::FlowView> open_flow(
    Dependencies& deps, const core::Form& form, const BrowserContext& browser_context,
    core::Instant now);

// The three ways to say who one is. Each answers with the flow as it was before.
// fail: as open_flow; invalid_virtual_key, invalid_user_id, identity_required; invalid_request when
//       the web server says who one is
core::Result<store::FlowView> choose_virtual_key(
    Dependencies& deps, const core::Form& form, const BrowserContext& browser_context,
    core::Instant now);
core::Result<store::FlowView> choose_user_id(
    Dependencies& deps, const core::Form& form, const BrowserContext& browser_context,
    core::Instant now);
core::Result<store::FlowView> skip_identity(
    Dependencies& deps, const core::Form& form, const BrowserContext& browser_context,
    core::Instant now);

struct Submitted {
    core::Secret location; // where the browser goes; carries the code
    core::Session session; // for the log
    bool by_admin = false; // an admin's bearer stood in for the cookie
    std::string admin;     // the subject of that bearer
};

// Finishes: one transaction, all or nothing. A sign-in that this browser has finished is refused,
// and the error knows the way on while the code it gave is still unused (U14).
// fail: as open_flow; invalid_bearer, identity_required
core::Result<Submitted> submit_consent(
    Dependencies& deps, const core::Form& form, const BrowserContext& browser_context,
    core::Instant now);

// Finishes a flow that has just begun without asking, where the person consented to it before.
// out:  absent when they must be asked
// in:   query  of the authorization request: prompt=consent asks always
std::optional<Submitted> reuse_consent(
    Dependencies& deps, const core::Flow& flow, const core::Form& query,
    const core::Secret& browser, core::Instant now);

// Refuses: the flow and its half-made upstream tokens are deleted. out: where the browser goes
core::Result<std::string> deny_consent(
    Dependencies& deps, const core::Form& form, const BrowserContext& browser_context,
    core::Instant now);

} // namespace consentgate::usecase
