#include "consentgate/core/oauth/authorize.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/pkce.h"

namespace consentgate::core {
namespace {

Result<ReturnPath> settle_return_path(const Form& query, const Client& client) {
    const auto fail = [&](const char* message, const std::string& requested) {
        auto error = make_error(
            ErrorCode::invalid_redirect_uri, PublicMessage{message},
            LogDetail{"client " + client.id.text}, "redirect_uri");
        error.detail = requested + "\n" + join(client.redirect_uris, "\n");
        return error;
    };
    if (query.count("redirect_uri") > 1) return fail("redirect_uri was sent more than once", "");
    // A repeated state is sent back as none, because choosing one would be a guess (requirement
    // A11).
    const auto state = query.get("state");
    const auto requested = query.get("redirect_uri");
    if (!requested && client.redirect_uris.size() != 1) return fail("redirect_uri is missing", "");
    const auto address = requested ? *requested : client.redirect_uris.front();
    auto back = match_redirect(client, address, state);
    if (!back) return fail("redirect_uri is not one of the client's", address);
    return std::move(*back);
}

std::optional<Error> check_response(const Form& query) {
    // Nothing is fetched for anybody, and what such a request holds must not be taken for absent.
    // spec: RFC 9101 section 6.2
    if (query.count("request") > 0)
        return make_error(
            ErrorCode::request_not_supported, PublicMessage{"request objects are not supported"},
            LogDetail{}, "request");
    if (query.count("request_uri") > 0)
        return make_error(
            ErrorCode::request_uri_not_supported, PublicMessage{"request_uri is not supported"},
            LogDetail{}, "request_uri");
    const auto type = query.get("response_type");
    if (!type)
        return make_error(
            ErrorCode::invalid_request, PublicMessage{"response_type is missing"}, LogDetail{},
            "response_type");
    if (*type != "code")
        return make_error(
            ErrorCode::unsupported_response_type,
            PublicMessage{"only response_type=code is supported"}, LogDetail{}, "response_type");
    if (query.get("response_mode").value_or("query") != "query") {
        return make_error(
            ErrorCode::invalid_request, PublicMessage{"only response_mode=query is supported"},
            LogDetail{}, "response_mode");
    }
    return std::nullopt;
}

std::optional<Error> check_challenge(const Form& query) {
    const auto challenge = query.get("code_challenge");
    if (!challenge)
        return make_error(
            ErrorCode::invalid_request, PublicMessage{"code_challenge is missing"}, LogDetail{},
            "code_challenge");
    if (query.get("code_challenge_method") != "S256") {
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
    return std::nullopt;
}

// Narrowed, never widened: what the catalogue or the client's registration lacks is dropped, and
// the token response says what was granted (RFC 6749 section 3.3).
Result<ScopeSet> settle_scope(
    const Form& query, const Client& client, const Policy& policy,
    const GuardedResource& resource) {
    const auto limit = max_scope(client, policy);
    const auto text = query.get("scope");
    const auto asked = text ? ScopeSet::parse(*text) : policy.scopes_of(resource);
    auto granted = asked ? asked->within(limit) : ScopeSet{};
    if (granted.empty())
        return make_error(
            ErrorCode::invalid_scope, PublicMessage{"none of the requested scopes is known"},
            LogDetail{}, "scope");
    return granted;
}

Result<GuardedResource> settle_resource(const Form& query, const Policy& policy) {
    const auto fail = [](const char* message) {
        return make_error(
            ErrorCode::invalid_target, PublicMessage{message}, LogDetail{}, "resource");
    };
    if (query.count("resource") > 1) return fail("only one resource can be named");
    const auto named = query.get("resource");
    if (!named && policy.resources.size() == 1) return policy.resources.front();
    if (!named) return fail("resource is missing, and this server guards more than one");
    if (resource_uri_problem(*named))
        return fail("resource must be an absolute URI without a fragment");
    auto known = policy.known_resource(*named);
    if (!known) return fail("this server does not guard that resource");
    return std::move(*known);
}

Result<Flow> check_parameters(
    const Form& query, const Client& client, const Policy& policy, const ReturnPath& back) {
    if (auto repeated = query.check_not_repeated("resource"); !repeated) return repeated.error();
    if (auto error = check_response(query)) return *error;
    if (auto error = check_challenge(query)) return *error;
    auto resource = settle_resource(query, policy);
    if (!resource) return resource.error();
    auto scope = settle_scope(query, client, policy, *resource);
    if (!scope) return scope.error();
    if (query.get("prompt") == "none") {
        return make_error(
            ErrorCode::login_required,
            PublicMessage{"consent cannot be given without showing a page"}, LogDetail{}, "prompt");
    }
    Flow flow;
    flow.client_id = client.id;
    flow.redirect_uri = back.redirect_uri();
    flow.state = back.state();
    flow.code_challenge = query.get("code_challenge").value_or("");
    flow.scope = std::move(*scope);
    flow.resource = std::move(resource->url);
    return flow;
}

} // namespace

Result<ClientId> authorize_client_id(const Form& query) {
    const auto id = query.get("client_id");
    if (id && id->size() <= 190 && !has_control(*id)) return ClientId(*id);
    const auto* message = query.count("client_id") > 1 ? "client_id was sent more than once"
                                                       : "client_id is missing or malformed";
    return make_error(ErrorCode::invalid_client, PublicMessage{message}, LogDetail{}, "client_id");
}

Result<Flow> validate_authorization_request(
    const Form& query, const std::optional<Client>& client, const Policy& policy, FlowId fresh,
    Digest browser, Instant now) {
    if (!client || !client->active) {
        return make_error(
            ErrorCode::invalid_client, PublicMessage{"this client is not registered here"},
            LogDetail{client ? "disabled" : "unknown"}, "client_id");
    }
    const auto back = settle_return_path(query, *client);
    if (!back) return back.error();
    auto flow = check_parameters(query, *client, policy, *back);
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

} // namespace consentgate::core
