#include "consentgate/usecase/services.h"

#include "not_found.h"
#include "service_call.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/upstream/client_refusal.h"
#include "consentgate/core/upstream/registration_renewal.h"
#include "consentgate/core/upstream/service_failure.h"
#include "consentgate/core/upstream/service_options.h"

#include <algorithm>
#include <optional>

namespace consentgate::usecase {
namespace {

using core::ErrorCode;
using core::PublicMessage;
using Notes = std::vector<std::string>;

core::Error failed(const std::string& message) {
    return core::make_error(
        ErrorCode::server_error, PublicMessage{message}, core::LogDetail{message});
}

std::string describe(const std::string& url, const sys::HttpResponse& answer) {
    if (!answer.answered) return url + ": " + answer.reason;
    const auto redirect = answer.location.empty() ? "" : ", a redirect, which is not followed";
    return url + ": status " + std::to_string(answer.status) + redirect;
}

// As that, with what the service wrote about why it refused.
std::string describe_refusal(const std::string& url, const sys::HttpResponse& answer) {
    if (!answer.answered) return describe(url, answer);
    const auto failure = core::failure_of(
        {.answered = true,
         .status = answer.status,
         .content_type = answer.content_type,
         .body = answer.body});
    return failure.reason.empty() ? describe(url, answer) : url + ": " + failure.reason;
}

// A document of a service that the operator named by `service_url`.
sys::HttpResponse read_json(
    sys::HttpClient& web, const std::string& url, const std::string& service_url) {
    return web.send(
        {.purpose = sys::PlaceKind::discovery,
         .url = url,
         .headers = {{"Accept", "application/json"}},
         .addresses = url == service_url ? sys::AddressPolicy::operator_url
                                         : sys::AddressPolicy::named_by_service,
         .operator_url = service_url});
}

// The service's challenge. Some servers challenge only what MCP clients send first.
// spec: MCP 2025-11-25, Protected Resource Metadata Discovery
sys::HttpResponse ask_for_challenge(
    sys::HttpClient& web, const std::string& service_url, Notes& notes) {
    auto answer = web.send(
        {.purpose = sys::PlaceKind::discovery,
         .url = service_url,
         .headers = {{"Accept", "application/json"}},
         .addresses = sys::AddressPolicy::operator_url,
         .operator_url = service_url,
         .head_only = true});
    notes.push_back(describe(service_url, answer));
    if (!answer.answered || !answer.authenticate.empty()) return answer;
    auto asked = web.send(
        {.purpose = sys::PlaceKind::discovery,
         .method = "POST",
         .url = service_url,
         .headers = {{"Accept", "application/json, text/event-stream"}},
         .body = core::Secret(std::string(core::initialize_call)),
         .content_type = "application/json",
         .addresses = sys::AddressPolicy::operator_url,
         .operator_url = service_url,
         .head_only = true});
    notes.push_back("initialize at " + describe(service_url, asked));
    return asked.answered ? asked : answer;
}

// The first usable document; notes say why others were not used.
template <class Document, class Read>
std::optional<Document> first_of(
    sys::HttpClient& web, const std::string& service_url, const std::vector<std::string>& urls,
    Notes& notes, Read read) {
    for (const auto& url : urls) {
        const auto answer = read_json(web, url, service_url);
        if (!answer.answered || answer.status != 200) {
            notes.push_back(describe(url, answer));
            continue;
        }
        auto document = read(answer.body.reveal());
        notes.push_back(url + ": " + (document ? "found" : document.error().message));
        if (document) return std::move(*document);
    }
    return std::nullopt;
}

core::Error changed_meanwhile(const core::ServiceId& id) {
    return core::make_error(
        ErrorCode::store_unavailable, PublicMessage{id.text + " was changed meanwhile; try again"});
}

std::string in_lines(const Notes& notes) {
    std::string text;
    for (const auto& note : notes) text += "\n  " + note;
    return text;
}

} // namespace

core::Result<Discovery> discover_service(
    sys::HttpClient& web, const std::string& url, const std::string& trusted) {
    Discovery found;
    const auto first = ask_for_challenge(web, url, found.notes);
    if (!first.answered) return failed("the service cannot be asked:" + in_lines(found.notes));
    auto urls = core::resource_metadata_urls(url);
    const auto named = core::challenge_parameter(first.authenticate, "resource_metadata");
    if (named && core::check_endpoint(*named)) urls.insert(urls.begin(), *named);
    const auto resource =
        first_of<core::ResourceDocument>(web, url, urls, found.notes, [&](const std::string& body) {
            return core::read_resource_document(body, url);
        });
    // Services that are older than RFC 9728 are their own authorization server, at their origin; or
    // the URL is an issuer itself.
    auto issuers = resource ? resource->servers : std::vector<std::string>{core::origin_of(url)};
    if (!resource && url != issuers.front() && url.find('?') == std::string::npos)
        issuers.push_back(url);
    // Last, because its own document can lack what the document for the service has.
    if (!trusted.empty()) issuers.push_back(trusted);
    for (const auto& issuer : issuers) {
        auto server = first_of<core::ServerDocument>(
            web, url, core::server_metadata_urls(issuer), found.notes,
            [&](const std::string& body) {
                return core::read_server_document(body, issuer, trusted);
            });
        if (!server) continue;
        found.server = std::move(*server);
        if (resource) found.resource = resource->resource;
        found.scope = core::choose_scope(
            core::challenge_parameter(first.authenticate, "scope"),
            resource ? resource->scopes : std::vector<std::string>(), found.server.scopes);
        if (!found.server.announces_s256)
            found.notes.push_back(
                "the server does not say that it knows PKCE with S256; it is sent all the same");
        return found;
    }
    return failed("no authorization server could be found:" + in_lines(found.notes));
}

void seal_client_secret(Dependencies& deps, core::Service& service, const core::Secret& secret) {
    service.client_secret.clear();
    service.key_id = deps.keyring.newest();
    if (!secret.empty()) service.client_secret = seal(deps, service.client_secret_aad(), secret);
}

void keep_registration(
    Dependencies& deps, core::Service& service, const core::Registered& registered) {
    service.client_id = registered.client_id;
    service.auth = registered.auth;
    const bool managed = core::may_manage(service, registered.client_uri);
    if (managed) service.registration_client_uri = registered.client_uri;
    // Both ciphertexts are of one server key.
    auto token = registered.access_token;
    if (!managed && !service.registration_client_uri.empty())
        token = core::unseal(
                    deps.keyring, service.key_id, service.registration_token,
                    service.registration_token_aad())
                    .value_or(core::Secret());
    seal_client_secret(deps, service, registered.secret);
    service.registration_token.clear();
    if (token.empty())
        service.registration_client_uri.clear();
    else
        service.registration_token = seal(deps, service.registration_token_aad(), token);
    service.client_secret_expires_at = core::secret_end(registered);
    service.renew_at = core::renewal_time(service.client_secret_expires_at, deps.clock.now());
}

core::Checked register_dynamically(
    Dependencies& deps, core::Service& service, std::vector<std::string>& notes) {
    const auto body = core::registration_request(deps.policy, service);
    const auto answer = deps.web->send(
        {.purpose = sys::PlaceKind::registration,
         .method = "POST",
         .url = service.registration_endpoint,
         .headers = {{"Accept", "application/json"}},
         .body = core::Secret(body),
         .content_type = "application/json",
         .addresses = addresses_of(service),
         .operator_url = service.url});
    notes.push_back(describe_refusal(service.registration_endpoint, answer));
    if (!answer.answered || (answer.status != 201 && answer.status != 200))
        return failed("the service did not register us: " + notes.back());
    const auto registered = core::read_registration(answer.body.reveal(), service.auth);
    if (!registered)
        return failed("the service's registration cannot be used: " + registered.error().message);
    service.registration = core::Registration::dynamic;
    service.registration_id = core::RegistrationId(deps.random.id(16));
    service.registration_client_uri.clear();
    keep_registration(deps, service, *registered);
    if (service.client_secret_expires_at)
        notes.push_back(
            "the client secret expires; an idle worker renews it before, " +
            std::string(core::words_of(core::renewal_of(service))));
    return core::Nothing{};
}

core::Result<core::Service> change_client(
    Dependencies& deps, core::Service service, const core::Service& before) {
    service.registration_id = core::RegistrationId(deps.random.id(16));
    if (deps.store.services.change_registration(
            service, core::former_registration_of(before, deps.clock.now())) == store::Applied::no)
        return changed_meanwhile(service.id);
    ++service.version;
    return service;
}

core::Result<core::Service> re_register(Dependencies& deps, const core::Service& stale) {
    // Another worker may have done it since.
    const auto read = [&]() -> std::optional<core::Service> {
        return deps.store.services.find(stale.id);
    };
    auto current = read();
    if (!current) return failed("the service was removed");
    if (current->client_id != stale.client_id) return *current;
    if (current->registration != core::Registration::dynamic ||
        current->registration_endpoint.empty())
        return failed("the service refuses a client id that was not registered by us");
    Notes notes;
    auto renewed = *current;
    renewed.callback = core::CallbackAddress::own;
    if (auto done = register_dynamically(deps, renewed, notes); !done) return done.error();
    const auto now = deps.clock.now();
    renewed.client_refused_at.reset();
    renewed.register_after = now + core::registers_every;
    auto former = core::former_registration_of(*current, now);
    former.refused_at = now;
    if (deps.store.services.change_registration(renewed, former) == store::Applied::yes) {
        ++renewed.version;
        return renewed;
    }
    current = read();
    if (!current) return failed("the service was removed");
    return *current;
}

core::Result<core::Service> change_callback(
    Dependencies& deps, core::Service service, core::CallbackAddress callback, Notes& notes) {
    const auto former = core::former_registration_of(service, deps.clock.now());
    service.callback = callback;
    service.client_refused_at.reset(); // it was said of the client of before
    if (service.registration == core::Registration::document) {
        service.client_id = core::client_document_url(deps.policy, service.own_callback());
        service.registration_id = core::RegistrationId(deps.random.id(16));
    } else if (service.registration == core::Registration::dynamic) {
        if (auto done = register_dynamically(deps, service, notes); !done) return done.error();
    }
    const bool same = service.registration_id == former.registration;
    if ((same ? deps.store.services.update(service)
              : deps.store.services.change_registration(service, former)) == store::Applied::no)
        return changed_meanwhile(service.id);
    ++service.version;
    return service;
}

core::Result<std::vector<std::string>> test_service(
    sys::HttpClient& web, const core::Service& service) {
    // A service that was entered by hand is compared with what it publishes by itself.
    auto found = discover_service(web, service.url, service.by_hand ? "" : service.issuer);
    if (!found) return found.error();
    Notes changed;
    const auto compare = [&](const char* what, const std::string& kept, const std::string& now) {
        if (kept != now)
            changed.push_back(std::string(what) + ": kept '" + kept + "', now '" + now + "'");
    };
    if (!core::same_issuer(service.issuer, found->server.issuer))
        compare("issuer", service.issuer, found->server.issuer);
    compare(
        "authorization_endpoint", service.authorization_endpoint,
        found->server.authorization_endpoint);
    compare("token_endpoint", service.token_endpoint, found->server.token_endpoint);
    // The operator may have named what the service does not publish, and may name no resource.
    const auto compare_if = [&](bool counts, const char* what, const std::string& kept,
                                const std::string& now) {
        if (counts) compare(what, kept, now);
    };
    const auto& server = found->server;
    compare_if(
        !server.registration_endpoint.empty(), "registration_endpoint",
        service.registration_endpoint, server.registration_endpoint);
    compare_if(
        !server.revocation_endpoint.empty(), "revocation_endpoint", service.revocation_endpoint,
        server.revocation_endpoint);
    compare_if(!service.resource.empty(), "resource", service.resource, found->resource);
    return changed;
}

core::Checked check_key_trial(Dependencies& deps, const core::Service& service) {
    const auto reply = try_key(deps, service, deps.random.secret());
    if (core::read_key_trial(reply) == core::KeyTrial::refused) return core::Nothing{};
    return failed(
        service.token_endpoint + ": " +
        (reply.answered ? "status " + std::to_string(reply.status) : "no answer") +
        " to a key that was made up, where 401 or 403 is needed to tell a wrong key; name an "
        "address that refuses wrong keys: --key-test URL");
}

std::vector<core::Service> list_services(Dependencies& deps) { return deps.store.services.list(); }

core::Result<core::Service> find_service(Dependencies& deps, const core::ServiceId& id) {
    auto service = deps.store.services.find(id);
    if (!service) return not_found("there is no service '" + id.text + "'");
    return std::move(*service);
}

void add_service(Dependencies& deps, const core::Service& service) {
    deps.store.services.put(service);
}

core::Checked check_service_origins(Dependencies& deps, const core::Service& service) {
    return core::check_origins(service, deps.store.services.list());
}

core::Checked update_service(Dependencies& deps, const core::Service& service) {
    if (deps.store.services.update(service) == store::Applied::yes) return core::Nothing{};
    return changed_meanwhile(service.id);
}

core::Checked set_service_active(Dependencies& deps, core::Service service, bool active) {
    service.active = active;
    return update_service(deps, service);
}

std::vector<core::ServiceHealth> service_health(Dependencies& deps, core::Instant now) {
    return deps.store.accounts.health(now);
}

std::vector<sys::Known> known_of_services(Dependencies& deps, core::Instant now) {
    std::vector<sys::Known> known;
    const auto add_accounts = [&](const core::ServiceId& id, const char* state, std::size_t count) {
        known.push_back(
            {sys::Metric::service_accounts, {{"service", id.text}, {"state", state}}, count});
    };
    try {
        const auto all = service_health(deps, now);
        for (const auto& service : deps.store.services.list()) {
            const auto found = std::find_if(
                all.begin(), all.end(), [&](const auto& one) { return one.service == service.id; });
            const auto health = found == all.end() ? core::ServiceHealth{} : *found;
            add_accounts(service.id, "connected", health.connected - health.failing);
            add_accounts(service.id, "failing", health.failing);
            add_accounts(service.id, "needs_person", health.needs_person);
            if (health.last_success)
                known.push_back(
                    {sys::Metric::service_last_success,
                     {{"service", service.id.text}},
                     static_cast<std::uint64_t>(core::epoch(*health.last_success))});
        }
    } catch (const store::StoreFailure&) { // /readyz tells of the database
        known.clear();
    }
    return known;
}

std::size_t count_linked_accounts(Dependencies& deps, const core::ServiceId& id) {
    return deps.store.accounts.count_at(id);
}

core::Checked remove_service(Dependencies& deps, const core::ServiceId& id, Unrevoked unrevoked) {
    if (deps.store.services.remove(id, unrevoked == Unrevoked::remove) == store::Applied::yes)
        return core::Nothing{};
    return core::make_error(
        ErrorCode::store_unavailable,
        PublicMessage{id.text + " was changed or removed meanwhile; try again"});
}

} // namespace consentgate::usecase
