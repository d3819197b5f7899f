#include "consentgate/core/oauth/client.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/client_auth.h"
#include "consentgate/core/oauth/client_document.h"
#include "host_list.h"
#include "registration_reader.h"

#include <algorithm>

namespace consentgate::core {
namespace {

constexpr std::size_t max_redirect_uris = 16;
constexpr const char* refresh_grant = "refresh_token";

// An operator who enters a client hears of an address that cannot be kept: nobody else would ever
// look at the answer.
Result<RedirectUris> read_redirects(const JsonObject& body, const Policy& policy, Registrant by) {
    const bool vouched = by == Registrant::an_operator;
    Checked first_bad = Nothing{};
    auto uris = read_redirect_uris(body, max_redirect_uris, [&](const std::string& uri) {
        auto checked = check_redirect_uri(uri);
        if (checked && !vouched) checked = check_redirect_allowed(uri, policy.redirects);
        if (!checked && first_bad) first_bad = checked;
        return checked;
    });
    if (!uris || !vouched || first_bad) return uris;
    return make_error(
        ErrorCode::invalid_redirect_uri, PublicMessage{first_bad.error().message}, LogDetail{},
        "redirect_uris");
}

// The first of those it offers that we like best: a client that need not keep a secret loses none.
std::optional<ClientAuth> choose_auth(
    const JsonObject& body, const Policy& policy, const std::vector<std::string>& offered) {
    const bool has_keys = body.has("jwks") || (policy.documents.accepted && body.has("jwks_uri"));
    for (const auto auth :
         {ClientAuth::none, ClientAuth::private_key_jwt, ClientAuth::client_secret_post,
          ClientAuth::client_secret_basic}) {
        const bool named =
            std::find(offered.begin(), offered.end(), name_of(auth)) != offered.end();
        if (named && (auth != ClientAuth::private_key_jwt || has_keys)) return auth;
    }
    return std::nullopt;
}

Result<ClientAuth> read_auth(const JsonObject& body, const Policy& policy) {
    const auto* const member = "token_endpoint_auth_method";
    if (body.has(member)) {
        const auto name = body.text(member);
        if (!name) return metadata_error("token_endpoint_auth_method must be a string", member);
        return client_auth_of(*name).value_or(ClientAuth::none);
    }
    const auto offered = body.texts("token_endpoint_auth_methods_supported");
    if (offered && !offered->empty())
        return choose_auth(body, policy, *offered).value_or(ClientAuth::none);
    return ClientAuth::client_secret_basic;
}

Result<ClientKeys> read_keys(const JsonObject& body, ClientAuth auth, const Policy& policy) {
    if (body.has("jwks") && body.has("jwks_uri"))
        return metadata_error("jwks and jwks_uri must not both be given", "jwks");
    if (auth != ClientAuth::private_key_jwt) return ClientKeys{};
    return read_client_keys(body, policy.documents);
}

} // namespace

Result<Client> validate_registration(
    std::string_view text, const Policy& policy, ClientId fresh, Instant now, Registrant by) {
    const auto body = parse_json_object(text);
    if (!body) return metadata_error("the body must be a JSON object in UTF-8", "");
    Client client;
    ClientKeys keys;
    RedirectUris redirects;
    return read_redirects(*body, policy, by)
        .store_in(redirects)
        .and_then([&] { return read_client_name(*body); })
        .store_in(client.name)
        .and_then([&] { return check_list(*body, "grant_types", "authorization_code"); })
        .and_then([&] { return check_list(*body, "response_types", "code"); })
        .and_then([&] { return read_auth(*body, policy); })
        .store_in(client.auth)
        .and_then([&] { return read_keys(*body, client.auth, policy); })
        .store_in(keys)
        .and_then([&] { return read_scope(*body, policy); })
        .store_in(client.scope)
        .transform([&] {
            client.id = std::move(fresh);
            client.redirect_uris = std::move(redirects.kept);
            client.dropped_redirects = redirects.dropped;
            client.by_operator = by == Registrant::an_operator;
            client.metadata = json_string(read_decorations(*body));
            client.refresh = policy.refreshes() && lists_refresh(*body);
            client.created_at = now;
            client.jwks = std::move(keys.jwks);
            client.jwks_uri = std::move(keys.uri);
            return std::move(client);
        });
}

Checked check_own_registration(const Client& client) {
    std::size_t bytes = client.name.size() + client.scope.size() + client.metadata.size() +
                        client.jwks.size() + client.jwks_uri.size();
    for (const auto& uri : client.redirect_uris) bytes += uri.size() + 1;
    if (bytes > max_registration_bytes)
        return metadata_error("a registration is at most 4 KiB of names, addresses and keys", "");
    return Nothing{};
}

Checked check_redirect_allowed(std::string_view uri, const RedirectPolicy& policy) {
    const auto parts = split_uri(uri).value_or(UriParts{});
    const auto scheme = lower_ascii(parts.scheme);
    const auto refuse = [&](const std::string& what) {
        return make_error(
            ErrorCode::invalid_redirect_uri,
            PublicMessage{"this server takes no redirect URI " + what},
            LogDetail{"not in registration_redirect_hosts or registration_redirect_schemes"},
            "redirect_uris");
    };
    const auto lists = [](const std::optional<std::vector<std::string>>& entries,
                          std::string_view entry) {
        return !entries || std::find(entries->begin(), entries->end(), entry) != entries->end();
    };
    if (describe_redirect(uri).kind == RedirectKind::private_scheme) {
        if (lists(policy.schemes, scheme)) return Nothing{};
        return refuse("with the scheme " + scheme);
    }
    if (is_loopback_host(parts.host)) {
        if (lists(policy.hosts, loopback_word)) return Nothing{};
        return refuse("on the person's own computer");
    }
    const auto host = lower_ascii(parts.host);
    const int port = parts.port.empty() ? default_https_port
                                        : static_cast<int>(parse_number(parts.port).value_or(0));
    if (!policy.hosts || host_listed(*policy.hosts, host, port, false)) return Nothing{};
    return refuse("at the host " + host);
}

std::string_view name_of(ClientAuth auth) {
    switch (auth) {
    case ClientAuth::none: return "none";
    case ClientAuth::client_secret_basic: return "client_secret_basic";
    case ClientAuth::client_secret_post: return "client_secret_post";
    case ClientAuth::private_key_jwt: return "private_key_jwt";
    }
    return "none";
}

std::optional<ClientAuth> client_auth_of(std::string_view name) {
    for (const auto auth :
         {ClientAuth::none, ClientAuth::client_secret_basic, ClientAuth::client_secret_post,
          ClientAuth::private_key_jwt}) {
        if (name_of(auth) == name) return auth;
    }
    return std::nullopt;
}

std::string registration_response(const Client& client, const std::optional<Secret>& secret) {
    JsonObject document;
    document.set("client_id", client.id.text);
    if (secret) document.set("client_secret", secret->reveal()).set("client_secret_expires_at", 0);
    document.set("client_id_issued_at", epoch(client.created_at));
    if (!client.name.empty()) document.set("client_name", client.name);
    document.set("redirect_uris", json_array(client.redirect_uris));
    document.set(
        "grant_types", client.refresh ? json_array({"authorization_code", refresh_grant})
                                      : json_array({"authorization_code"}));
    document.set("response_types", json_array({"code"}));
    document.set("token_endpoint_auth_method", std::string(name_of(client.auth)));
    if (!client.jwks_uri.empty())
        document.set("jwks_uri", client.jwks_uri);
    else if (const auto jwks = parse_json_object(client.jwks))
        document.set("jwks", *jwks);
    if (!client.scope.empty()) document.set("scope", client.scope);
    if (const auto kept = parse_json_object(client.metadata)) {
        for (const auto& [name, value] : kept->members()) document.set(name, value);
    }
    return json_string(document);
}

ScopeSet registered_scope(const Client& client, const Policy& policy) {
    return ScopeSet::parse(client.scope).value_or(ScopeSet{}).within(policy.catalogue());
}

ScopeSet max_scope(const Client& client, const Policy& policy) {
    return client.by_operator && !client.scope.empty() ? registered_scope(client, policy)
                                                       : policy.catalogue();
}

std::optional<ReturnPath> match_redirect(
    const Client& client, std::string_view requested, std::optional<std::string> state,
    const RedirectPolicy& policy) {
    const bool registered = std::any_of(
        client.redirect_uris.begin(), client.redirect_uris.end(),
        [&](const std::string& uri) { return redirect_matches(uri, requested); });
    // Checked again at use: a loopback match admits a new port, and a stored row may be older than
    // the rule or the operator's list.
    if (!registered || !check_redirect_uri(requested)) return std::nullopt;
    if (!client.by_operator && !check_redirect_allowed(requested, policy)) return std::nullopt;
    const bool local = describe_redirect(requested).kind == RedirectKind::loopback;
    return ReturnPath(std::string(requested), std::move(state), local || client.by_operator);
}

} // namespace consentgate::core
