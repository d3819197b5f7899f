#include "consentgate/core/oauth/consent.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/admission.h"

namespace consentgate::core {
namespace {

constexpr std::size_t flow_id_length = 22;     // 16 random bytes
constexpr std::size_t max_user_id_bytes = 255; // bytes

using Parameters = std::vector<std::pair<std::string, std::string>>;

// state exactly as it came and only when it came; iss always (RFC 9207).
std::string location(
    const std::string& redirect_uri, Parameters parameters, const std::optional<std::string>& state,
    const Policy& policy) {
    if (state) parameters.emplace_back("state", *state);
    parameters.emplace_back("iss", policy.issuer);
    return append_query(redirect_uri, parameters);
}

Error foreign_bearer() {
    return make_error(
        ErrorCode::invalid_bearer, PublicMessage{"the bearer credential is for another identity"},
        LogDetail{"another identity"});
}

} // namespace

Result<FlowId> parse_flow_id(const Parameter& flow_id) {
    if (flow_id.repeated())
        return make_error(
            ErrorCode::invalid_flow, PublicMessage{"flow_id was sent more than once"}, LogDetail{},
            "flow_id");
    const auto& id = flow_id.value;
    if (!id)
        return make_error(
            ErrorCode::missing_flow_id, PublicMessage{"flow_id is required"}, LogDetail{},
            "flow_id");
    if (id->size() != flow_id_length || !is_base64url(*id))
        return make_error(
            ErrorCode::invalid_flow, PublicMessage{"flow_id is malformed"}, LogDetail{}, "flow_id");
    return FlowId(*id);
}

Checked check_flow(
    const Flow& flow, const std::optional<Digest>& browser, bool stands_in, Instant now) {
    if (!stands_in && (!browser || !(*browser == flow.browser))) {
        return make_error(
            ErrorCode::browser_mismatch,
            PublicMessage{"this sign-in was started in another browser"},
            LogDetail{browser ? "another cookie" : "no cookie"}, "flow_id");
    }
    if (flow.denied_at)
        return make_error(
            ErrorCode::invalid_flow, PublicMessage{"this sign-in is not known"},
            LogDetail{"denied"}, "flow_id");
    if (flow.expires_at <= now)
        return make_error(
            ErrorCode::flow_expired, PublicMessage{"this sign-in has expired"}, LogDetail{},
            "flow_id");
    return Nothing{};
}

bool is_user_id(std::string_view text) {
    return !text.empty() && text.size() <= max_user_id_bytes && valid_utf8(text) &&
           !has_control(text);
}

Result<Identity> validate_user_id(const std::optional<std::string>& typed) {
    const auto text = std::string(trim(typed.value_or("")));
    if (!is_user_id(text) || !has_visible(text)) {
        return make_error(
            ErrorCode::invalid_user_id,
            PublicMessage{"a user id has 1 to 255 bytes and no control characters"}, LogDetail{},
            "user_id");
    }
    return Identity{IdentityKind::user_id, text};
}

Result<Identity> validate_virtual_key(const std::optional<VirtualKey>& key, Instant now) {
    if (!key || !key->usable(now)) {
        return make_error(
            ErrorCode::invalid_virtual_key, PublicMessage{"this virtual key is not valid"},
            LogDetail{key ? "disabled or expired" : "unknown"}, "vk");
    }
    return Identity{IdentityKind::virtual_key, key->id.text};
}

Result<Identity> validate_skip(const Policy& policy) {
    Identity skipped{IdentityKind::skipped, {}};
    if (auto admitted = check_admitted(skipped, policy); !admitted) return admitted.error();
    return skipped;
}

Result<Identity> validate_submit_identity(
    const Flow& flow, const std::optional<BearerClaims>& bearer,
    const std::optional<VirtualKey>& bearer_key, const Policy& policy, Instant now) {
    auto identity = flow.identity;
    if (bearer && !bearer->admin) {
        if (!bearer_key || !bearer_key->usable(now)) {
            return make_error(
                ErrorCode::invalid_bearer, PublicMessage{"the bearer credential is not valid"},
                LogDetail{"its virtual key is unknown, disabled or expired"});
        }
        const Identity named{IdentityKind::virtual_key, bearer_key->id.text};
        if (!identity.is_chosen()) identity = named;
        if (identity != named) return foreign_bearer();
    }
    if (auto chosen = check_resource_chosen(flow); !chosen) return chosen.error();
    if (!identity.is_chosen()) return validate_skip(policy);
    if (auto admitted = check_admitted(identity, policy); !admitted) return admitted.error();
    return identity;
}

Finalization finalize(
    const Flow& flow, Identity identity, FreshSession fresh, const Keyring& keyring,
    const Policy& policy, Instant now) {
    Finalization out;
    out.flow_id = flow.id;
    out.revision = flow.revision;
    out.now = now;
    out.flow_owner = Owner::of(flow.id);
    out.session_owner = identity.owner(fresh.session_id);

    const auto& key = keyring.newest();
    out.session = Session{
        .id = fresh.session_id,
        .flow_id = flow.id,
        .token = sha256(*keyring.session_token(key, fresh.code)),
        .browser = flow.browser,
        .client_id = flow.client_id,
        .identity = std::move(identity),
        .scope = flow.scope,
        .resource = flow.resource,
        .created_at = now,
        .expires_at = now + policy.session_lifetime,
        .revoked_at = std::nullopt,
        .token_expires_at = std::nullopt,
        .redirect_uri = flow.redirect_uri};
    out.code = IssuedCode{
        .hash = sha256(fresh.code),
        .session_id = fresh.session_id,
        .client_id = flow.client_id,
        .redirect_uri = flow.redirect_uri,
        .code_challenge = flow.code_challenge,
        .key_id = key,
        .expires_at = now + policy.code_lifetime,
        .redeemed_at = std::nullopt,
        .state = flow.state};
    out.location =
        Secret(location(flow.redirect_uri, {{"code", fresh.code.reveal()}}, flow.state, policy));
    return out;
}

Secret continue_location(const IssuedCode& code, const Secret& secret, const Policy& policy) {
    return Secret(location(code.redirect_uri, {{"code", secret.reveal()}}, code.state, policy));
}

std::string denial_location(const Flow& flow, const Policy& policy) {
    return error_location(revive_return_path(flow), "access_denied", "the person refused", policy);
}

std::string error_location(
    const ReturnPath& back, std::string_view error, std::string_view description,
    const Policy& policy) {
    Parameters parameters{{"error", std::string(error)}};
    if (!description.empty())
        parameters.emplace_back("error_description", plain_ascii(description));
    return location(back.redirect_uri(), std::move(parameters), back.state(), policy);
}

} // namespace consentgate::core
