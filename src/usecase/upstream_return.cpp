// Back from a service: by its redirect, or with a key that was pasted.
#include "account_seal.h"
#include "client_refusal.h"
#include "service_call.h"
#include "token_call.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/core/oauth/admission.h"
#include "consentgate/core/oauth/verified_user.h"
#include "consentgate/core/upstream/service_discovery.h"
#include "consentgate/core/upstream/service_options.h"
#include "consentgate/usecase/upstream.h"

namespace consentgate::usecase {
namespace {

using core::ErrorCode;
using store::Applied;

core::LinkedAccount sealed_account(
    Dependencies& deps, const core::UpstreamState& state, const core::Owner& owner,
    const core::TokenSet& tokens, core::Instant now) {
    core::LinkedAccount token;
    token.id = deps.random.id(16);
    token.owner = owner;
    token.service = state.service;
    token.registration = state.registration;
    seal_tokens(deps, token, {tokens.access_token, tokens.refresh_token});
    token.scope = tokens.scope;
    if (tokens.holder) {
        token.holder_hash = tokens.holder->id_hash;
        token.holder_name = tokens.holder->name;
    }
    token.expires_at = core::expiry_of(tokens, now);
    return token;
}

// The person who came back must be the one who was sent, and still be let in. save_account()
// reports a flow or session that is gone.
core::Checked check_returned(
    Dependencies& deps, const core::UpstreamState& state, const BrowserContext& browser_context) {
    const auto check_same = [&](const core::Identity& identity) {
        return core::check_principal(identity, browser_context.proven_user(), deps.policy);
    };
    if (state.flow) {
        const auto view = deps.store.flows.find(*state.flow);
        if (!view) return core::Nothing{};
        auto same = check_same(view->flow.identity);
        return same ? core::check_admitted(view->flow.identity, deps.policy) : same;
    }
    const auto view = deps.store.sessions.find(*state.session);
    if (!view) return core::Nothing{};
    if (auto same = check_same(view->session.identity); !same) return same;
    const auto admitted = core::check_admitted(view->session.identity, deps.policy);
    return admitted ? admitted : core::invalid_link("its session: " + admitted.error().reason);
}

core::Result<core::UpstreamState> find_state(
    Dependencies& deps, const core::Callback& callback, const std::optional<core::ServiceId>& at,
    const BrowserContext& browser_context, core::Instant now) {
    auto state = deps.store.upstream_states.find(core::sha256(callback.state));
    if (!state) return core::invalid_upstream_state("unknown or used");
    if (auto valid = core::check_callback(*state, at, browser_context.browser, now); !valid)
        return valid.error();
    if (auto valid = check_returned(deps, *state, browser_context); !valid) return valid.error();
    return std::move(*state);
}

core::Result<TokenAnswer> redeem(
    Dependencies& deps, ServiceTurn& turn, const core::Service& service,
    const core::UpstreamState& state, const core::Secret& code) {
    const auto verifier =
        core::unseal(deps.keyring, state.key_id, state.verifier, state.verifier_aad());
    if (!verifier) return does_not_open("a PKCE verifier");
    const auto secret = client_secret_of(deps, service);
    if (!secret) return secret.error();
    return ask_for_tokens(turn, service, sys::PlaceKind::redeem, [&](const auto& with) {
        return core::code_request(
            with, *secret, code, *verifier, core::callback_url(deps.policy, state.own_callback()));
    });
}

struct KeyPage {
    core::UpstreamState state;
    core::Service service;
};

core::Result<KeyPage> find_key_page(
    Dependencies& deps, const core::Parameter& sent, const BrowserContext& browser_context,
    core::Instant now) {
    const auto callback = core::parse_callback({.state = sent, .code = {}, .error = {}, .iss = {}});
    if (!callback) return callback.error();
    auto state = deps.store.upstream_states.find(core::sha256(callback->state));
    if (!state) return core::invalid_upstream_state("unknown or used");
    if (auto valid =
            core::check_callback(*state, state->own_callback(), browser_context.browser, now);
        !valid)
        return valid.error();
    if (auto valid = check_returned(deps, *state, browser_context); !valid) return valid.error();
    auto service = core::authorize_service(
        deps.store.services.find(state->service), core::Identity{}, std::nullopt, now);
    if (!service) return service.error();
    if (!service->takes_keys()) return core::invalid_upstream_state("the service has no keys");
    return KeyPage{std::move(*state), std::move(*service)};
}

// fail: as open_flow, or invalid_link, when what the token was for has ended meanwhile
core::Checked save_account(
    Dependencies& deps, const core::UpstreamState& state, const core::TokenSet& tokens,
    const BrowserContext& browser_context, core::Instant now) {
    if (state.flow) {
        const auto token = sealed_account(deps, state, core::Owner::of(*state.flow), tokens, now);
        if (deps.store.accounts.connect_in_flow(*state.flow, token, now) == Applied::yes)
            return core::Nothing{};
        const auto flow = open_flow(deps, *state.flow, browser_context, now);
        return flow ? core::make_error(
                          ErrorCode::store_unavailable,
                          core::PublicMessage{"this sign-in is being changed; try again"})
                    : flow.error();
    }
    const auto view = deps.store.sessions.find(*state.session);
    if (!view) return core::invalid_link("its session is gone");
    const auto token =
        sealed_account(deps, state, view->session.identity.owner(view->session.id), tokens, now);
    return deps.store.accounts.connect_in_session(*state.session, token, now) == Applied::yes
               ? core::Checked(core::Nothing{})
               : core::invalid_link("its session is over");
}

} // namespace

core::Result<Returned> finish_connect(
    Dependencies& deps, const core::CallbackParameters& sent,
    const std::optional<core::ServiceId>& at, const BrowserContext& browser_context,
    core::Instant now) {
    const auto callback = core::parse_callback(sent);
    if (!callback) return callback.error();
    const auto state = find_state(deps, *callback, at, browser_context, now);
    if (!state) return state.error();
    // Whether this person may use it was checked when they were sent there.
    auto service = core::authorize_service(
        deps.store.services.find(state->service), core::Identity{}, std::nullopt, now);
    if (!service) return service.error();
    if (service->takes_keys())
        return core::invalid_upstream_state("the service has keys, and sends nobody back");
    // Before anything is used up: after the rest, or when there is a place, the browser comes again
    // with the same answer.
    ServiceTurn turn(deps, *service, state->browser.hex);
    if (callback->code && turn.rest()) return turn.resting();
    const auto place = callback->code ? deps.enter(sys::PlaceKind::redeem, service->token_endpoint)
                                      : sys::Place::unlimited();
    if (!place) return no_place();
    // One of several answers with the same state goes on.
    if (deps.store.upstream_states.consume(state->state, now) == Applied::no)
        return core::invalid_upstream_state("used meanwhile");
    if (auto valid = core::check_issuer(*callback, *service); !valid) return valid.error();
    auto registered = find_registered(deps, *service, state->registration);
    if (!registered) return registered.error();

    Returned returned{
        .service = std::move(*registered),
        .flow = state->flow,
        .outcome = Connection::connected,
        .reason = {}};
    if (!callback->code) {
        returned.outcome =
            callback->error == "access_denied" ? Connection::refused : Connection::failed;
        returned.reason = "the service answered " + callback->error;
        return returned;
    }
    const auto answer = redeem(deps, turn, returned.service, *state, *callback->code);
    if (!answer) return answer.error();
    const auto& reply = answer->reply;
    if (!reply.tokens) {
        if (reply.error == core::UpstreamError::client_refused)
            follow_client_refusal(deps, turn, returned.service, now);
        returned.outcome = Connection::failed;
        returned.reason = reply.reason;
        return returned;
    }
    if (auto saved = save_account(deps, *state, *reply.tokens, browser_context, now); !saved)
        return saved.error();
    note_good_answer(deps, *service, returned.service, *answer);
    return returned;
}

core::Result<core::Service> open_key_page(
    Dependencies& deps, const core::Parameter& state, const BrowserContext& browser_context,
    core::Instant now) {
    auto page = find_key_page(deps, state, browser_context, now);
    if (!page) return page.error();
    return std::move(page->service);
}

core::Result<Returned> connect_by_key(
    Dependencies& deps, const core::Parameter& sent, const core::Secret& typed,
    const BrowserContext& browser_context, core::Instant now) {
    auto page = find_key_page(deps, sent, browser_context, now);
    if (!page) return page.error();
    const auto& state = page->state;
    Returned returned{
        .service = page->service,
        .flow = state.flow,
        .outcome = Connection::refused,
        .reason = "it cannot be a key"};
    const auto key = core::read_api_key(typed.reveal());
    if (!key) return returned;
    const auto place = deps.enter(sys::PlaceKind::redeem, page->service.token_endpoint);
    if (!place) return no_place();
    const auto reply = try_key(deps, page->service, *key);
    const auto trial = core::read_key_trial(reply);
    if (trial != core::KeyTrial::good) {
        returned.outcome =
            trial == core::KeyTrial::refused ? Connection::refused : Connection::failed;
        returned.reason = reply.answered ? "the key's trial: status " + std::to_string(reply.status)
                                         : "the key's trial: no answer";
        return returned;
    }
    // One of several forms with the same state goes on.
    if (deps.store.upstream_states.consume(state.state, now) == Applied::no)
        return core::invalid_upstream_state("used meanwhile");
    core::TokenSet tokens;
    tokens.access_token = *key;
    if (auto saved = save_account(deps, state, tokens, browser_context, now); !saved)
        return saved.error();
    returned.outcome = Connection::connected;
    returned.reason.clear();
    return returned;
}

} // namespace consentgate::usecase
