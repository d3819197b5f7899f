#include "config_keys.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"

#include <Poco/NumberParser.h>

#include <algorithm>
#include <map>

namespace consentgate::app {
namespace {

using core::Span;
using Set = std::function<Problem(Config&, const std::string&)>;

Set text(std::string& (*field)(Config&)) {
    return [field](Config& config, const std::string& value) {
        field(config) = value;
        return Problem();
    };
}

Set number(int least, int limit, void (*store)(Config&, int)) {
    return [=](Config& config, const std::string& value) -> Problem {
        int parsed = 0;
        if (!Poco::NumberParser::tryParse(value, parsed) || parsed < least || parsed > limit) {
            return "must be a number from " + std::to_string(least) + " to " +
                   std::to_string(limit);
        }
        store(config, parsed);
        return {};
    };
}

Set yes_no(bool& (*field)(Config&)) {
    return [field](Config& config, const std::string& value) -> Problem {
        if (value != "true" && value != "false") return "must be true or false";
        field(config) = value == "true";
        return {};
    };
}

Problem set_issuer(Config& config, const std::string& value) {
    if (value.empty())
        return "is required: the public https origin of this server, for example "
               "https://tools.example.org";
    if (const auto valid = core::check_resource_uri(value); !valid)
        return "is not usable: " + valid.error().message;
    if (value.find('?') != std::string::npos) return "must have no query";
    const auto parts = core::split_uri(value);
    const bool plain =
        value == core::lower_ascii(value.substr(0, value.size() - parts->rest.size())) +
                     std::string(parts->rest);
    if (!plain || parts->port == (parts->scheme == "https" ? "443" : "80"))
        return "must be written as browsers write an origin: lower case, and without the usual "
               "port";
    if (value.ends_with('/'))
        return "must not end with a slash: clients compare it character by character";
    config.policy.issuer = value;
    return {};
}

Problem set_resources(Config& config, const std::string& value) {
    for (const auto& resource : core::split(value, ' ')) {
        if (const auto valid = core::check_resource_uri(resource); !valid)
            return resource + ": " + valid.error().message;
        config.policy.resources.push_back({resource});
    }
    return {};
}

Problem set_scopes(Config& config, const std::string& value) {
    for (const auto& entry : core::split(value, ';')) {
        const auto equals = entry.find('=');
        const auto name = std::string(core::trim(entry.substr(0, equals)));
        const auto words =
            equals == std::string::npos ? "" : std::string(core::trim(entry.substr(equals + 1)));
        const auto parsed = core::ScopeSet::parse(name);
        if (!parsed || parsed->names().size() != 1 || words.empty())
            return "must be `name=plain words` entries separated by semicolons";
        // Clients add it by themselves, and a challenge with it would have them step up for ever.
        if (name == "offline_access")
            return "must not name offline_access: refresh tokens go by the grant_types of a client";
        config.policy.scopes.push_back({name, words});
    }
    return config.policy.scopes.empty() ? "needs at least one scope" : Problem();
}

Problem set_default_scopes(Config& config, const std::string& value) {
    const auto parsed = core::ScopeSet::parse(value);
    if (!parsed || parsed->empty()) return "needs at least one scope name";
    if (parsed->within(config.policy.catalogue()) != *parsed)
        return "names a scope that `scopes` does not have";
    config.policy.default_scopes = *parsed;
    return {};
}

Problem set_scope_implies(Config& config, const std::string& value) {
    for (const auto& entry : core::split(value, ';')) {
        const auto colon = std::min(entry.find(':'), entry.size());
        const auto scope = core::ScopeSet::parse(core::trim(entry.substr(0, colon)));
        const auto implied =
            core::ScopeSet::parse(core::trim(entry.substr(std::min(colon + 1, entry.size()))));
        if (!scope || scope->names().size() != 1 || !implied || implied->empty())
            return "must be `scope: scopes` entries separated by semicolons";
        const auto catalogue = config.policy.catalogue();
        if (!catalogue.contains(scope->text()) || implied->within(catalogue) != *implied)
            return "names a scope that `scopes` does not have";
        config.policy.implications.push_back({scope->text(), *implied});
    }
    return {};
}

Problem set_database(Config& config, const std::string& value) {
    return store::read_address(value, config.store).value_or(Problem());
}

Problem set_database_password(Config& config, const std::string& value) {
    config.store.password = core::Secret(value);
    return {};
}

Problem set_database_tls(Config& config, const std::string& value) {
    static const std::map<std::string, store::Tls> known{
        {"", store::Tls::here},
        {"off", store::Tls::off},
        {"encrypt", store::Tls::encrypt},
        {"verify", store::Tls::verify}};
    const auto found = known.find(value);
    if (found == known.end()) return "must be verify, encrypt or off, or empty";
    config.store.tls = found->second;
    return {};
}

Problem set_identities(Config& config, const std::string& value) {
    auto& identities = config.policy.identities;
    if (value == "any") {
        identities = core::IdentityKinds::any();
        return {};
    }
    std::string known;
    for (const auto kind :
         {core::IdentityKind::virtual_key, core::IdentityKind::verified_user,
          core::IdentityKind::user_id, core::IdentityKind::skipped})
        known += " " + std::string(core::name_of(kind));
    const auto words = core::split(value, ' ');
    identities = {};
    for (const auto& word : words) {
        const auto kind = core::identity_kind(word);
        if (!kind || *kind == core::IdentityKind::none)
            return "must be any, or words of:" + known + "; '" + word + "' is none of them";
        identities = identities.with(*kind);
    }
    return words.empty() ? "must be any, or words of:" + known : Problem();
}

Problem set_remember_consent(Config& config, const std::string& value) {
    static const std::map<std::string, core::RememberConsent> known{
        {"never", core::RememberConsent::never},
        {"https", core::RememberConsent::https},
        {"always", core::RememberConsent::always}};
    const auto found = known.find(value);
    if (found == known.end()) return "must be never, https or always";
    config.policy.remember_consent = found->second;
    return {};
}

Problem set_publish_resources(Config& config, const std::string& value) {
    if (value != "on" && value != "off") return "must be on or off";
    config.policy.publish_resources = value == "on";
    return {};
}

Problem set_verified_user(Config& config, const std::string& value) {
    if (value != "off" && value != "remote_user") return "must be off or remote_user";
    config.policy.verified_user =
        value == "off" ? core::VerifiedUser::off : core::VerifiedUser::remote_user;
    return {};
}

// in: any_host  an entry as core::DocumentPolicy has them; otherwise a loopback host with a port
bool is_host_entry(std::string_view entry, bool any_host) {
    if (any_host && entry.starts_with("*.")) entry.remove_prefix(2);
    const auto url = "https://" + std::string(entry);
    const auto parts = core::split_uri(url);
    if (!parts || parts->has_userinfo || parts->host.empty() || !parts->rest.empty()) return false;
    return any_host ? !parts->host.starts_with('[')
                    : core::is_loopback_host(parts->host) && !parts->port.empty();
}

Set host_list(std::vector<std::string> core::DocumentPolicy::*field, bool any_host) {
    return [=](Config& config, const std::string& value) -> Problem {
        const auto entries = core::split(core::lower_ascii(value), ' ');
        for (const auto& entry : entries) {
            if (is_host_entry(entry, any_host)) continue;
            return any_host ? "must be hosts, like app.example, *.app.example or app.example:8443, "
                              "separated by blanks"
                            : "must be loopback hosts with their port, like localhost:8443, "
                              "separated by blanks";
        }
        config.policy.documents.*field = entries;
        return {};
    };
}

// `any` is no list, and `none` an empty one.
std::optional<std::vector<std::string>> read_list(const std::string& value) {
    if (value == "any") return std::nullopt;
    return value == "none" ? std::vector<std::string>()
                           : core::split(core::lower_ascii(value), ' ');
}

Problem set_redirect_hosts(Config& config, const std::string& value) {
    auto hosts = read_list(value);
    if (value.empty()) return "must be any, none, or hosts";
    for (const auto& entry : hosts.value_or(std::vector<std::string>())) {
        if (entry != "loopback" && !is_host_entry(entry, true))
            return "must be any, none, or hosts, like app.example, *.app.example or "
                   "app.example:8443, and the word loopback, separated by blanks";
    }
    config.policy.redirects.hosts = std::move(hosts);
    return {};
}

Problem set_redirect_schemes(Config& config, const std::string& value) {
    auto schemes = read_list(value);
    if (value.empty()) return "must be any, none, or schemes";
    for (const auto& scheme : schemes.value_or(std::vector<std::string>())) {
        if (scheme == "https" || scheme == "http")
            return "is for schemes that belong to an app; registration_redirect_hosts rules https "
                   "addresses and those of the person's own computer";
        const auto uri = scheme + "://app";
        if (!core::check_redirect_uri(uri) || core::split_uri(uri)->scheme != scheme)
            return scheme + " is not a scheme that clients may have";
    }
    config.policy.redirects.schemes = std::move(schemes);
    return {};
}

Problem set_bearer_keys(Config& config, const std::string& value) {
    for (const auto& entry : core::split(value, ' ')) {
        const auto colon = entry.find(':');
        if (colon == std::string::npos || colon + 1 == entry.size())
            return "must be `ALGORITHM:FILE` entries separated by blanks";
        config.bearer_keys.push_back({entry.substr(0, colon), entry.substr(colon + 1)});
    }
    return {};
}

Problem set_accent(Config& config, const std::string& value) {
    const bool colour = value.size() == 7 && value[0] == '#' &&
                        value.find_first_not_of("0123456789abcdefABCDEF", 1) == std::string::npos;
    if (!value.empty() && !colour) return "must be a colour like #1a5fb4";
    config.brand.accent = value;
    return {};
}

Problem set_log(Config& config, const std::string& value) {
    if (value != "stderr" && value != "syslog") return "must be stderr or syslog";
    config.log.syslog = value == "syslog";
    return {};
}

std::vector<Key> server_keys() {
    return {
        {"issuer", "", set_issuer},
        {"resources", "", set_resources},
        {"scopes", "mcp=Use the tools of this server as you", set_scopes},
        {"default_scopes", "mcp", set_default_scopes},
        {"scope_implies", "", set_scope_implies},
        {"publish_resources", "on", set_publish_resources},
        {"database", "/var/lib/consentgate/consentgate.db", set_database},
        {"database_password_file", "",
         text([](Config& c) -> std::string& { return c.database_password_file; })},
        {"database_password", "", set_database_password, true},
        {"database_tls", "", set_database_tls},
        {"database_tls_ca", "", text([](Config& c) -> std::string& { return c.store.tls_ca; })},
        {"database_timeout_ms", "5000",
         number(0, 60000, [](Config& c, int n) { c.store.wait = std::chrono::milliseconds(n); })},
        {"key_file", "/var/lib/consentgate/consentgate.key",
         text([](Config& c) -> std::string& { return c.key_file; })},
        {"pages", "pages", text([](Config& c) -> std::string& { return c.pages; })},
        {"workers", "8", number(1, 256, [](Config& c, int n) { c.workers = n; })},
        {"gate_workers", "8", number(1, 256, [](Config& c, int n) { c.gate_workers = n; })},
        {"call_log_socket", "/run/consentgate/calls.sock",
         text([](Config& c) -> std::string& { return c.call_log_socket; })},
        {"body_timeout_ms", "20000",
         number(100, 600000, [](Config& c, int n) { c.body_time = std::chrono::milliseconds(n); })},
    };
}

std::vector<Key> access_keys() {
    return {
        {"identities", "virtual_key verified_user", set_identities},
        {"enforce_auth_on_inference", "false",
         yes_no([](Config& c) -> bool& { return c.enforce_identity; })},
        {"verified_user", "off", set_verified_user},
        {"remember_consent", "never", set_remember_consent},
        {"registration_enabled", "true",
         yes_no([](Config& c) -> bool& { return c.policy.registration_enabled; })},
        {"registration_redirect_hosts", "any", set_redirect_hosts},
        {"registration_redirect_schemes", "any", set_redirect_schemes},
        {"client_documents_enabled", "true",
         yes_no([](Config& c) -> bool& { return c.policy.documents.accepted; })},
        {"client_document_hosts", "", host_list(&core::DocumentPolicy::hosts, true)},
        {"client_document_denied_hosts", "", host_list(&core::DocumentPolicy::denied_hosts, true)},
        {"client_document_insecure_test_hosts", "",
         host_list(&core::DocumentPolicy::insecure_test_hosts, false)},
        {"client_document_insecure_test_ca", "",
         text([](Config& c) -> std::string& { return c.document_http.ca; })},
        {"client_document_fetches_per_minute", "60",
         number(1, 1000000, [](Config& c, int n) { c.fetch.per_minute = n; })},
        {"client_document_fetches_per_host_per_minute", "10",
         number(1, 1000000, [](Config& c, int n) { c.fetch.per_host_per_minute = n; })},
        {"client_document_fetches_per_address_per_minute", "10",
         number(1, 1000000, [](Config& c, int n) { c.fetch.per_caller_per_minute = n; })},
        {"service_ca", "", text([](Config& c) -> std::string& { return c.service_http.ca; })},
        {"service_timeout_ms", "10000",
         number(
             100, 60000,
             [](Config& c, int n) { c.service_http.total = std::chrono::milliseconds(n); })},
    };
}

std::vector<Key> limit_keys() {
    return {
        {"registrations_per_minute", "60",
         number(0, 1000000, [](Config& c, int n) { c.limits.registrations_per_minute = n; })},
        {"authorizations_per_minute", "300",
         number(0, 1000000, [](Config& c, int n) { c.limits.authorizations_per_minute = n; })},
        {"failed_authentications_per_minute", "60",
         number(
             0, 1000000, [](Config& c, int n) { c.limits.failed_authentications_per_minute = n; })},
        {"failed_virtual_keys_per_minute", "10",
         number(1, 1000, [](Config& c, int n) { c.limits.failed_virtual_keys_per_minute = n; })},
        {"flow_lifetime_seconds", "900",
         number(1, 900, [](Config& c, int n) { c.policy.flow_lifetime = Span(n); })},
        {"code_lifetime_seconds", "300",
         number(1, 300, [](Config& c, int n) { c.policy.code_lifetime = Span(n); })},
        {"session_lifetime_seconds", "86400",
         number(1, 86400, [](Config& c, int n) { c.policy.session_lifetime = Span(n); })},
        {"refresh_idle_days", "30",
         number(0, 30, [](Config& c, int n) { c.policy.refresh_idle = Span(n * 86400LL); })},
        {"refresh_lifetime_days", "90",
         number(1, 90, [](Config& c, int n) { c.policy.refresh_lifetime = Span(n * 86400LL); })},
        {"refresh_grace_seconds", "3600",
         number(0, 3600, [](Config& c, int n) { c.policy.refresh_grace = Span(n); })},
        {"unused_client_days", "7",
         number(1, 3650, [](Config& c, int n) { c.client_lives.unused = Span(n * 86400LL); })},
        {"idle_client_days", "30",
         number(1, 3650, [](Config& c, int n) { c.client_lives.idle = Span(n * 86400LL); })},
        {"unused_clients_per_address", "50",
         number(
             0, 1000000,
             [](Config& c, int n) { c.policy.max_unused_clients = static_cast<std::size_t>(n); })},
    };
}

std::vector<Key> other_keys() {
    return {
        {"bearer_keys", "", set_bearer_keys},
        {"bearer_issuer", "", text([](Config& c) -> std::string& { return c.bearer_issuer; })},
        {"bearer_audience", "", text([](Config& c) -> std::string& { return c.bearer_audience; })},
        {"virtual_key_claim", "virtual_key_id",
         text([](Config& c) -> std::string& { return c.policy.virtual_key_claim; })},
        {"admin_claim", "role",
         text([](Config& c) -> std::string& { return c.policy.admin_claim; })},
        {"admin_value", "admin",
         text([](Config& c) -> std::string& { return c.policy.admin_value; })},
        {"brand_name", "consentgate", text([](Config& c) -> std::string& { return c.brand.name; })},
        {"brand_accent", "", set_accent},
        {"brand_logo", "", text([](Config& c) -> std::string& { return c.brand.logo; })},
        {"log", "stderr", set_log},
        {"audit_file", "", text([](Config& c) -> std::string& { return c.log.audit_file; })},
        {"metrics_file", "", text([](Config& c) -> std::string& { return c.metrics_file; })},
    };
}

} // namespace

const std::vector<Key>& keys() {
    static const auto all = [] {
        std::vector<Key> keys;
        for (const auto& group :
             {server_keys(), access_keys(), signin_keys(), limit_keys(), other_keys()})
            keys.insert(keys.end(), group.begin(), group.end());
        return keys;
    }();
    return all;
}

} // namespace consentgate::app
