#include "admin_services.h"

#include "consentgate/core/base/text.h"
#include "consentgate/sys/key_file.h"
#include "consentgate/usecase/services.h"

#include <array>
#include <iostream>

namespace consentgate::app::admin {
namespace {

using core::Registration;
using core::Service;

// Providers that publish nothing to discover, or not for this use.
struct Preset {
    const char* id;
    const char* name;
    const char* url;
    const char* issuer;
    const char* authorization_endpoint;
    const char* token_endpoint;
    const char* revocation_endpoint;
    const char* scope;
};
constexpr std::array presets{
    Preset{
        .id = "github",
        .name = "GitHub",
        .url = "https://api.github.com",
        .issuer = "",
        .authorization_endpoint = "https://github.com/login/oauth/authorize",
        .token_endpoint = "https://github.com/login/oauth/access_token",
        .revocation_endpoint = "",
        .scope = "read:user"},
    Preset{
        .id = "gitlab",
        .name = "GitLab",
        .url = "https://gitlab.com/api/v4",
        .issuer = "https://gitlab.com",
        .authorization_endpoint = "https://gitlab.com/oauth/authorize",
        .token_endpoint = "https://gitlab.com/oauth/token",
        .revocation_endpoint = "https://gitlab.com/oauth/revoke",
        .scope = "read_user"},
};

// From a file, or the standard input, because every user of the machine can read a command line.
core::Secret read_client_secret(const Arguments& arguments) {
    const auto file = arguments.one("client-secret-file");
    if (!file) return {};
    std::string text;
    if (*file == "-")
        std::getline(std::cin, text);
    else
        text = sys::read_secret_file(*file).reveal();
    auto secret = core::Secret(std::string(core::trim(text)));
    if (secret.empty() || core::has_control(secret.reveal()))
        throw UsageError("--client-secret-file: there is no secret of one line in it");
    return secret;
}

void apply_preset(Service& service, const std::string& name) {
    for (const auto& preset : presets) {
        if (name != preset.id) continue;
        service.name = preset.name;
        service.url = preset.url;
        service.issuer = preset.issuer;
        service.authorization_endpoint = preset.authorization_endpoint;
        service.token_endpoint = preset.token_endpoint;
        service.revocation_endpoint = preset.revocation_endpoint;
        service.scope = preset.scope;
        service.auth = core::ClientAuth::client_secret_post;
        return;
    }
    throw UsageError("--preset knows github and gitlab");
}

} // namespace

void apply_origins(Service& service, const Arguments& arguments) {
    const auto named = arguments.all("authorization-origin");
    if (named.empty()) return;
    service.authorization_origins.clear();
    for (const auto& origin : named) {
        if (const auto valid = core::check_endpoint(origin); !valid)
            throw UsageError("--authorization-origin: " + valid.error().message);
        service.authorization_origins.push_back(core::plain_origin(origin));
    }
}

void require_safe_origins(usecase::Dependencies& deps, const Service& service) {
    const auto safe = usecase::check_service_origins(deps, service);
    if (!safe) throw std::runtime_error(service.id.text + ": " + safe.error().message);
}

namespace {

// Options outweigh what a preset or the service says.
void apply_options(Service& service, const Arguments& arguments) {
    const std::pair<const char*, std::string Service::*> urls[] = {
        {"issuer", &Service::issuer},
        {"authorization-endpoint", &Service::authorization_endpoint},
        {"token-endpoint", &Service::token_endpoint},
        {"revocation-endpoint", &Service::revocation_endpoint},
        {"resource", &Service::resource}};
    for (const auto& [name, field] : urls) {
        const auto value = arguments.one(name);
        if (!value) continue;
        if (const auto valid = core::check_endpoint(*value); !valid)
            throw UsageError(std::string("--") + name + ": " + valid.error().message);
        service.*field = *value;
    }
    if (arguments.has("no-resource")) service.resource.clear();
    apply_origins(service, arguments);
    if (const auto scope = arguments.one("scope")) {
        if (!scope->empty() && !core::ScopeSet::parse(*scope))
            throw UsageError("--scope takes scope names, separated by blanks");
        service.scope = *scope;
    }
    if (const auto title = arguments.one("name")) service.name = *title;
    const auto length = core::valid_utf8(service.name) ? core::count_characters(service.name) : 0;
    if (length < 1 || length > 80 || core::has_control(service.name))
        throw UsageError("--name is 1 to 80 characters");
}

// A client that the operator was given.
void apply_client(usecase::Dependencies& deps, Service& service, const Arguments& arguments) {
    service.registration = Registration::given;
    service.client_id = *arguments.one("client-id");
    if (service.client_id.empty() || service.client_id.size() > 2048 ||
        core::has_control(service.client_id))
        throw UsageError("--client-id is 1 to 2048 characters");
    const auto secret = read_client_secret(arguments);
    if (const auto named = arguments.one("auth-method")) {
        const auto auth = core::client_auth_of(*named);
        if (!auth || *auth == core::ClientAuth::private_key_jwt)
            throw UsageError("--auth-method is client_secret_basic, client_secret_post or none");
        service.auth = *auth;
    } else if (secret.empty()) {
        service.auth = core::ClientAuth::none;
    } else if (service.auth == core::ClientAuth::none) {
        service.auth = core::ClientAuth::client_secret_basic;
    }
    if (secret.empty() != (service.auth == core::ClientAuth::none)) {
        throw UsageError(
            secret.empty()
                ? "this client needs its secret: --client-secret-file FILE, or - for the "
                  "standard input"
                : "a client of --auth-method none has no secret");
    }
    usecase::seal_client_secret(deps, service, secret);
}

std::string give_client(const core::Policy& policy, const core::ServiceId& id) {
    return "register consentgate there by hand, with the redirect address\n  " +
           core::callback_url(policy, id) +
           "\nand add it again with --client-id (and --client-secret-file)";
}

// Fills the service from what it publishes. out: how a client id can be had
Registration discover(
    usecase::Dependencies& deps, Service& service, std::vector<std::string>& notes) {
    const auto found = usecase::discover_service(*deps.web, service.url);
    if (!found) {
        throw std::runtime_error(
            service.url + ": " + found.error().message +
            "\nIf the service publishes nothing, name its --authorization-endpoint and "
            "--token-endpoint; "
            "if its certificate is of an authority of your own, set service_ca.");
    }
    const auto& server = found->server;
    service.issuer = server.issuer;
    service.authorization_endpoint = server.authorization_endpoint;
    service.token_endpoint = server.token_endpoint;
    service.registration_endpoint = server.registration_endpoint;
    service.revocation_endpoint = server.revocation_endpoint;
    service.resource = found->resource;
    service.scope = found->scope;
    service.sends_iss = server.sends_iss;
    const auto registration = core::choose_registration(server, deps.policy);
    service.auth = core::choose_auth(server, registration);
    notes = found->notes;
    return registration;
}

void become_client(
    usecase::Dependencies& deps, Service& service, Registration registration,
    std::vector<std::string>& notes) {
    if (registration == Registration::given)
        throw std::runtime_error(
            service.url + ": the service registers no clients by itself; " +
            give_client(deps.policy, service.id));
    service.registration = registration;
    if (registration == Registration::document) {
        service.client_id = core::client_document_url(deps.policy, service.id);
        return;
    }
    const auto done = usecase::register_dynamically(deps, service, notes);
    if (!done)
        throw std::runtime_error(
            done.error().message + "\nOr " + give_client(deps.policy, service.id));
}

// The service as the operator describes it, before it is discovered.
Service read_new_service(Context& context, const Arguments& arguments) {
    Service service;
    service.id = core::ServiceId(arguments.words.front());
    if (const auto valid = core::check_service_id(service.id.text); !valid)
        throw UsageError(valid.error().message);
    service.name = service.id.text;
    service.created_at = context.now;
    service.registration_id = core::RegistrationId(context.random().id(16));
    if (const auto preset = arguments.one("preset")) apply_preset(service, *preset);
    service.url = arguments.one("url").value_or(service.url);
    if (service.url.empty()) throw UsageError("service add needs --url URL (or --preset NAME)");
    if (const auto valid = core::check_endpoint(service.url); !valid)
        throw UsageError("--url: " + valid.error().message);
    if (arguments.has("client-secret-file") && !arguments.has("client-id"))
        throw UsageError("--client-secret-file needs --client-id");
    return service;
}

} // namespace

int add_service(Context& context, const Arguments& arguments) {
    auto service = read_new_service(context, arguments);
    const bool by_hand = arguments.has("preset") || arguments.has("authorization-endpoint") ||
                         arguments.has("token-endpoint");
    if (by_hand && !arguments.has("client-id"))
        throw UsageError(
            "a service that is entered by hand needs --client-id; " +
            give_client(context.config().policy, service.id));
    auto& deps = context.service_deps();
    if (usecase::find_service(deps, service.id))
        throw std::runtime_error(
            "there is a service '" + service.id.text +
            "' already; see consentgate-admin service show " + service.id.text);
    std::vector<std::string> notes;
    const auto registration = by_hand ? Registration::given : discover(deps, service, notes);
    apply_options(service, arguments);
    service.by_hand = by_hand;
    if (service.authorization_endpoint.empty() || service.token_endpoint.empty())
        throw UsageError("a service that is entered by hand needs --authorization-endpoint and "
                         "--token-endpoint");
    require_safe_origins(deps, service);
    service.key_id = context.keyring().newest();
    if (arguments.has("client-id"))
        apply_client(deps, service, arguments);
    else
        become_client(deps, service, registration, notes);
    usecase::add_service(deps, service);
    print_row(arguments, service_row(service));
    for (const auto& note : notes) std::cerr << note << "\n";
    std::cerr << "Added. People can link their accounts at " << service.host() << " from now on.\n";
    return 0;
}

} // namespace consentgate::app::admin
