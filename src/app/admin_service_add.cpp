#include "admin_services.h"

#include "near_words.h"
#include "service_presets.h"

#include "consentgate/core/upstream/service_options.h"
#include "consentgate/usecase/services.h"

#include <iostream>

namespace consentgate::app::admin {
namespace {

using core::Registration;
using core::Service;

const Preset* chosen_preset(const Arguments& arguments) {
    const auto name = arguments.one("preset");
    if (!name) return nullptr;
    if (const auto* preset = find_preset(*name)) return preset;
    std::vector<std::string> known;
    for (const auto& preset : presets()) known.emplace_back(preset.id);
    throw UsageError(
        "--preset knows " + preset_names() + ", not '" + *name + "'" + did_you_mean(*name, known));
}

std::string give_client(
    const core::Policy& policy, const core::ServiceId& id, const Preset* preset) {
    return (preset ? std::string(preset->name) + " needs " + std::string(preset->needs) + ".\n"
                   : std::string()) +
           "Register consentgate there by hand, with the redirect address\n  " +
           core::callback_url(policy, id) +
           "\nand add it again with --client-id (and --client-secret-file)";
}

// Fills the service from what it publishes; what a preset says of it stays.
core::ServerDocument discover(
    usecase::Dependencies& deps, Service& service, const Preset* preset,
    std::vector<std::string>& notes) {
    const auto found = usecase::discover_service(*deps.web, service.url, service.issuer);
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
    if (!preset || preset->names_resource) service.resource = found->resource;
    if (!preset || preset->scope.empty()) service.scope = found->scope;
    service.sends_iss = server.sends_iss;
    notes = found->notes;
    return server;
}

// An operator who types the endpoints knows no more of the server; one that registers no client
// without a secret refuses the first try.
core::ServerDocument described_by_hand() {
    core::ServerDocument server;
    server.auth_methods = {core::ClientAuth::none, core::ClientAuth::client_secret_basic};
    server.announces_s256 = true;
    return server;
}

// Some servers list `none` and register no such client.
core::Checked register_us(
    usecase::Dependencies& deps, Service& service, const core::ServerDocument& server,
    std::vector<std::string>& notes) {
    auto done = usecase::register_dynamically(deps, service, notes);
    const auto secret = core::choose_secret(server);
    if (done || service.auth != core::ClientAuth::none || !secret) return done;
    service.auth = *secret;
    return usecase::register_dynamically(deps, service, notes);
}

void become_client(
    usecase::Dependencies& deps, Service& service, const core::ServerDocument& server,
    const Arguments& arguments, std::vector<std::string>& notes) {
    const auto* preset = chosen_preset(arguments);
    auto registration = core::choose_registration(server, deps.policy);
    if (registration == Registration::given && !service.registration_endpoint.empty())
        registration = Registration::dynamic;
    if (registration == Registration::given)
        throw std::runtime_error(
            service.url + ": the service registers no clients by itself. " +
            give_client(deps.policy, service.id, preset));
    service.registration = registration;
    service.auth = read_auth_method(arguments).value_or(core::choose_auth(server, registration));
    if (registration == Registration::document) {
        service.client_id = core::client_document_url(deps.policy, service.id);
        return;
    }
    const auto done = register_us(deps, service, server, notes);
    if (!done)
        throw std::runtime_error(
            done.error().message + "\n" + give_client(deps.policy, service.id, preset));
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
    if (const auto* preset = chosen_preset(arguments)) apply_preset(service, *preset);
    service.url = arguments.one("url").value_or(service.url);
    if (service.url.empty())
        throw UsageError(
            arguments.has("preset")
                ? "each of its servers has an address of its own: this preset needs --url URL"
                : "service add needs --url URL (or --preset NAME)");
    if (const auto valid = core::check_endpoint(service.url); !valid)
        throw UsageError("--url: " + valid.error().message);
    const std::pair<const char*, std::string Service::*> typed[] = {
        {"issuer", &Service::issuer},
        {"authorization-endpoint", &Service::authorization_endpoint},
        {"token-endpoint", &Service::token_endpoint}};
    for (const auto& [name, field] : typed) {
        const auto value = arguments.one(name);
        if (!value) continue;
        if (const auto valid = core::check_endpoint(*value); !valid)
            throw UsageError(std::string("--") + name + ": " + valid.error().message);
        service.*field = *value;
    }
    if (arguments.has("client-secret-file") && !arguments.has("client-id"))
        throw UsageError("--client-secret-file needs --client-id");
    return service;
}

// Whether a client of the operator's is the only way, which is said before anything is asked.
void require_client(Context& context, const Service& service, const Arguments& arguments) {
    const auto* preset = chosen_preset(arguments);
    const bool registers = arguments.has("registration-endpoint") ||
                           (preset ? preset->registers_us : !service.by_hand);
    if (registers || arguments.has("client-id")) return;
    throw UsageError(
        std::string(preset ? "this preset" : "a service that is entered by hand") +
        " needs --client-id.\n" + give_client(context.config().policy, service.id, preset));
}

void require_new(usecase::Dependencies& deps, const core::ServiceId& id) {
    if (usecase::find_service(deps, id))
        throw std::runtime_error(
            "there is a service '" + id.text + "' already; see consentgate-admin service show " +
            id.text);
}

int report_added(
    Context& context, const Service& service, const Arguments& arguments,
    const std::vector<std::string>& notes) {
    usecase::add_service(context.service_deps(), service);
    print_row(arguments, service_row(context, service));
    for (const auto& note : notes) std::cerr << note << "\n";
    std::cerr << "Added. People can link their accounts at " << service.host() << " from now on.\n";
    return 0;
}

// A service where people have a plain API key.
int add_with_keys(Context& context, Service service, const Arguments& arguments) {
    for (const auto* foreign :
         {"preset", "client-id", "auth-method", "issuer", "scope", "resource", "token-path",
          "authorize-param", "authorization-endpoint", "token-endpoint", "registration-endpoint",
          "revocation-endpoint"}) {
        if (arguments.has(foreign))
            throw UsageError(std::string("--") + foreign + " is for services with OAuth");
    }
    apply_key_options(service, arguments);
    apply_name(service, arguments);
    service.by_hand = true;
    service.client_id = "key"; // no service learns it
    service.key_id = context.keyring().newest();
    auto& deps = context.service_deps();
    require_new(deps, service.id);
    if (const auto tells = usecase::check_key_trial(deps, service); !tells)
        throw std::runtime_error(tells.error().message);
    return report_added(context, service, arguments, {});
}

} // namespace

int add_service(Context& context, const Arguments& arguments) {
    auto service = read_new_service(context, arguments);
    if (arguments.has("key-header")) return add_with_keys(context, std::move(service), arguments);
    if (arguments.has("key-test")) throw UsageError("--key-test needs --key-header");
    const auto* preset = chosen_preset(arguments);
    service.by_hand = (preset && preset->way == PresetWay::by_hand) ||
                      arguments.has("authorization-endpoint") || arguments.has("token-endpoint");
    require_client(context, service, arguments);
    auto& deps = context.service_deps();
    require_new(deps, service.id);
    std::vector<std::string> notes;
    const auto server =
        service.by_hand ? described_by_hand() : discover(deps, service, preset, notes);
    apply_options(service, arguments);
    if (service.authorization_endpoint.empty() || service.token_endpoint.empty())
        throw UsageError("a service that is entered by hand needs --authorization-endpoint and "
                         "--token-endpoint");
    require_safe_origins(deps, service);
    service.key_id = context.keyring().newest();
    if (arguments.has("client-id")) {
        if (!service.by_hand)
            service.auth = core::choose_secret(server).value_or(core::ClientAuth::none);
        apply_client(deps, service, arguments);
    } else {
        become_client(deps, service, server, arguments, notes);
    }
    return report_added(context, service, arguments, notes);
}

} // namespace consentgate::app::admin
