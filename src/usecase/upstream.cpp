#include "consentgate/usecase/upstream.h"

#include "client_refusal.h"
#include "service_call.h"
#include "token_call.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/core/oauth/admission.h"
#include "consentgate/core/oauth/verified_user.h"
#include "consentgate/core/upstream/service_discovery.h"
#include "consentgate/core/upstream/service_options.h"
#include "consentgate/usecase/rights.h"
#include "consentgate/usecase/upstream_revocation.h"

#include <algorithm>

namespace consentgate::usecase {
namespace {

using core::ErrorCode;
using store::Applied;

std::optional<core::VirtualKey> virtual_key_of(Dependencies& deps, const core::Identity& identity) {
    const auto key = identity.virtual_key();
    return key ? deps.store.virtual_keys.find(*key) : std::nullopt;
}

// in: owners  the later ones give way to the earlier ones
std::vector<ServiceView> list_services(
    Dependencies& deps, const Rights& rights, const std::optional<core::VirtualKey>& key,
    const std::vector<core::Owner>& owners, core::Instant now) {
    std::vector<core::LinkedAccount> tokens;
    for (const auto& owner : owners) {
        auto of_owner = deps.store.accounts.list(owner);
        tokens.insert(
            tokens.end(), std::make_move_iterator(of_owner.begin()),
            std::make_move_iterator(of_owner.end()));
    }
    std::vector<ServiceView> views;
    for (auto& service : deps.store.services.list()) {
        if (!core::authorize_service(service, rights.identity, key, now)) continue;
        if (!rights.may_use_service(service.id)) continue;
        ServiceView view{.service = std::move(service)};
        const auto token = std::find_if(tokens.begin(), tokens.end(), [&](const auto& one) {
            return one.service == view.service.id;
        });
        if (token != tokens.end()) view.token = *token;
        const bool rests = deps.rests && deps.rests->rest_of(view.service.id, now);
        view.standing = core::standing_of(view.token, rests, now);
        view.connected = view.token && view.standing != core::Standing::needs_person;
        views.push_back(std::move(view));
    }
    std::sort(views.begin(), views.end(), [](const auto& left, const auto& right) {
        return left.service.name < right.service.name;
    });
    return views;
}

// A service that this person may connect.
// fail: as core::authorize_service; access_refused: a rule refuses them the service, or the
//       resource that it is connected for
core::Result<core::Service> find_service(
    Dependencies& deps, const core::ServiceId& id, const Rights& rights,
    const std::optional<core::VirtualKey>& key, const std::string& resource, core::Instant now) {
    auto may = resource.empty() ? rights.check_sign_in() : rights.check_resource(resource);
    if (may) may = rights.check_service(id);
    if (!may) return name_refused(deps, std::move(may).error(), rights);
    return core::authorize_service(deps.store.services.find(id), rights.identity, key, now);
}

core::Result<core::Service> find_service_of_session(
    Dependencies& deps, const core::ServiceId& id, const core::SessionView& view,
    core::Instant now) {
    const auto& session = view.session;
    return find_service(
        deps, id, rights_of(deps, session.identity, view.standing), view.virtual_key,
        session.resource, now);
}

// A flow's person has the accounts that were linked in it, and those from before.
std::vector<core::Owner> owners_of(const core::Flow& flow) {
    std::vector<core::Owner> owners{core::Owner::of(flow.id)};
    if (flow.identity.is_lasting()) owners.push_back(flow.identity.owner(core::SessionId()));
    return owners;
}

// A service that the person of a flow may use, and the flow.
struct Choice {
    core::FlowView view;
    core::Service service;
};
// fail: as connect_in_flow
core::Result<Choice> find_choice(
    Dependencies& deps, const ConnectRequest& request, const BrowserContext& browser_context,
    core::Instant now) {
    auto view = open_flow(deps, request.flow, browser_context, now);
    if (!view) return view.error();
    const auto& identity = view->flow.identity;
    if (!identity.is_chosen())
        return core::make_error(
            ErrorCode::identity_required, core::PublicMessage{"say who you are first"});
    if (auto admitted = core::check_admitted(identity, deps.policy); !admitted)
        return admitted.error();
    const auto rights = rights_in(deps, *view, identity);
    auto service = find_service(
        deps, request.service, rights, virtual_key_of(deps, identity), view->flow.resource, now);
    if (!service) return service.error();
    return Choice{std::move(*view), std::move(*service)};
}

// Records that this browser was sent to the service, and for which flow or session.
core::Secret begin_upstream_authorization(
    Dependencies& deps, const core::Service& service, const core::Digest& browser,
    std::optional<core::FlowId> flow, std::optional<core::SessionId> session,
    core::WhichAccount which, core::Instant now) {
    const auto state = deps.random.secret();
    const auto verifier = deps.random.secret();
    core::UpstreamState row;
    row.state = core::sha256(state);
    row.browser = browser;
    row.service = service.id;
    row.flow = std::move(flow);
    row.session = std::move(session);
    row.verifier = seal(deps, row.verifier_aad(), verifier);
    row.key_id = deps.keyring.newest();
    row.expires_at = now + core::upstream_state_lifetime;
    row.callback = service.callback;
    row.registration = service.registration_id;
    deps.store.upstream_states.put(row);
    return core::upstream_authorize_url(service, state, verifier, deps.policy, which);
}

// A service that no longer knows our client shows the person a page of its own and redirects nobody
// back. So when a person goes there once more, we ask it whether it knows us. One who presses the
// button some times in a row is one whose service said so once.
core::Service still_known(
    Dependencies& deps, const core::Service& service, const core::Digest& browser,
    core::Instant now) {
    if (service.registration != core::Registration::dynamic ||
        !deps.store.upstream_states.has(browser, service.id))
        return service;
    const auto place = deps.enter(sys::PlaceKind::registration, service.token_endpoint);
    if (!place) return service;
    ServiceTurn turn(deps, service, browser.hex);
    const auto reply = ask_whether_known(deps, turn, service);
    if (reply.tokens || reply.error != core::UpstreamError::client_refused) return service;
    follow_client_refusal(deps, turn, service, now);
    return deps.store.services.find(service.id).value_or(service);
}

} // namespace

std::vector<ServiceView> list_flow_services(
    Dependencies& deps, const core::Flow& flow, const Rights& rights, core::Instant now) {
    return list_services(deps, rights, virtual_key_of(deps, flow.identity), owners_of(flow), now);
}

std::vector<ServiceView> list_session_services(
    Dependencies& deps, const core::SessionView& view, core::Instant now) {
    const auto& session = view.session;
    return list_services(
        deps, rights_of(deps, session.identity, view.standing), view.virtual_key,
        {session.identity.owner(session.id)}, now);
}

std::vector<ServiceView> list_person_services(
    Dependencies& deps, const core::Identity& person, core::Instant now) {
    return list_services(
        deps, rights_now(deps, person), std::nullopt, {person.owner(core::SessionId())}, now);
}

core::Result<core::Secret> connect_in_flow(
    Dependencies& deps, const ConnectRequest& request, const BrowserContext& browser_context,
    core::Instant now) {
    const auto found = find_choice(deps, request, browser_context, now);
    if (!found) return found.error();
    const auto& flow = found->view.flow;
    return begin_upstream_authorization(
        deps, still_known(deps, found->service, flow.browser, now), flow.browser, flow.id,
        std::nullopt, request.which, now);
}

core::Result<std::optional<core::Flow>> disconnect_in_flow(
    Dependencies& deps, const ConnectRequest& request, const BrowserContext& browser_context,
    core::Instant now) {
    const auto found = find_choice(deps, request, browser_context, now);
    if (!found) return found.error();
    std::optional<core::Flow> ended;
    for (const auto& owner : owners_of(found->view.flow)) {
        const auto account = deps.store.accounts.find(owner, request.service);
        if (!account) continue;
        disconnect(deps, *account, now);
        ended = found->view.flow;
    }
    return ended;
}

core::Result<core::Secret> connect_for_session(
    Dependencies& deps, const core::SessionView& view, const core::ServiceId& service,
    core::WhichAccount which, const core::Digest& browser, core::Instant now) {
    const auto& session = view.session;
    const auto found = find_service_of_session(deps, service, view, now);
    if (!found) return found.error();
    return begin_upstream_authorization(
        deps, still_known(deps, *found, browser, now), browser, std::nullopt, session.id, which,
        now);
}

core::Result<LinkView> open_link(
    Dependencies& deps, const LinkRequest& request, const BrowserContext& browser_context,
    core::Instant now) {
    auto link = core::validate_link(request.link, request.service, deps.keyring, now);
    if (!link) return link.error();
    auto view = deps.store.sessions.find(link->session);
    if (auto valid = core::check_link_principal(view, browser_context.browser, deps.policy, now);
        !valid)
        return valid.error();
    if (auto valid = core::check_principal(
            view->session.identity, browser_context.proven_user(), deps.policy);
        !valid)
        return valid.error();
    auto service = find_service_of_session(deps, request.service, *view, now);
    if (!service) return service.error();
    return LinkView{std::move(*service), std::move(*view), std::move(*link)};
}

core::Result<core::Secret> follow_link(
    Dependencies& deps, const LinkRequest& request, const BrowserContext& browser_context,
    core::Instant now) {
    const auto opened = open_link(deps, request, browser_context, now);
    if (!opened) return opened.error();
    if (deps.store.upstream_states.use_link(
            opened->link.digest, opened->link.expires_at, deps.random.id(16)) == Applied::no)
        return core::invalid_link("used before");
    const auto& browser = *browser_context.browser;
    return begin_upstream_authorization(
        deps, still_known(deps, opened->service, browser, now), browser, std::nullopt,
        opened->session.session.id, core::WhichAccount::any, now);
}

} // namespace consentgate::usecase
