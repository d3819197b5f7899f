#include "consentgate/core/upstream/service_discovery.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/metadata.h"
#include "consentgate/core/oauth/scope.h"
#include "consentgate/core/upstream/published_document.h"

#include <algorithm>

namespace consentgate::core {
namespace {

using Texts = std::vector<std::string>;

constexpr std::size_t max_url_bytes = 2048, max_service_id_bytes = 64, max_client_id_bytes = 2048,
                      max_servers = 8, max_bearer_bytes = 8192;

Error unusable(const std::string& message) {
    return make_error(ErrorCode::server_error, PublicMessage{message});
}

// The path, without a last slash: "" for a root.
std::string path_of(const std::string& url) {
    const auto parts = split_uri(url).value_or(UriParts{});
    auto path = std::string(parts.rest.substr(0, parts.rest.find_first_of("?#")));
    while (path.ends_with('/')) path.pop_back();
    return path;
}

Result<std::string> read_needed_endpoint(const JsonObject& document, const std::string& name) {
    if (!document.has(name)) return unusable("the document names no " + name);
    const auto url = document.text(name);
    if (!url) return unusable(name + " is not text");
    if (const auto valid = check_endpoint(*url); !valid)
        return unusable(name + " cannot be used: " + valid.error().message);
    return *url;
}

// Absent members mean what RFC 8414 section 2 says they mean.
Checked read_methods(const JsonObject& document, ServerDocument& server) {
    if (auto able = check_code_grant(document, "the server"); !able) return able;
    server.announces_s256 = holds(read_list(document, "code_challenge_methods_supported"), "S256");
    const auto methods = read_list(document, "token_endpoint_auth_methods_supported");
    for (const auto& method : methods.empty() ? Texts{"client_secret_basic"} : methods) {
        const auto known = client_auth_of(method);
        if (known && *known != ClientAuth::private_key_jwt) server.auth_methods.push_back(*known);
    }
    if (server.auth_methods.empty())
        return unusable("the server takes no client authentication that consentgate has (none, "
                        "client_secret_basic, client_secret_post)");
    return Nothing{};
}

void describe_us(
    JsonObject& document, const Policy& policy, ClientAuth auth,
    const std::optional<ServiceId>& own) {
    document.set("client_name", policy.client_name).set("client_uri", policy.origin());
    document.set("redirect_uris", json_array({callback_url(policy, own)}));
    document.set("grant_types", json_array({"authorization_code", "refresh_token"}));
    document.set("response_types", json_array({"code"}));
    document.set("token_endpoint_auth_method", std::string(name_of(auth)));
}

// It goes into a header: visible ASCII.
bool is_bearer_text(const std::string& token) {
    return !token.empty() && token.size() <= max_bearer_bytes &&
           std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; });
}

// Where people are sent, and where we would register.
Texts authorizing_endpoints(const Service& service) {
    Texts endpoints{service.authorization_endpoint};
    if (!service.registration_endpoint.empty()) endpoints.push_back(service.registration_endpoint);
    return endpoints;
}

} // namespace

Checked check_service_id(std::string_view id) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    if (id.empty() || id.size() > max_service_id_bytes || !std::all_of(id.begin(), id.end(), fits))
        return unusable("a service's name is 1 to 64 of a-z, 0-9, - and _");
    return Nothing{};
}

Checked check_endpoint(std::string_view url) {
    if (url.size() > max_url_bytes) return unusable("a URL is at most 2048 bytes long");
    const auto parts = split_uri(url);
    if (!parts || !parts->hierarchical || parts->host.empty())
        return unusable("it is not an absolute URL");
    if (parts->has_userinfo) return unusable("it carries a user name");
    if (url.find('#') != std::string_view::npos) return unusable("it has a fragment");
    const auto scheme = lower_ascii(parts->scheme);
    if (scheme == "https" || (scheme == "http" && is_loopback_host(parts->host))) return Nothing{};
    return unusable("it is not https (http is for 127.0.0.1, [::1] and localhost only)");
}

std::optional<std::string> challenge_parameter(
    std::string_view authenticate, std::string_view name) {
    bool quoted = false;
    for (std::size_t i = 0; i < authenticate.size(); ++i) {
        if (quoted && authenticate[i] == '\\') {
            ++i;
            continue;
        }
        if (authenticate[i] == '"') {
            quoted = !quoted;
            continue;
        }
        const bool begins = !quoted && (i == 0 || authenticate[i - 1] == ' ' ||
                                        authenticate[i - 1] == ',' || authenticate[i - 1] == '\t');
        if (!begins || !same_ignoring_case(authenticate.substr(i, name.size()), name)) continue;
        auto rest = trim(authenticate.substr(i + name.size()));
        if (!rest.starts_with('=')) continue;
        rest = trim(rest.substr(1));
        if (!rest.starts_with('"')) return std::string(rest.substr(0, rest.find_first_of(", \t")));
        std::string value;
        for (std::size_t k = 1; k < rest.size() && rest[k] != '"'; ++k) {
            if (rest[k] == '\\' && k + 1 < rest.size()) ++k;
            value += rest[k];
        }
        return value;
    }
    return std::nullopt;
}

std::vector<std::string> resource_metadata_urls(const std::string& url) {
    const auto root = origin_of(url) + endpoint::resource_metadata;
    const auto path = path_of(url);
    return path.empty() ? Texts{root} : Texts{root + path, root};
}

std::vector<std::string> server_metadata_urls(const std::string& issuer) {
    const auto origin = origin_of(issuer), path = path_of(issuer);
    const std::string openid = "/.well-known/openid-configuration";
    Texts urls{origin + endpoint::server_metadata + path, origin + openid + path};
    if (!path.empty()) urls.push_back(origin + path + openid);
    return urls;
}

Result<ResourceDocument> read_resource_document(std::string_view body, const std::string& url) {
    const auto document = parse_json_object(without_byte_order_mark(body));
    if (!document) return unusable("it is not a JSON object");
    ResourceDocument read;
    read.resource = document->text("resource").value_or("");
    if (const auto valid = check_endpoint(read.resource); !valid)
        return unusable("its resource cannot be used: " + valid.error().message);
    const auto above = path_of(read.resource), path = path_of(url);
    const bool covers = same_resource(origin_of(read.resource), origin_of(url)) &&
                        (path == above || path.starts_with(above + "/"));
    if (!covers) return unusable("it is about another resource, " + read.resource);
    const auto servers = read_list(*document, "authorization_servers");
    if (servers.empty()) return unusable("it names no authorization_servers");
    for (const auto& issuer : servers) {
        if (read.servers.size() < max_servers && check_endpoint(issuer) &&
            issuer.find('?') == std::string::npos)
            read.servers.push_back(issuer);
    }
    if (read.servers.empty())
        return unusable("none of its authorization_servers can be used: they must be https");
    read.scopes = read_list(*document, "scopes_supported");
    return read;
}

bool same_issuer(std::string_view left, std::string_view right) {
    if (left == right) return true;
    const auto bare = [](std::string_view issuer) {
        const bool root = path_of(std::string(issuer)).empty() &&
                          issuer.find_first_of("?#") == std::string_view::npos;
        return root && issuer.ends_with('/') ? issuer.substr(0, issuer.size() - 1) : issuer;
    };
    return bare(left) == bare(right);
}

Result<ServerDocument> read_server_document(
    std::string_view body, const std::string& issuer, const std::string& trusted) {
    const auto document = parse_json_object(without_byte_order_mark(body));
    if (!document) return unusable("it is not a JSON object");
    ServerDocument read;
    read.issuer = document->text("issuer").value_or("");
    if (!same_issuer(read.issuer, issuer) &&
        (trusted.empty() || !same_issuer(read.issuer, trusted)))
        return unusable(
            "it is another issuer's: it names '" + display_text(read.issuer, 200) + "', and " +
            issuer + " was asked; --issuer names the right one by your word");
    const std::pair<const char*, std::string ServerDocument::*> needed[] = {
        {"authorization_endpoint", &ServerDocument::authorization_endpoint},
        {"token_endpoint", &ServerDocument::token_endpoint}};
    for (const auto& [name, field] : needed) {
        auto url = read_needed_endpoint(*document, name);
        if (!url) return url.error();
        read.*field = std::move(*url);
    }
    read.registration_endpoint = read_endpoint(*document, "registration_endpoint");
    read.revocation_endpoint = read_endpoint(*document, "revocation_endpoint");
    if (auto methods = read_methods(*document, read); !methods) return methods.error();
    read.scopes = read_list(*document, "scopes_supported");
    read.sends_iss =
        document->flag("authorization_response_iss_parameter_supported").value_or(false);
    read.takes_documents = document->flag("client_id_metadata_document_supported").value_or(false);
    return read;
}

std::string plain_origin(std::string_view url) {
    const auto parts = split_uri(url).value_or(UriParts{});
    const auto scheme = lower_ascii(parts.scheme);
    const auto origin = scheme + "://" + lower_ascii(parts.host);
    const bool standard = parts.port.empty() || (scheme == "https" && parts.port == "443") ||
                          (scheme == "http" && parts.port == "80");
    return standard ? origin : origin + ":" + std::string(parts.port);
}

Checked check_origins(const Service& service, const std::vector<Service>& others) {
    if (service.takes_keys()) return Nothing{}; // it has no codes, as the others below
    const auto tokens = plain_origin(service.token_endpoint);
    for (const auto& endpoint : authorizing_endpoints(service)) {
        const auto origin = plain_origin(endpoint);
        const bool named = std::any_of(
            service.authorization_origins.begin(), service.authorization_origins.end(),
            [&](const auto& one) { return plain_origin(one) == origin; });
        if (origin != tokens && !named)
            return unusable(
                "its " + endpoint + " is not on the origin of its token endpoint, " + tokens +
                "; if both are the provider's, say --authorization-origin " + origin);
        for (const auto& other : others) {
            const auto theirs = authorizing_endpoints(other);
            const bool there = std::any_of(theirs.begin(), theirs.end(), [&](const auto& one) {
                return plain_origin(one) == origin;
            });
            if (other.id != service.id && there && !other.takes_keys() &&
                plain_origin(other.token_endpoint) != tokens)
                return unusable(
                    "its " + endpoint + " is where the service " + other.id.text +
                    " has people sign in, whose token endpoint is elsewhere, at " +
                    plain_origin(other.token_endpoint) +
                    ": one of the two could get the codes of the other");
        }
    }
    return Nothing{};
}

std::string callback_url(const Policy& policy, const std::optional<ServiceId>& own) {
    return policy.origin() + endpoint::callback + (own ? "/" + own->text : "");
}
std::string client_document_url(const Policy& policy, const std::optional<ServiceId>& own) {
    if (!own) return policy.origin() + endpoint::client_metadata;
    return policy.origin() + endpoint::client_metadata_below + "/" + own->text + ".json";
}

std::string own_client_document(const Policy& policy, const std::optional<ServiceId>& own) {
    JsonObject document;
    document.set("client_id", client_document_url(policy, own));
    describe_us(document, policy, ClientAuth::none, own);
    return json_string(document);
}

bool client_document_is_public(const Policy& policy) {
    const auto parts = split_uri(policy.issuer).value_or(UriParts{});
    const auto host = lower_ascii(parts.host);
    const auto last = host.substr(host.rfind('.') + 1);
    const bool name = host.find('.') != std::string::npos && !host.starts_with('[') &&
                      last.find_first_not_of("0123456789") != std::string::npos;
    return policy.secure() && name &&
           !holds({"localhost", "local", "internal", "lan", "test", "invalid"}, last);
}

Registration choose_registration(const ServerDocument& server, const Policy& policy) {
    const auto& methods = server.auth_methods;
    const bool without_secret =
        std::find(methods.begin(), methods.end(), ClientAuth::none) != methods.end();
    if (server.takes_documents && without_secret && client_document_is_public(policy))
        return Registration::document;
    return server.registration_endpoint.empty() ? Registration::given : Registration::dynamic;
}

ClientAuth choose_auth(const ServerDocument& server, Registration registration) {
    const auto& methods = server.auth_methods;
    const bool has_none =
        std::find(methods.begin(), methods.end(), ClientAuth::none) != methods.end();
    if (registration == Registration::document || (has_none && server.announces_s256))
        return ClientAuth::none;
    return choose_secret(server).value_or(ClientAuth::none);
}

std::optional<ClientAuth> choose_secret(const ServerDocument& server) {
    const auto& methods = server.auth_methods;
    for (const auto auth : {ClientAuth::client_secret_basic, ClientAuth::client_secret_post}) {
        if (std::find(methods.begin(), methods.end(), auth) != methods.end()) return auth;
    }
    return std::nullopt;
}

std::string registration_request(const Policy& policy, const Service& service) {
    JsonObject request;
    describe_us(request, policy, service.auth, service.own_callback());
    // A server that knows application types lets only a native one come back to a loopback address.
    request.set("application_type", policy.secure() ? "web" : "native");
    if (!service.scope.empty()) request.set("scope", service.scope);
    return json_string(request);
}

Result<Registered> read_registration(std::string_view body, ClientAuth asked) {
    const auto document = parse_json_object(without_byte_order_mark(body));
    if (!document) return unusable("the answer is not a JSON object");
    Registered read;
    read.client_id = document->text("client_id").value_or("");
    if (read.client_id.empty() || read.client_id.size() > max_client_id_bytes ||
        has_control(read.client_id) || !valid_utf8(read.client_id))
        return unusable("the answer holds no usable client_id");
    const auto method = document->text("token_endpoint_auth_method").value_or("");
    const auto known = method.empty() ? asked : client_auth_of(method);
    if (!known || *known == ClientAuth::private_key_jwt)
        return unusable(
            "the service wants us to authenticate with " + display_text(method, 60) +
            ", which consentgate does not have");
    read.auth = *known;
    const auto managed = document->text("registration_client_uri").value_or("");
    const auto token = document->text("registration_access_token").value_or("");
    if (check_endpoint(managed) && is_bearer_text(token)) {
        read.client_uri = managed;
        read.access_token = Secret(token);
    }
    if (read.auth == ClientAuth::none) return read;
    read.secret = Secret(document->text("client_secret").value_or(""));
    if (read.secret.empty() || has_control(read.secret.reveal()))
        return unusable("the answer holds no usable client_secret");
    read.secret_expires_at = document->integer("client_secret_expires_at").value_or(0);
    return read;
}

std::string choose_scope(
    const std::optional<std::string>& challenge, const std::vector<std::string>& resource,
    const std::vector<std::string>& server) {
    auto scopes = challenge && ScopeSet::parse(*challenge) ? split(*challenge, ' ') : resource;
    if (scopes.empty() || !ScopeSet::parse(join(scopes, " "))) return {};
    if (holds(server, "offline_access") && !holds(scopes, "offline_access"))
        scopes.push_back("offline_access");
    return join(scopes, " ");
}

} // namespace consentgate::core
