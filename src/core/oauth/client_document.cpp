#include "consentgate/core/oauth/client_document.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/base/time.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/client_auth.h"
#include "host_list.h"
#include "registration_reader.h"

#include <algorithm>

namespace consentgate::core {
namespace {

constexpr std::size_t max_redirect_uris = 32;
constexpr Span min_lifetime{60}, default_lifetime{3600}, max_lifetime{86400};
constexpr std::size_t max_uri_bytes = 2048; // bytes

Error unusable(const std::string& message, const std::string& reason = {}) {
    return make_error(
        ErrorCode::invalid_client_document, PublicMessage{message}, LogDetail{reason}, "client_id");
}

// A name that only a resolver can make an address of: no literal of any notation, as browsers tell
// them apart.
// spec: WHATWG URL, "ends in a number"
bool is_name(std::string_view host) {
    if (host.empty() || host.starts_with('[') || host.starts_with('.') || host.ends_with('.') ||
        host.find("..") != std::string_view::npos)
        return false;
    const auto last = host.substr(host.rfind('.') + 1); // all of it when there is no dot
    const bool digits = last.find_first_not_of("0123456789") == std::string_view::npos;
    const bool hexadecimal =
        last.starts_with("0x") &&
        last.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos;
    return !digits && !hexadecimal;
}

bool has_dot_segment(std::string_view path) {
    for (const auto& segment : split(path, '/')) {
        const auto plain = percent_decode(segment, false).value_or(segment);
        if (plain == "." || plain == "..") return true;
    }
    return false;
}

// A document is unusable for whatever the reader of registrations refuses.
template <class Value> Result<Value> in_document(Result<Value> read) {
    if (read) return read;
    return unusable(read.error().message);
}

Result<RedirectUris> read_redirects(const JsonObject& document, const RedirectPolicy& policy) {
    return in_document(read_redirect_uris(document, max_redirect_uris, [&](const std::string& uri) {
        return check_redirect_uri(uri).and_then(
            [&] { return check_redirect_allowed(uri, policy); });
    }));
}

Checked check_no_secret(const JsonObject& document) {
    for (const auto* member : {"client_secret", "client_secret_expires_at"}) {
        if (document.contains(member))
            return unusable(std::string(member) + " must not be in a public document");
    }
    const auto method = document.text("token_endpoint_auth_method").value_or("");
    if (method.starts_with("client_secret"))
        return unusable("token_endpoint_auth_method must not rest on a shared secret");
    return Nothing{};
}

// How the client proves itself: by the keys that the document names, or not at all, or by either
// when it offers both.
// spec: OpenID Connect Relying Party Metadata Choices 1.0; docs/requirements.md R28, XE1
struct Proof {
    ClientAuth auth = ClientAuth::none;
    ClientKeys keys{};
};

Result<ClientKeys> read_document_keys(
    const JsonObject& document, const DocumentUrl& url, const DocumentPolicy& policy) {
    auto keys = read_client_keys(document, policy);
    if (!keys || keys->uri.empty()) return keys;
    // Without this rule, a document could make us send requests to any other host.
    const auto at = validate_keys_url(keys->uri, policy);
    if (!at || at->host != url.host || at->port != url.port)
        return unusable("the jwks_uri of a document must be on the document's own host and port");
    return keys;
}

Result<Proof> read_proof(
    const JsonObject& document, const DocumentUrl& url, const DocumentPolicy& policy) {
    const bool chosen = document.has("token_endpoint_auth_method");
    const bool choice = document.has("token_endpoint_auth_methods_supported");
    const auto method = document.text("token_endpoint_auth_method");
    const auto methods = document.texts("token_endpoint_auth_methods_supported");
    if ((chosen && !method) || (choice && !methods))
        return unusable(
            "the token endpoint authentication method must be text, the supported ones an array of "
            "texts");
    const auto offers = [&](ClientAuth auth) {
        return method == name_of(auth) ||
               (methods &&
                std::find(methods->begin(), methods->end(), name_of(auth)) != methods->end());
    };
    const bool open = offers(ClientAuth::none) || (!chosen && (!choice || methods->empty()));
    const bool keyed = offers(ClientAuth::private_key_jwt);
    if (!open && !keyed)
        return unusable(
            "a client with a document authenticates with none or private_key_jwt, and the document "
            "offers neither");
    if (!keyed) return Proof();
    auto keys = read_document_keys(document, url, policy);
    // Keys that cannot be used take nothing from a client that need not prove itself.
    if (!keys && open) return Proof();
    if (!keys) return unusable(keys.error().message);
    return Proof{open ? ClientAuth::none : ClientAuth::private_key_jwt, std::move(*keys)};
}

Result<std::string> read_name(const JsonObject& document) {
    auto name = in_document(read_client_name(document));
    if (name && name->empty()) return unusable("client_name is missing");
    return name;
}

// A logo is not kept: it would make the browser ask a stranger's server.
// spec: docs/requirements.md R35; docs/requirements.md XG3
std::string read_shown(const JsonObject& document) {
    JsonObject kept;
    const auto decorations = read_decorations(document);
    for (const auto* member : {application_type, "client_uri", "tos_uri", "policy_uri"}) {
        if (const auto* value = decorations.find(member)) kept.set(member, *value);
    }
    return json_string(kept);
}

Checked check_answer(const DocumentAnswer& answer, std::size_t max_bytes) {
    if (answer.status >= 300 && answer.status < 400)
        return unusable(
            "the address of the document leads elsewhere; redirects are not followed",
            "status " + std::to_string(answer.status));
    if (answer.status != 200)
        return unusable("the document was answered with status " + std::to_string(answer.status));
    const auto type = lower_ascii(
        trim(std::string_view(answer.content_type).substr(0, answer.content_type.find(';'))));
    const bool json = type == "application/json" || (type.starts_with("application/") &&
                                                     type.ends_with("+json") && type.size() > 17);
    if (!json) return unusable("the document is not served as application/json");
    if (answer.too_large || answer.body.size() > max_bytes)
        return unusable(
            "the document is larger than " + std::to_string((max_bytes + 1023) / 1024) + " KiB");
    return Nothing{};
}

// in: what  the name of the member, for the message
Result<DocumentUrl> validate_url(
    const std::string& text, const std::string& what, const DocumentPolicy& policy) {
    const auto parts = split_uri(text);
    const bool web =
        parts && parts->scheme == "https" && parts->hierarchical && !parts->host.empty();
    if (!web)
        return unusable(
            what == "client_id" ? "a client_id of this kind must be an https URL"
                                : what + " must be an https URL");
    if (parts->has_userinfo) return unusable("the " + what + " must not carry a user name");
    if (text.find('#') != std::string::npos)
        return unusable("the " + what + " must have no fragment");
    const auto path = parts->rest.substr(0, parts->rest.find('?'));
    if (path.size() < 2) return unusable("the " + what + " must have a path");
    if (has_dot_segment(path))
        return unusable("the path of the " + what + " must have no dot segments");

    const auto port = parts->port.empty() ? default_https_port
                                          : static_cast<int>(parse_number(parts->port).value_or(0));
    auto host = lower_ascii(parts->host);
    const bool test = host_listed(policy.insecure_test_hosts, host, port, false);
    if (!test && !is_name(host)) return unusable("the host of the " + what + " must be a name");
    if (host_listed(policy.denied_hosts, host, port, true))
        return unusable("this server does not take clients from that host", "denied host " + host);
    const bool allowed =
        test || (policy.hosts.empty() ? port == default_https_port
                                      : host_listed(policy.hosts, host, port, false));
    if (!allowed)
        return unusable(
            "this server does not take clients from that host or port",
            "not an allowed host: " + host);
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    return DocumentUrl{ClientId(text), std::move(host), port, std::string(parts->rest), test};
}

} // namespace

bool names_document(const ClientId& id) { return id.text.starts_with("https://"); }

std::string DocumentUrl::authority() const {
    const auto name = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return port == default_https_port ? name : name + ":" + std::to_string(port);
}

Result<DocumentUrl> validate_document_url(const ClientId& id, const DocumentPolicy& policy) {
    if (!policy.accepted)
        return make_error(
            ErrorCode::invalid_client, PublicMessage{"this client is not registered here"},
            LogDetail{"documents are switched off"}, "client_id");
    return validate_url(id.text, "client_id", policy);
}

Result<DocumentUrl> validate_keys_url(const std::string& uri, const DocumentPolicy& policy) {
    const auto fail = [](std::string message, std::string reason) {
        return make_error(
            ErrorCode::invalid_client_metadata, PublicMessage{std::move(message)},
            LogDetail{std::move(reason)}, "jwks_uri");
    };
    if (!policy.accepted)
        return fail(
            "this server fetches no keys: put them into jwks", "documents are switched off");
    if (uri.size() > max_uri_bytes) return fail("jwks_uri is at most 2048 bytes", "");
    auto url = validate_url(uri, "jwks_uri", policy);
    if (!url) return fail(url.error().message, url.error().reason);
    url->max_bytes = max_key_set_bytes;
    return url;
}

Result<ClientKeys> read_client_keys(const JsonObject& from, const DocumentPolicy& policy) {
    const auto fail = [](const char* message) {
        return make_error(
            ErrorCode::invalid_client_metadata, PublicMessage{message}, LogDetail{}, "jwks_uri");
    };
    const bool at_address = from.has("jwks_uri") && from.text("jwks_uri") != "";
    if (at_address && from.has("jwks")) return fail("jwks and jwks_uri must not both be given");
    if (!at_address) {
        return read_public_keys(from).transform([](std::string jwks) {
            return ClientKeys{std::move(jwks), {}};
        });
    }
    const auto uri = from.text("jwks_uri");
    if (!uri) return fail("jwks_uri must be a string");
    return validate_keys_url(*uri, policy).transform([&](const DocumentUrl&) {
        return ClientKeys{{}, *uri};
    });
}

Result<std::string> validate_key_set(const DocumentAnswer& answer) {
    const auto fail = [](std::string message) {
        return make_error(
            ErrorCode::invalid_client_metadata, PublicMessage{std::move(message)}, LogDetail{},
            "jwks_uri");
    };
    if (const auto checked = check_answer(answer, max_key_set_bytes); !checked)
        return fail(checked.error().message);
    if (const auto checked = check_jwks(answer.body); !checked)
        return fail(checked.error().message);
    return answer.body;
}

KeysNeed keys_need(const Client& client, const std::string& assertion, Instant now) {
    if (!client.takes_assertions() || client.jwks_uri.empty() || !client.active)
        return KeysNeed::none;
    if (client.jwks.empty() || !client.jwks_expires_at || *client.jwks_expires_at <= now)
        return KeysNeed::fetch;
    return names_unknown_key(assertion, client.jwks) ? KeysNeed::other_key : KeysNeed::none;
}

Result<Client> validate_client_document(
    const DocumentUrl& url, const DocumentAnswer& answer, const Policy& policy, Instant now) {
    if (auto checked = check_answer(answer, max_document_bytes); !checked)
        return std::move(checked).error();
    const auto document = parse_json_object(answer.body);
    if (!document) return unusable("the document must be a JSON object in UTF-8");
    if (document->text("client_id") != url.id.text)
        return unusable("the client_id in the document must be its own URL, to the character");
    Client client;
    Proof proof;
    RedirectUris redirects;
    return check_no_secret(*document)
        .and_then([&] { return read_proof(*document, url, policy.documents); })
        .store_in(proof)
        .and_then([&] { return in_document(check_list(*document, "response_types", "code")); })
        .and_then(
            [&] { return in_document(check_list(*document, "grant_types", "authorization_code")); })
        .and_then([&] { return read_name(*document); })
        .store_in(client.name)
        .and_then([&] { return read_redirects(*document, policy.redirects); })
        .store_in(redirects)
        .and_then([&] { return in_document(read_scope(*document, policy)); })
        .store_in(client.scope)
        .transform([&] {
            client.id = url.id;
            client.redirect_uris = std::move(redirects.kept);
            client.dropped_redirects = redirects.dropped;
            client.refresh = policy.refreshes() && lists_refresh(*document);
            client.metadata = read_shown(*document);
            client.created_at = now;
            client.auth = proof.auth;
            client.jwks = std::move(proof.keys.jwks);
            client.jwks_uri = std::move(proof.keys.uri);
            return std::move(client);
        });
}

Span document_lifetime(const CacheHeaders& caching, Instant now) {
    const auto bounded = [](std::int64_t seconds) {
        return std::clamp(Span(seconds), min_lifetime, max_lifetime);
    };
    std::optional<std::int64_t> max_age, shared_max_age;
    for (const auto& part : split(lower_ascii(caching.cache_control), ',')) {
        const auto directive = trim(part);
        if (directive == "no-store" || directive.starts_with("no-cache")) return min_lifetime;
        if (directive.starts_with("max-age="))
            max_age = parse_number(directive.substr(8)).value_or(0);
        if (directive.starts_with("s-maxage="))
            shared_max_age = parse_number(directive.substr(9)).value_or(0);
    }
    if (shared_max_age) max_age = shared_max_age;
    if (max_age) return bounded(*max_age - parse_number(trim(caching.age)).value_or(0));
    if (caching.expires.empty()) return default_lifetime;
    const auto expires = parse_http_date(trim(caching.expires));
    return expires ? bounded((*expires - now).count())
                   : min_lifetime; // "0" and the like: it has expired already
}

} // namespace consentgate::core
