#include "consentgate/core/oauth/authorize.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/client_document.h"
#include "consentgate/core/oauth/pkce.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace consentgate::core {
namespace {

Result<ReturnPath> match_return_path(
    const AuthorizationRequest& request, const Client& client, const Policy& policy) {
    const auto fail = [&](const char* message, const std::string& requested) {
        return make_error(
            ErrorCode::invalid_redirect_uri, PublicMessage{message},
            LogDetail{"client " + client.id.text}, "redirect_uri",
            RedirectMismatch{requested, client.redirect_uris});
    };
    if (request.redirect_uri.repeated()) return fail("redirect_uri was sent more than once", "");
    // A repeated state is sent back as none, because choosing one would be a guess (requirement
    // A11).
    const auto state = request.state.value;
    const auto requested = request.redirect_uri.value;
    const bool only = client.redirect_uris.size() == 1 && !client.dropped_redirects;
    if (!requested && !only) return fail("redirect_uri is missing", "");
    const auto address = requested ? *requested : client.redirect_uris.front();
    auto back = match_redirect(client, address, state, policy.redirects);
    if (!back) return fail("redirect_uri is not one of the client's", address);
    return std::move(*back);
}

Checked check_response(const AuthorizationRequest& request) {
    // We fetch nothing for a stranger, and must not ignore parameters inside a request object.
    // spec: RFC 9101 section 6.2
    if (request.request.count > 0)
        return make_error(
            ErrorCode::request_not_supported, PublicMessage{"request objects are not supported"},
            LogDetail{}, "request");
    if (request.request_uri.count > 0)
        return make_error(
            ErrorCode::request_uri_not_supported, PublicMessage{"request_uri is not supported"},
            LogDetail{}, "request_uri");
    const auto type = request.response_type.value;
    if (!type)
        return make_error(
            ErrorCode::invalid_request, PublicMessage{"response_type is missing"}, LogDetail{},
            "response_type");
    if (*type != "code")
        return make_error(
            ErrorCode::unsupported_response_type,
            PublicMessage{"only response_type=code is supported"}, LogDetail{}, "response_type");
    if (request.response_mode.value.value_or("query") != "query") {
        return make_error(
            ErrorCode::invalid_request, PublicMessage{"only response_mode=query is supported"},
            LogDetail{}, "response_mode");
    }
    return Nothing{};
}

Checked check_challenge(const AuthorizationRequest& request) {
    const auto challenge = request.code_challenge.value;
    if (!challenge)
        return make_error(
            ErrorCode::invalid_request, PublicMessage{"code_challenge is missing"}, LogDetail{},
            "code_challenge");
    if (request.code_challenge_method.value != "S256") {
        return make_error(
            ErrorCode::invalid_request, PublicMessage{"code_challenge_method must be S256"},
            LogDetail{}, "code_challenge_method");
    }
    if (!valid_challenge(*challenge)) {
        return make_error(
            ErrorCode::invalid_request,
            PublicMessage{"code_challenge must be 43 base64url characters"}, LogDetail{},
            "code_challenge");
    }
    return Nothing{};
}

Result<ScopeSet> read_scope(const AuthorizationRequest& request) {
    if (auto asked = ScopeSet::parse(request.scope.value.value_or(""))) return std::move(*asked);
    return make_error(
        ErrorCode::invalid_scope, PublicMessage{"scope has a character that scopes do not have"},
        LogDetail{}, "scope");
}

// Names that the catalogue lacks are dropped, and the token response names the granted ones. When
// none is left, the client gets what it registered for and what the resource's gate asks for.
// spec: RFC 6749 section 3.3; docs/requirements.md A17, XE3
Result<ScopeSet> grant_scope(
    const ScopeSet& asked, const Client& client, const Policy& policy,
    const GuardedResource& resource) {
    const auto limit = max_scope(client, policy);
    auto granted = asked.within(limit);
    if (granted.empty())
        granted = registered_scope(client, policy).with(policy.scopes_of(resource)).within(limit);
    if (granted.empty())
        return make_error(
            ErrorCode::invalid_scope,
            PublicMessage{"this app was not set up for the scopes that this server needs"},
            LogDetail{"the operator's client has none of the resource's scopes"}, "scope");
    return granted;
}

Error invalid_target(const char* message) {
    return make_error(ErrorCode::invalid_target, PublicMessage{message}, LogDetail{}, "resource");
}

// out: absent when the request names none of several
Result<std::optional<GuardedResource>> meant_resource(
    const AuthorizationRequest& request, const Policy& policy) {
    using Meant = std::optional<GuardedResource>;
    if (request.resource.repeated()) return invalid_target("only one resource can be named");
    const auto named = request.resource.value;
    if (!named)
        return policy.resources.size() == 1 ? Meant(policy.resources.front()) : std::nullopt;
    if (!check_resource_uri(*named))
        return invalid_target("resource must be an absolute URI without a fragment");
    auto known = policy.meant_resource(*named);
    if (!known) return invalid_target("this server does not guard that resource");
    return known;
}

// Without a resource, the flow keeps what the client asks for until the person has chosen one.
Checked set_target(
    Flow& flow, const std::optional<GuardedResource>& resource, const ScopeSet& asked,
    const Client& client, const Policy& policy) {
    if (!resource) {
        flow.resource_by_person = true;
        flow.asked_scope = flow.scope = asked.within(max_scope(client, policy));
        return Nothing{};
    }
    flow.resource = resource->url;
    return grant_scope(asked, client, policy, *resource).store_in(flow.scope);
}

Checked check_prompt(const AuthorizationRequest& request) {
    if (request.prompt.value != "none") return Nothing{};
    return make_error(
        ErrorCode::login_required, PublicMessage{"consent cannot be given without showing a page"},
        LogDetail{}, "prompt");
}

// Nothing else of the request reaches a person's identity provider, or whoever wrote a link could
// steer how they sign in there. A value that cannot be read counts as none.
// spec: docs/requirements_signin.md SI21
WantedProof read_wanted_proof(const AuthorizationRequest& request) {
    constexpr int longest = 86400;
    WantedProof wanted;
    for (const auto& word : split(request.prompt.value.value_or(""), ' '))
        if (word == "login" || word == "select_account") wanted.prompt = word;
    int seconds = -1;
    const auto age = request.max_age.value.value_or("");
    const auto [end, problem] = std::from_chars(age.data(), age.data() + age.size(), seconds);
    if (problem == std::errc() && end == age.data() + age.size() && seconds >= 0 &&
        seconds <= longest)
        wanted.max_age = Span(seconds);
    return wanted;
}

Result<Flow> read_parameters(
    const AuthorizationRequest& request, const Client& client, const Policy& policy,
    const ReturnPath& back) {
    Flow flow;
    flow.client_id = client.id;
    flow.redirect_uri = back.redirect_uri();
    flow.state = back.state();
    flow.code_challenge = request.code_challenge.value.value_or("");
    flow.wanted_proof = read_wanted_proof(request);
    std::optional<GuardedResource> resource;
    ScopeSet asked;
    return Checked(request.not_repeated)
        .and_then([&] { return check_response(request); })
        .and_then([&] { return check_challenge(request); })
        .and_then([&] { return meant_resource(request, policy); })
        .store_in(resource)
        .and_then([&] { return read_scope(request); })
        .store_in(asked)
        .and_then([&] { return set_target(flow, resource, asked, client, policy); })
        .and_then([&] { return check_prompt(request); })
        .transform([&] { return std::move(flow); });
}

} // namespace

bool looks_cut(const AuthorizationRequest& sent) {
    const auto broken = [](const Parameter& parameter) {
        const auto text = parameter.value.value_or("");
        return text.find(' ') != std::string::npos || has_control(text);
    };
    const auto lacks = [](const Parameter& parameter) {
        return !parameter.value && !parameter.repeated();
    };
    const auto too_short = [](const Parameter& challenge) {
        return challenge.value && challenge.value->size() < challenge_length;
    };
    const bool as_object = sent.request.count > 0 || sent.request_uri.count > 0;
    const std::array needed{&sent.client_id, &sent.response_type, &sent.code_challenge};
    return std::any_of(
               needed.begin(), needed.end(),
               [&](const auto* one) { return broken(*one) || (lacks(*one) && !as_object); }) ||
           broken(sent.redirect_uri) || too_short(sent.code_challenge);
}

bool looks_cut(const RedirectMismatch& mismatch) {
    return !mismatch.requested.empty() &&
           std::any_of(
               mismatch.registered.begin(), mismatch.registered.end(),
               [&](const std::string& whole) {
                   return whole.size() > mismatch.requested.size() &&
                          whole.starts_with(mismatch.requested);
               });
}

Result<ClientId> authorize_client_id(const AuthorizationRequest& request) {
    const auto id = ClientId(request.client_id.value.value_or(""));
    const auto longest = names_document(id) ? max_client_url_bytes : max_id_bytes;
    if (!id.text.empty() && id.text.size() <= longest && !has_control(id.text)) return id;
    const auto* message = request.client_id.repeated() ? "client_id was sent more than once"
                                                       : "client_id is missing or malformed";
    return make_error(ErrorCode::invalid_client, PublicMessage{message}, LogDetail{}, "client_id");
}

Result<Flow> validate_authorization_request(
    const AuthorizationRequest& request, const std::optional<Client>& client, const Policy& policy,
    FlowId fresh, Digest browser, Instant now) {
    if (!client || !client->active) {
        return make_error(
            ErrorCode::invalid_client, PublicMessage{"this client is not registered here"},
            LogDetail{client ? "disabled" : "unknown"}, "client_id");
    }
    const auto back = match_return_path(request, *client, policy);
    if (!back) return back.error();
    auto flow = read_parameters(request, *client, policy, *back);
    if (!flow) {
        flow.error().back = *back;
        return flow;
    }
    flow->id = std::move(fresh);
    flow->browser = std::move(browser);
    flow->created_at = now;
    flow->expires_at = now + policy.flow_lifetime;
    return flow;
}

Result<Flow> choose_resource(
    Flow flow, const std::optional<std::string>& named, const Client& client,
    const Policy& policy) {
    if (!flow.resource_by_person)
        return make_error(
            ErrorCode::invalid_request, PublicMessage{"the app said which server it wants"},
            LogDetail{"the client named the resource"}, "resource");
    flow.resource = named.value_or("");
    if (auto chosen = check_resource_chosen(flow); !chosen) return chosen.error();
    const auto known = policy.known_resource(flow.resource);
    if (!known) return invalid_target("this server does not guard that resource");
    if (auto set = set_target(flow, known, flow.asked_scope, client, policy); !set)
        return set.error();
    return flow;
}

} // namespace consentgate::core
