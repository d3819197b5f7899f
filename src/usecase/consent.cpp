#include "consentgate/usecase/consent.h"

#include "account_seal.h"

#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/admission.h"
#include "consentgate/core/oauth/consent.h"
#include "consentgate/core/oauth/verified_user.h"
#include "consentgate/usecase/gate.h"
#include "consentgate/usecase/rights.h"
#include "consentgate/usecase/signin_proof.h"

#include <functional>
#include <tuple>

namespace consentgate::usecase {
namespace {

using core::ErrorCode;
using core::IdentityKind;
using store::Applied;

// The error for a flow without a row: finished by this browser, finished by another, or unknown.
core::Error missing_flow_error(
    Dependencies& deps, const core::FlowId& id, const BrowserContext& browser_context,
    bool stands_in) {
    const auto finalized_flow = deps.store.flows.find_finalized(id);
    if (!finalized_flow)
        return core::make_error(
            ErrorCode::invalid_flow, core::PublicMessage{"this sign-in is not known"},
            core::LogDetail{"unknown flow"}, "flow_id");
    if (!stands_in &&
        (!browser_context.browser || !(*browser_context.browser == *finalized_flow))) {
        return core::make_error(
            ErrorCode::browser_mismatch,
            core::PublicMessage{"this sign-in was started in another browser"},
            core::LogDetail{"finished flow, another browser"}, "flow_id");
    }
    return core::make_error(
        ErrorCode::flow_already_submitted, core::PublicMessage{"this sign-in is already finished"},
        core::LogDetail{}, "flow_id");
}

// The code that a browser's consent gave, made again from its secret.
struct OwnCode {
    core::Secret secret;
    core::CodeView view;

    bool unused(core::Instant now) const {
        return !view.code.redeemed_at && view.code.expires_at > now && !view.session.revoked_at;
    }
};

// Absent when the row is swept, or the consent was given without this browser's secret.
std::optional<OwnCode> find_own_code(
    Dependencies& deps, const core::FlowId& flow, const BrowserContext& browser_context) {
    if (!browser_context.secret) return std::nullopt;
    for (const auto& key : deps.keyring.keys()) {
        auto secret = deps.keyring.code(key.id, *browser_context.secret, flow);
        if (auto found = deps.store.codes.find(core::sha256(*secret)))
            return OwnCode{std::move(*secret), std::move(*found)};
    }
    return std::nullopt;
}

// For a person who pressed Allow twice or reloaded: adds the redirect with the code of the first
// time, as long as the code is unused.
core::Error with_continue_url(
    Dependencies& deps, core::Error error, const core::FlowId& flow,
    const BrowserContext& browser_context, core::Instant now) {
    if (error.code != ErrorCode::flow_already_submitted) return error;
    const auto own = find_own_code(deps, flow, browser_context);
    if (!own || !own->unused(now)) return error;
    if (!core::check_principal(
            own->view.session.identity, browser_context.proven_user(), deps.policy))
        return error; // another person's code
    const auto& code = own->view.code;
    error.details = core::ContinueAt{
        core::continue_location(code, own->secret, deps.policy),
        core::describe_redirect(code.redirect_uri).shown};
    return error;
}

core::FreshSession draw_secrets(
    Dependencies& deps, const core::FlowId& flow, const std::optional<core::Secret>& browser) {
    auto code = browser ? deps.keyring.code(deps.keyring.newest(), *browser, flow)
                        : std::optional(deps.random.secret());
    return {core::SessionId(deps.random.id(16)), std::move(*code)};
}

core::Error unknown_client() {
    return core::make_error(
        ErrorCode::invalid_flow, core::PublicMessage{"this sign-in is not known"},
        core::LogDetail{"its client was disabled"}, "flow_id");
}

core::Checked check_open(
    Dependencies& deps, const core::FlowView& view, const BrowserContext& browser_context,
    bool stands_in, core::Instant now) {
    if (auto checked = core::check_flow(view.flow, browser_context.browser, stands_in, now);
        !checked)
        return checked;
    // An admin's bearer stands in for the cookie, and never for the person.
    if (auto checked =
            core::check_principal(view.flow.identity, browser_context.proven_user(), deps.policy);
        !checked)
        return checked;
    if (!view.client_active) return unknown_client();
    return core::Nothing{};
}

core::Result<core::FlowView> read_flow(
    Dependencies& deps, const core::FlowId& id, const BrowserContext& browser_context,
    bool stands_in, core::Instant now) {
    auto view = deps.store.flows.find(id);
    if (!view) return missing_flow_error(deps, id, browser_context, stands_in);
    if (auto open = check_open(deps, *view, browser_context, stands_in, now); !open)
        return open.error();
    return std::move(*view);
}

// The flow's accounts go with it, sealed for the owner that they get.
Applied write_consent(
    Dependencies& deps, const core::Flow& flow, const core::Finalization& finalization) {
    return deps.store.flows.finalize(
        finalization,
        accounts_sealed_for(deps, flow, finalization.session_owner, finalization.now));
}

// A denied flow, for the browser and person that denied it.
core::Result<std::optional<Ending>> find_denial(
    Dependencies& deps, const core::FlowView& view, const BrowserContext& browser_context,
    core::Instant now) {
    const auto& flow = view.flow;
    auto over = core::check_flow(flow, browser_context.browser, false, now);
    if (over.error().code == ErrorCode::browser_mismatch) return over.error();
    if (auto same =
            core::check_principal(flow.identity, browser_context.proven_user(), deps.policy);
        !same)
        return same.error();
    Ending ending{
        .denied = true,
        .client_id = flow.client_id,
        .client_name = view.client_name,
        .redirect_uri = flow.redirect_uri};
    if (flow.expires_at > now)
        ending.location = core::Secret(core::denial_location(flow, deps.policy));
    return std::optional(std::move(ending));
}

// Decides and writes. out: no: another tab changed the flow in between
using Change = std::function<core::Result<Applied>(core::FlowView&)>;

core::Result<core::FlowView> change(
    Dependencies& deps, const core::FlowId& flow, const BrowserContext& browser_context,
    core::Instant now, const Change& decide_and_write) {
    for (int attempt = 0; attempt < max_flow_attempts; ++attempt) {
        auto view = open_flow(deps, flow, browser_context, now);
        if (!view) return view;
        const auto written = decide_and_write(*view);
        if (!written) return written.error();
        if (*written == Applied::yes) return view;
    }
    return flow_kept_changing();
}

// The session came of the sign-in that proves its person now.
core::Finalization finalize_signed_in(
    Dependencies& deps, const PermittedFlow& permitted, const core::FreshSession& fresh,
    const BrowserContext& browser_context, core::Instant now) {
    const auto& [identity, standing] =
        std::tie(permitted.rights.identity, permitted.rights.standing);
    auto finalization =
        core::finalize(permitted.flow, identity, fresh, deps.keyring, deps.policy, now);
    finalization.policy_version = standing.policy_version;
    if (standing.person) finalization.person = {standing.person->id, standing.person->version};
    if (finalization.session.identity.is_person() && browser_context.signed_in)
        finalization.session.signin = browser_context.signed_in->signin.id;
    return finalization;
}

using Validate = std::function<core::Result<core::Identity>()>;

core::Result<core::FlowView> choose(
    Dependencies& deps, const core::FlowId& flow, core::IdentityKind kind,
    const BrowserContext& browser_context, core::Instant now, const Validate& validate) {
    return change(
        deps, flow, browser_context, now, [&](const core::FlowView& view) -> core::Result<Applied> {
            if (auto offered = core::check_offered(kind, deps.policy); !offered)
                return offered.error();
            const auto identity = validate();
            if (!identity) return identity.error();
            if (auto may = check_may_sign_in(deps, view, *identity); !may)
                return leading_back(may.error(), view.flow);
            return deps.store.flows.choose_identity(
                view.flow.id, view.flow.revision, *identity, now);
        });
}

// The claims of a bearer, as far as its own signature proves them. Keys are looked up later.
core::Result<std::optional<core::BearerClaims>> verify_bearer(
    Dependencies& deps, const std::optional<core::Secret>& credential, core::Instant now) {
    using Claims = std::optional<core::BearerClaims>;
    if (!credential) return Claims();
    return deps.bearers.verify(*credential, deps.policy, now).transform([](auto claims) {
        return Claims(std::move(claims));
    });
}

// The key that a bearer is or names. It is looked up only for a flow that is known: an answer about
// an unknown flow must not tell whether there is such a key.
std::optional<core::VirtualKey> find_bearer_key(
    Dependencies& deps, const std::optional<core::BearerClaims>& claims, core::Instant now) {
    if (!claims) return std::nullopt;
    if (claims->virtual_key_hash)
        return deps.store.virtual_keys.find(*claims->virtual_key_hash, now);
    if (claims->virtual_key_id) return deps.store.virtual_keys.find(*claims->virtual_key_id);
    return std::nullopt;
}

} // namespace

core::Error flow_kept_changing() {
    return core::make_error(
        ErrorCode::store_unavailable,
        core::PublicMessage{"this sign-in is being changed; try again"},
        core::LogDetail{"the flow kept changing"});
}

core::Result<core::FlowView> open_flow(
    Dependencies& deps, const core::FlowId& flow, const BrowserContext& browser_context,
    core::Instant now) {
    return read_flow(deps, flow, browser_context, false, now);
}

core::Result<core::FlowView> choose_virtual_key(
    Dependencies& deps, const core::FlowId& flow, const core::Secret& typed,
    const BrowserContext& browser_context, core::Instant now) {
    std::string used;
    auto chosen = choose(deps, flow, IdentityKind::virtual_key, browser_context, now, [&] {
        auto identity =
            core::validate_virtual_key(deps.store.virtual_keys.find(core::sha256(typed), now), now);
        if (identity) used = identity->value;
        return identity;
    });
    if (chosen)
        deps.log.audit(
            "virtual_key_used", {{"virtual_key", used},
                                 {"client", chosen->flow.client_id.text},
                                 {"subject", core::Owner::of(core::VirtualKeyId(used)).text()}});
    return chosen;
}

core::Result<core::FlowView> choose_user_id(
    Dependencies& deps, const core::FlowId& flow, const std::optional<std::string>& typed,
    const BrowserContext& browser_context, core::Instant now) {
    return choose(deps, flow, IdentityKind::user_id, browser_context, now, [&] {
        return core::validate_user_id(typed);
    });
}

core::Result<core::FlowView> skip_identity(
    Dependencies& deps, const core::FlowId& flow, const BrowserContext& browser_context,
    core::Instant now) {
    return choose(deps, flow, IdentityKind::skipped, browser_context, now, [&] {
        return core::validate_skip(deps.policy);
    });
}

core::Result<core::FlowView> choose_resource(
    Dependencies& deps, const core::FlowId& flow, const std::optional<std::string>& named,
    const BrowserContext& browser_context, core::Instant now) {
    return change(
        deps, flow, browser_context, now, [&](core::FlowView& view) -> core::Result<Applied> {
            const auto client = deps.store.clients.find(view.flow.client_id);
            if (!client) return unknown_client(); // it was deleted a moment ago
            auto chosen = core::choose_resource(view.flow, named, *client, deps.policy);
            if (!chosen) return chosen.error();
            view.flow = std::move(*chosen);
            return deps.store.flows.choose_resource(view.flow, now);
        });
}

core::Result<Submitted> submit_consent(
    Dependencies& deps, const SubmitRequest& request, const BrowserContext& browser_context,
    core::Instant now) {
    const auto claims = verify_bearer(deps, request.bearer, now);
    if (!claims) return claims.error();
    const bool admin = *claims && (*claims)->admin;
    const auto fresh = draw_secrets(deps, request.flow, browser_context.secret);
    for (int attempt = 0; attempt < max_flow_attempts; ++attempt) {
        const auto view = read_flow(deps, request.flow, browser_context, admin, now);
        if (!view) return with_continue_url(deps, view.error(), request.flow, browser_context, now);
        auto identity = core::validate_submit_identity(
            view->flow, *claims, find_bearer_key(deps, *claims, now), deps.policy, now);
        if (!identity) return identity.error();
        const auto permitted = permit_flow(deps, *view, std::move(*identity));
        if (!permitted) return permitted.error();
        if (auto proof = check_proof(*permitted, browser_context.signed_in, deps.policy, now);
            !proof)
            return proof.error();
        auto finalization = finalize_signed_in(deps, *permitted, fresh, browser_context, now);
        if (write_consent(deps, view->flow, finalization) == Applied::yes) {
            return Submitted{
                .location = std::move(finalization.location),
                .session = std::move(finalization.session),
                .by_admin = admin,
                .admin = admin ? (*claims)->subject : std::string()};
        }
    }
    return flow_kept_changing();
}

std::optional<core::SessionView> recall_consent(
    Dependencies& deps, const core::Flow& flow, core::Instant now) {
    if (!core::may_be_reused(flow, deps.policy)) return std::nullopt;
    for (auto& earlier : deps.store.sessions.list_consents(flow.browser, flow.client_id)) {
        if (!core::may_reuse_consent(earlier, flow, deps.policy, now)) continue;
        const auto& identity = earlier.session.identity;
        if (!lacks_connection(
                deps, flow.resource, identity.owner(earlier.session.id),
                rights_of(deps, identity, earlier.standing), now))
            return std::move(earlier);
    }
    return std::nullopt;
}

core::Result<Submitted> reuse_consent(
    Dependencies& deps, const core::FlowId& flow, const BrowserContext& browser_context,
    core::Instant now) {
    const auto fresh = draw_secrets(deps, flow, browser_context.secret);
    for (int attempt = 0; attempt < max_flow_attempts; ++attempt) {
        const auto view = open_flow(deps, flow, browser_context, now);
        if (!view) return with_continue_url(deps, view.error(), flow, browser_context, now);
        if (auto chosen = core::check_resource_chosen(view->flow); !chosen) return chosen.error();
        const auto earlier = recall_consent(deps, view->flow, now);
        if (!earlier)
            return core::make_error(
                ErrorCode::identity_required, core::PublicMessage{"say who you are first"},
                core::LogDetail{"no earlier consent can be used"});
        const auto permitted = permit_flow(deps, *view, earlier->session.identity);
        if (!permitted) return permitted.error();
        if (auto proof = check_proof(*permitted, browser_context.signed_in, deps.policy, now);
            !proof)
            return proof.error();
        auto finalization = finalize_signed_in(deps, *permitted, fresh, browser_context, now);
        if (write_consent(deps, view->flow, finalization) == Applied::yes)
            return Submitted{
                .location = std::move(finalization.location),
                .session = std::move(finalization.session)};
    }
    return flow_kept_changing();
}

core::Result<Denied> deny_consent(
    Dependencies& deps, const core::FlowId& flow, const BrowserContext& browser_context,
    core::Instant now) {
    auto view = open_flow(deps, flow, browser_context, now);
    if (!view) return view.error();
    // Another request finished or denied it meanwhile.
    if (deps.store.flows.deny(view->flow.id, now) == Applied::no)
        return missing_flow_error(deps, view->flow.id, browser_context, false);
    auto location = core::denial_location(view->flow, deps.policy);
    return Denied{.location = std::move(location), .flow = std::move(view->flow)};
}

core::Result<std::optional<Ending>> find_ending(
    Dependencies& deps, const core::FlowId& flow, const BrowserContext& browser_context,
    core::Instant now) {
    if (const auto view = deps.store.flows.find(flow)) {
        if (view->flow.denied_at) return find_denial(deps, *view, browser_context, now);
        return check_open(deps, *view, browser_context, false, now).transform([] {
            return std::optional<Ending>();
        });
    }
    const auto error = missing_flow_error(deps, flow, browser_context, false);
    if (error.code != ErrorCode::flow_already_submitted) return error;
    Ending ending;
    if (const auto own = find_own_code(deps, flow, browser_context)) {
        const auto& session = own->view.session;
        if (auto same =
                core::check_principal(session.identity, browser_context.proven_user(), deps.policy);
            !same)
            return same.error();
        const auto client = deps.store.clients.find(session.client_id);
        ending.client_id = session.client_id;
        ending.client_name = client ? client->name : std::string();
        ending.redirect_uri = session.redirect_uri;
        if (own->unused(now))
            ending.location = core::continue_location(own->view.code, own->secret, deps.policy);
    }
    return std::optional(std::move(ending));
}

} // namespace consentgate::usecase
