#include "consentgate/usecase/upstream.h"

#include "service_call.h"

#include "consentgate/core/vault.h"
#include "consentgate/core/verified_user.h"

#include <algorithm>

namespace consentgate::usecase {
namespace {

using core::Fault;
using store::Outcome;

std::optional<core::VirtualKey> virtual_key_of(World& world, const core::Identity& identity) {
    if (identity.kind != core::IdentityKind::virtual_key) return std::nullopt;
    return world.store.find_virtual_key(core::VirtualKeyId(identity.value));
}

// in: owners  the later ones give way to the earlier ones
std::vector<ServiceView> list_services(World& world, const core::Identity& identity, const std::optional<core::VirtualKey>& key,
                                       const std::vector<std::string>& owners, core::Instant now) {
    std::vector<core::UpstreamToken> tokens;
    for (const auto& owner : owners) {
        auto of_owner = world.store.list_upstream_tokens(owner);
        tokens.insert(tokens.end(), std::make_move_iterator(of_owner.begin()), std::make_move_iterator(of_owner.end()));
    }
    std::vector<ServiceView> views;
    for (auto& service : world.store.list_services()) {
        if (!core::judge_service(service, identity, key, now)) continue;
        ServiceView view{std::move(service), std::nullopt, false};
        const auto token = std::find_if(tokens.begin(), tokens.end(), [&](const auto& one) { return one.service == view.service.id; });
        if (token != tokens.end()) view.token = *token;
        view.connected = view.token && core::freshness_of(*view.token, now) != core::Freshness::broken;
        views.push_back(std::move(view));
    }
    std::sort(views.begin(), views.end(), [](const auto& left, const auto& right) { return left.service.name < right.service.name; });
    return views;
}

// Remembers that this browser was sent to the service, and where it shall come back to.
core::Secret depart(World& world, const core::Service& service, const core::Digest& browser, std::optional<core::FlowId> flow,
                    std::optional<core::SessionId> session, core::Instant now) {
    const auto state = world.random.secret();
    const auto verifier = world.random.secret();
    core::UpstreamState row;
    row.state = core::sha256(state);
    row.browser = browser;
    row.service = service.id;
    row.flow = std::move(flow);
    row.session = std::move(session);
    row.verifier = seal(world, row.verifier_place(), verifier);
    row.key_id = world.keyring.newest();
    row.expires_at = now + core::upstream_state_lifetime;
    world.store.put_upstream_state(row);
    return core::upstream_authorize_url(service, state, verifier, world.policy);
}

// A service that has forgotten us says so on a page of its own and sends nobody back. So when a person goes there once more, it is
// asked: a code that never was is an invalid grant to a service that knows us, and an invalid client to one that does not.
core::Service still_known(World& world, const core::Service& service, const core::Digest& browser) {
    if (service.registration != core::Registration::dynamic || !world.store.has_upstream_state(browser, service.id)) return service;
    const auto secret = client_secret_of(world, service);
    if (!secret) return service;
    const auto reply = core::read_token_reply(call_service(world, core::code_request(service, *secret, world.random.secret(), world.random.secret(), world.policy)));
    if (reply.tokens || reply.trouble != core::Trouble::registration_lost) return service;
    register_anew(world, service);
    return world.store.find_service(service.id).value_or(service);
}

core::Result<core::ServiceId> parse_service_id(const core::Form& form) {
    const auto id = form.get("mcp_client_id");
    if (!id) return core::refuse(Fault::invalid_request, core::Say{"mcp_client_id is missing"}, core::Why{}, "mcp_client_id");
    return core::ServiceId(*id);
}

core::UpstreamToken sealed_token(World& world, const core::ServiceId& service, const core::TokenSet& tokens, core::Instant now) {
    core::UpstreamToken token;
    token.id = world.random.id(16);
    token.service = service;
    token.access_token = seal(world, token.access_place(), tokens.access_token);
    if (tokens.refresh_token) token.refresh_token = seal(world, token.refresh_place(), *tokens.refresh_token);
    token.key_id = world.keyring.newest();
    token.scope = tokens.scope;
    if (tokens.expires_in) token.expires_at = now + *tokens.expires_in;
    return token;
}

// Who came back is who was sent. Of what is gone meanwhile, keep() tells.
core::Checked check_returned(World& world, const core::UpstreamState& state, const Actor& actor) {
    if (state.flow) {
        const auto view = world.store.find_flow(*state.flow);
        return view ? core::check_asker(view->flow.identity, actor.remote_user, world.policy) : core::Nothing{};
    }
    const auto view = world.store.find_session(*state.session);
    return view ? core::check_asker(view->session.identity, actor.remote_user, world.policy) : core::Nothing{};
}

// What was begun, used up: of any number of answers with this state one goes on.
core::Result<core::UpstreamState> take_state(World& world, const core::Callback& callback, const Actor& actor, core::Instant now) {
    const auto digest = core::sha256(callback.state);
    auto state = world.store.find_upstream_state(digest);
    if (!state) return core::invalid_upstream_state("unknown or used");
    if (auto judged = core::judge_callback(*state, actor.browser, now); !judged) return judged.error();
    if (auto judged = check_returned(world, *state, actor); !judged) return judged.error();
    if (world.store.take_upstream_state(digest, now) == Outcome::gone) return core::invalid_upstream_state("used meanwhile");
    return std::move(*state);
}

core::Result<core::TokenReply> redeem(World& world, const core::Service& service, const core::UpstreamState& state, const core::Secret& code) {
    const auto verifier = core::unseal(world.keyring, state.key_id, state.verifier, state.verifier_place());
    if (!verifier) return does_not_open("a PKCE verifier");
    const auto secret = client_secret_of(world, service);
    if (!secret) return secret.error();
    return core::read_token_reply(call_service(world, core::code_request(service, *secret, code, *verifier, world.policy)));
}

// fail: as open_flow, or invalid_link, when what the token was for has ended meanwhile
core::Checked keep(World& world, const core::UpstreamState& state, core::UpstreamToken token, const Actor& actor, core::Instant now) {
    if (state.flow) {
        if (world.store.connect_in_flow(*state.flow, token, now) == Outcome::done) return core::Nothing{};
        const auto flow = open_flow(world, *core::Form::parse("flow_id=" + state.flow->text), actor, now);
        return flow ? core::refuse(Fault::store_unavailable, core::Say{"this sign-in is being changed; try again"}) : flow.error();
    }
    const auto view = world.store.find_session(*state.session);
    if (!view) return core::invalid_link("its session is gone");
    token.owner = core::token_owner(view->session.identity, view->session.id);
    return world.store.connect_in_session(*state.session, token, now) == Outcome::done ? core::Checked(core::Nothing{}) : core::invalid_link("its session is over");
}

} // namespace

std::vector<ServiceView> list_flow_services(World& world, const core::Flow& flow, core::Instant now) {
    std::vector<std::string> owners{core::token_owner(flow.id)};
    const auto kind = flow.identity.kind;
    const bool lasting = kind == core::IdentityKind::virtual_key || kind == core::IdentityKind::verified_user;
    if (lasting) owners.push_back(core::token_owner(flow.identity, core::SessionId()));
    return list_services(world, flow.identity, virtual_key_of(world, flow.identity), owners, now);
}

std::vector<ServiceView> list_session_services(World& world, const core::SessionView& view, core::Instant now) {
    const auto& session = view.session;
    return list_services(world, session.identity, view.virtual_key, {core::token_owner(session.identity, session.id)}, now);
}

core::Result<core::Secret> connect_in_flow(World& world, const core::Form& query, const Actor& actor, core::Instant now) {
    if (auto once = query.refuse_repeated(); !once) return once.error();
    const auto id = parse_service_id(query);
    if (!id) return id.error();
    const auto view = open_flow(world, query, actor, now);
    if (!view) return view.error();
    const auto& identity = view->flow.identity;
    if (identity.kind == core::IdentityKind::none) return core::refuse(Fault::identity_required, core::Say{"say who you are first"});
    const auto service = core::judge_service(world.store.find_service(*id), identity, virtual_key_of(world, identity), now);
    if (!service) return service.error();
    return depart(world, still_known(world, *service, view->flow.browser), view->flow.browser, view->flow.id, std::nullopt, now);
}

core::Result<LinkView> open_link(World& world, const core::Form& query, const Actor& actor, core::Instant now) {
    if (auto once = query.refuse_repeated(); !once) return once.error();
    const auto id = parse_service_id(query);
    if (!id) return id.error();
    auto link = core::judge_link(query.get("link").value_or(""), *id, world.keyring, now);
    if (!link) return link.error();
    auto view = world.store.find_session(link->session);
    if (auto judged = core::judge_link_holder(view, actor.browser, now); !judged) return judged.error();
    if (auto judged = core::check_asker(view->session.identity, actor.remote_user, world.policy); !judged) return judged.error();
    auto service = core::judge_service(world.store.find_service(*id), view->session.identity, view->virtual_key, now);
    if (!service) return service.error();
    return LinkView{std::move(*service), std::move(*view), std::move(*link)};
}

core::Result<core::Secret> follow_link(World& world, const core::Form& form, const Actor& actor, core::Instant now) {
    const auto opened = open_link(world, form, actor, now);
    if (!opened) return opened.error();
    if (world.store.use_link(opened->link.digest, opened->link.expires_at, world.random.id(16)) == Outcome::gone) return core::invalid_link("used before");
    const auto& session = opened->session.session;
    return depart(world, still_known(world, opened->service, session.browser), session.browser, std::nullopt, session.id, now);
}

core::Result<Returned> finish_connect(World& world, const core::Form& query, const Actor& actor, core::Instant now) {
    const auto callback = core::parse_callback(query);
    if (!callback) return callback.error();
    const auto state = take_state(world, *callback, actor, now);
    if (!state) return state.error();
    // That this person may use it was judged when they were sent there.
    auto service = core::judge_service(world.store.find_service(state->service), core::Identity{}, std::nullopt, now);
    if (!service) return service.error();
    if (auto judged = core::judge_issuer(*callback, *service); !judged) return judged.error();

    Returned returned{std::move(*service), state->flow, {}, {}};
    if (!callback->code) {
        returned.problem = callback->error == "access_denied" ? "service_refused" : "service_failed";
        returned.why = "the service answered " + callback->error;
        return returned;
    }
    const auto reply = redeem(world, returned.service, *state, *callback->code);
    if (!reply) return reply.error();
    if (!reply->tokens) {
        if (reply->trouble == core::Trouble::registration_lost) register_anew(world, returned.service); // the next try will find it
        returned.problem = "service_failed";
        returned.why = reply->why;
        return returned;
    }
    if (auto kept = keep(world, *state, sealed_token(world, returned.service.id, *reply->tokens, now), actor, now); !kept) return kept.error();
    return returned;
}

} // namespace consentgate::usecase
