// Linking a person's account at a service: to the service and back. spec: docs/http.md;
// docs/requirements.md S7
#pragma once

#include "consentgate/core/upstream/account_standing.h"
#include "consentgate/core/upstream/upstream.h"
#include "consentgate/usecase/consent.h"
#include "consentgate/usecase/rights.h"

#include <optional>
#include <string>
#include <vector>

namespace consentgate::usecase {

// One service as a person sees it.
struct ServiceView {
    core::Service service;
    std::optional<core::LinkedAccount> token{}; // absent: not connected
    bool connected = false;                     // false with a token: it must be connected anew
    core::Standing standing = core::Standing::not_connected;
};

// The services that this flow's person may use, by name, with the accounts that were linked in this
// flow, or before with the same virtual key or by the same verified user.
// in: rights  of that person
std::vector<ServiceView> list_flow_services(
    Dependencies& deps, const core::Flow& flow, const Rights& rights, core::Instant now);

// The same for a session.
std::vector<ServiceView> list_session_services(
    Dependencies& deps, const core::SessionView& view, core::Instant now);
// The same for a person who is signed in at a provider, with a session or without one.
std::vector<ServiceView> list_person_services(
    Dependencies& deps, const core::Identity& person, core::Instant now);

struct ConnectRequest {
    core::FlowId flow;
    core::ServiceId service;
    core::WhichAccount which = core::WhichAccount::any;
};

// Sends the person of a flow to a service. A person who wants another account gives up the linked
// one before, by disconnect_in_flow: many services end all that they gave a person here together,
// so nothing may be revoked once there is a new one.
// out:  the address there; carries a secret of this browser's
// fail: as open_flow; identity_required: the flow has none yet; unknown_service
core::Result<core::Secret> connect_in_flow(
    Dependencies& deps, const ConnectRequest& request, const BrowserContext& browser_context,
    core::Instant now);

// Ends the accounts that the person of a flow has at the service, of this flow and from before, and
// has the service revoke them.
// out:  the flow, for the audit; absent when there was nothing to end
// fail: as connect_in_flow
core::Result<std::optional<core::Flow>> disconnect_in_flow(
    Dependencies& deps, const ConnectRequest& request, const BrowserContext& browser_context,
    core::Instant now);

// Sends the person of a session to a service, as connect_in_flow does.
// in:   view  of a session that lives and is this person's: the caller made sure of it
//       browser  of the person, that is sent there
// fail: unknown_service
core::Result<core::Secret> connect_for_session(
    Dependencies& deps, const core::SessionView& view, const core::ServiceId& service,
    core::WhichAccount which, const core::Digest& browser, core::Instant now);

// A link to connect a service later, as it was handed to the person's client.
struct LinkRequest {
    core::ServiceId service;
    std::string link;
};

// The content of the page of a link, before we contact the service.
struct LinkView {
    core::Service service;
    core::SessionView session;
    core::Link link;
};
// fail: invalid_link, browser_mismatch, unknown_service; as check_principal
core::Result<LinkView> open_link(
    Dependencies& deps, const LinkRequest& request, const BrowserContext& browser_context,
    core::Instant now);
// Uses up the link and sends the person to the service. fail: as open_link
core::Result<core::Secret> follow_link(
    Dependencies& deps, const LinkRequest& request, const BrowserContext& browser_context,
    core::Instant now);

// The result of a person's return from a service.
enum class Connection { connected, refused, failed }; // refused: the person declined there
struct Returned {
    core::Service service;
    std::optional<core::FlowId> flow; // absent: they used a link
    Connection outcome = Connection::connected;
    std::string reason; // for the log
};
// in:   at  the service whose own address they came back to; absent: the shared one
// fail: invalid_upstream_state, browser_mismatch, service_unavailable: nothing was changed; as
//       open_flow when the flow is over; as check_principal
core::Result<Returned> finish_connect(
    Dependencies& deps, const core::CallbackParameters& sent,
    const std::optional<core::ServiceId>& at, const BrowserContext& browser_context,
    core::Instant now);

// The page on which a person pastes a key of a service that has no OAuth. They come to it as to
// another service's sign-in: with a state, which their browser was given.
// fail: invalid_upstream_state, browser_mismatch, unknown_service; as check_principal
core::Result<core::Service> open_key_page(
    Dependencies& deps, const core::Parameter& state, const BrowserContext& browser_context,
    core::Instant now);

// Tries the key once at the service, and seals it as the person's account there.
// out:  refused: the service refuses the key; failed: it says nothing about the key, and `reason`
//       why. Both use nothing up: the person may type again
// fail: as open_key_page; service_unavailable; as open_flow when the flow is over
core::Result<Returned> connect_by_key(
    Dependencies& deps, const core::Parameter& state, const core::Secret& typed,
    const BrowserContext& browser_context, core::Instant now);

} // namespace consentgate::usecase
