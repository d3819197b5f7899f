#include "consentgate/usecase/consent.h"

#include "consentgate/core/consent.h"
#include "consentgate/core/uri.h"
#include "consentgate/core/verified_user.h"
#include "consentgate/sys/log.h"
#include "consentgate/usecase/gate.h"

#include <functional>

namespace consentgate::usecase {
namespace {

using core::Fault;
using store::Outcome;

// How often a judgement is made again because the flow changed under it. A person cannot change their mind that often
// within one request; a script that does gets the answer of a flow in motion.
constexpr int most_judgements = 5;

// What to say about a flow that is not in the table: finished by this browser, finished by another, or never there.
core::Error explain_absence(World& world, const core::FlowId& id, const Actor& actor, bool stands_in) {
    const auto settled = world.store.find_settled(id);
    if (!settled) return core::refuse(Fault::invalid_flow, core::Say{"this sign-in is not known"}, core::Why{"unknown flow"}, "flow_id");
    if (!stands_in && (!actor.browser || !(*actor.browser == *settled))) {
        return core::refuse(Fault::browser_mismatch, core::Say{"this sign-in was started in another browser"}, core::Why{"finished flow, another browser"}, "flow_id");
    }
    return core::refuse(Fault::flow_already_submitted, core::Say{"this sign-in is already finished"}, core::Why{}, "flow_id");
}

// The person pressed Finish twice, or came back by a reload: the code that the first gave leads on, as long as nobody has used it.
core::Error lead_on(World& world, core::Error error, const core::FlowId& flow, const Actor& actor, core::Instant now) {
    if (error.fault != Fault::flow_already_submitted || !actor.secret) return error;
    for (const auto& key : world.keyring.keys()) {
        const auto secret = world.keyring.code(key.id, *actor.secret, flow);
        const auto found = world.store.find_code(core::sha256(*secret));
        if (!found || found->code.redeemed_at || found->code.expires_at <= now || found->session.revoked_at) continue;
        if (!core::check_asker(found->session.identity, actor.remote_user, world.policy)) continue; // somebody else's code
        error.onward = core::onward_location(found->code, *secret, world.policy);
        error.onward_target = core::describe_redirect(found->code.redirect_uri).shown;
        return error;
    }
    return error;
}

core::FreshSettlement fresh_settlement(World& world, const core::FlowId& flow, const std::optional<core::Secret>& browser) {
    auto code = browser ? world.keyring.code(world.keyring.newest(), *browser, flow) : std::optional(world.random.secret());
    return {core::SessionId(world.random.id(16)), std::move(*code)};
}

core::Result<store::FlowView> read_flow(World& world, const core::FlowId& id, const Actor& actor, bool stands_in, core::Instant now) {
    auto view = world.store.find_flow(id);
    if (!view) return explain_absence(world, id, actor, stands_in);
    if (auto checked = core::check_flow(view->flow, actor.browser, stands_in, now); !checked) return checked.error();
    // An admin's bearer stands in for the cookie, and never for the person.
    if (auto checked = core::check_asker(view->flow.identity, actor.remote_user, world.policy); !checked) return checked.error();
    if (!view->client_active) return core::refuse(Fault::invalid_flow, core::Say{"this sign-in is not known"}, core::Why{"its client was disabled"}, "flow_id");
    return std::move(*view);
}

core::Error in_motion() {
    return core::refuse(Fault::store_unavailable, core::Say{"this sign-in is being changed; try again"}, core::Why{"the flow kept changing"});
}

using Judge = std::function<core::Result<core::Identity>(const core::Form&)>;

// Read, judge, write; again when the flow changed in between (another tab chose at the same moment).
core::Result<store::FlowView> choose(World& world, const core::Form& form, const Actor& actor, core::Instant now, const Judge& judge) {
    if (auto once = form.refuse_repeated(); !once) return once.error();
    for (int judgement = 0; judgement < most_judgements; ++judgement) {
        auto view = open_flow(world, form, actor, now);
        if (!view) return view;
        if (auto judged = core::judge_typing(world.policy); !judged) return judged.error();
        const auto identity = judge(form);
        if (!identity) return identity.error();
        if (world.store.choose_identity(view->flow.id, view->flow.revision, *identity, now) == Outcome::done) return view;
    }
    return in_motion();
}

struct Bearer {
    std::optional<core::BearerClaims> claims;
    std::optional<core::VirtualKey> key;
};

core::Result<Bearer> read_bearer(World& world, const Actor& actor, core::Instant now) {
    Bearer bearer;
    auto credential = core::bearer_credential(actor.authorization);
    if (!credential) return credential.error();
    if (!*credential) return bearer;
    auto claims = world.bearers.verify(**credential, world.policy, now);
    if (!claims) return claims.error();
    if (claims->virtual_key_hash) bearer.key = world.store.find_virtual_key(*claims->virtual_key_hash);
    if (claims->virtual_key_id) bearer.key = world.store.find_virtual_key(*claims->virtual_key_id);
    // A credential that names no usable key is bad in itself, whatever flow it came with.
    if (!claims->admin && (!bearer.key || !bearer.key->usable(now))) {
        return core::refuse(Fault::invalid_bearer, core::Say{"the bearer credential is not valid"}, core::Why{"its virtual key is unknown, disabled or expired"});
    }
    bearer.claims = std::move(*claims);
    return bearer;
}

} // namespace

core::Result<store::FlowView> open_flow(World& world, const core::Form& form, const Actor& actor, core::Instant now) {
    const auto id = core::parse_flow_id(form);
    if (!id) return id.error();
    return read_flow(world, *id, actor, false, now);
}

core::Result<store::FlowView> choose_virtual_key(World& world, const core::Form& form, const Actor& actor, core::Instant now) {
    std::string used;
    auto chosen = choose(world, form, actor, now, [&](const core::Form& sent) {
        const auto typed = core::Secret(sent.get("vk").value_or(""));
        auto identity = core::judge_virtual_key(world.store.find_virtual_key(core::sha256(typed)), now);
        if (identity) used = identity->value;
        return identity;
    });
    if (chosen) sys::log_audit("key_used", {{"key", used}, {"client", chosen->flow.client_id.text}});
    return chosen;
}

core::Result<store::FlowView> choose_user_id(World& world, const core::Form& form, const Actor& actor, core::Instant now) {
    return choose(world, form, actor, now, [](const core::Form& sent) { return core::judge_user_id(sent.get("user_id")); });
}

core::Result<store::FlowView> skip_identity(World& world, const core::Form& form, const Actor& actor, core::Instant now) {
    return choose(world, form, actor, now, [&](const core::Form&) { return core::judge_skip(world.policy); });
}

core::Result<Submitted> submit_consent(World& world, const core::Form& form, const Actor& actor, core::Instant now) {
    const auto id = core::parse_flow_id(form);
    if (!id) return id.error();
    if (auto once = form.refuse_repeated(); !once) return once.error();
    const auto bearer = read_bearer(world, actor, now);
    if (!bearer) return bearer.error();
    const bool admin = bearer->claims && bearer->claims->admin;
    const auto fresh = fresh_settlement(world, *id, actor.secret);
    for (int judgement = 0; judgement < most_judgements; ++judgement) {
        const auto view = read_flow(world, *id, actor, admin, now);
        if (!view) return lead_on(world, view.error(), *id, actor, now);
        auto identity = core::judge_submit_identity(view->flow, bearer->claims, bearer->key, world.policy, now);
        if (!identity) return identity.error();
        auto settlement = core::settle(view->flow, std::move(*identity), fresh, world.keyring, world.policy, now);
        if (world.store.settle_flow(settlement) == Outcome::done) {
            return Submitted{std::move(settlement.location), std::move(settlement.session), admin, admin ? bearer->claims->subject : std::string()};
        }
    }
    return in_motion();
}

std::optional<Submitted> recall_consent(World& world, const core::Flow& flow, const core::Form& query, const core::Secret& browser, core::Instant now) {
    if (!core::can_be_remembered(flow, world.policy) || query.get("prompt") == "consent") return std::nullopt;
    for (const auto& earlier : world.store.list_consents(flow.browser, flow.client_id)) {
        if (!core::remembered(earlier, flow, world.policy, now)) continue;
        if (lacks_connection(world, flow.resource, core::token_owner(earlier.session.identity, earlier.session.id), now)) continue;
        const auto fresh = fresh_settlement(world, flow.id, browser);
        auto settlement = core::settle(flow, earlier.session.identity, fresh, world.keyring, world.policy, now);
        if (world.store.settle_flow(settlement) != Outcome::done) return std::nullopt;
        return Submitted{std::move(settlement.location), std::move(settlement.session), false, {}};
    }
    return std::nullopt;
}

core::Result<std::string> deny_consent(World& world, const core::Form& form, const Actor& actor, core::Instant now) {
    if (auto once = form.refuse_repeated(); !once) return once.error();
    const auto view = open_flow(world, form, actor, now);
    if (!view) return view.error();
    // gone: finished or denied by another request meanwhile. Read again, and say which.
    if (world.store.deny_flow(view->flow.id, now) == Outcome::gone) return explain_absence(world, view->flow.id, actor, false);
    return core::denial_location(view->flow, world.policy);
}

} // namespace consentgate::usecase
