#include "admin.h"
#include "admin_progress.h"

#include "consentgate/core/base/text.h"
#include "consentgate/sys/key_file.h"
#include "consentgate/usecase/services.h"
#include "consentgate/usecase/upstream_revocation.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>

namespace consentgate::app::admin {
namespace {

using core::Registration;
using core::Service;

// Providers that publish nothing to discover, or not for this use.
struct Preset {
    const char *name, *title, *url, *issuer, *authorization_endpoint, *token_endpoint,
        *revocation_endpoint, *scope;
    core::ClientAuth auth;
};
constexpr std::array<Preset, 2> presets{{
    {"github", "GitHub", "https://api.github.com", "", "https://github.com/login/oauth/authorize",
     "https://github.com/login/oauth/access_token", "", "read:user",
     core::ClientAuth::client_secret_post},
    {"gitlab", "GitLab", "https://gitlab.com/api/v4", "https://gitlab.com",
     "https://gitlab.com/oauth/authorize", "https://gitlab.com/oauth/token",
     "https://gitlab.com/oauth/revoke", "read_user", core::ClientAuth::client_secret_post},
}};

constexpr std::chrono::minutes max_revocation_time{5};

// What the use-cases of services work with, here.
struct Tools {
    sys::OsRandom random;
    core::Keyring keyring;
    core::BearerVerifier bearers{{}, "", ""};
    sys::PocoHttpClient web;
    usecase::Dependencies deps;

    explicit Tools(Context& context)
        : keyring(sys::read_key_file(context.config().key_file)),
          web(context.config().calls),
          deps{context.store(), random, context.config().policy, keyring, bearers, nullptr, &web} {}
};

Service known_service(Context& context, const Arguments& arguments) {
    auto service = context.store().find_service(core::ServiceId(arguments.words.front()));
    if (!service)
        throw std::runtime_error(
            "there is no service '" + arguments.words.front() +
            "'; see consentgate-admin service list");
    return *service;
}

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
        if (name != preset.name) continue;
        service.name = preset.title;
        service.url = preset.url;
        service.issuer = preset.issuer;
        service.authorization_endpoint = preset.authorization_endpoint;
        service.token_endpoint = preset.token_endpoint;
        service.revocation_endpoint = preset.revocation_endpoint;
        service.scope = preset.scope;
        service.auth = preset.auth;
        return;
    }
    throw UsageError("--preset knows github and gitlab");
}

// What was given by hand stands above what a preset or the service says.
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
        if (const auto reason = core::endpoint_problem(*value))
            throw UsageError(std::string("--") + name + ": " + *reason);
        service.*field = *value;
    }
    if (arguments.has("no-resource")) service.resource.clear();
    if (const auto scope = arguments.one("scope")) {
        if (!scope->empty() && !core::ScopeSet::parse(*scope))
            throw UsageError("--scope takes scope names, separated by blanks");
        service.scope = *scope;
    }
    if (const auto title = arguments.one("title")) service.name = *title;
    const auto length = core::valid_utf8(service.name) ? core::count_characters(service.name) : 0;
    if (length < 1 || length > 80 || core::has_control(service.name))
        throw UsageError("--title is 1 to 80 characters");
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
                ? "this client needs its secret: --client-secret-file FILE, or - for the standard input"
                : "a client of --auth-method none has no secret");
    }
    usecase::seal_client_secret(deps, service, secret);
}

std::string give_client(const core::Policy& policy) {
    return "register consentgate there by hand, with the redirect address\n  " +
           core::callback_url(policy) +
           "\nand add it again with --client-id (and --client-secret-file)";
}

// Fills the service from what it publishes. out: how a client id can be had
Registration discover(
    usecase::Dependencies& deps, Service& service, std::vector<std::string>& notes) {
    const auto found = usecase::discover_service(*deps.web, service.url);
    if (!found) {
        throw std::runtime_error(
            service.url + ": " + found.error().message +
            "\nIf the service publishes nothing, name its --authorization-endpoint and --token-endpoint; "
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
            give_client(deps.policy));
    service.registration = registration;
    if (registration == Registration::document) {
        service.client_id = core::client_document_url(deps.policy);
        return;
    }
    const auto done = usecase::register_dynamically(deps, service, notes);
    if (!done) throw std::runtime_error(done.error().message + "\nOr " + give_client(deps.policy));
}

std::vector<std::pair<std::string, Cell>> facts_of(const Service& service) {
    return {
        {"id", service.id.text},
        {"name", service.name},
        {"url", service.url},
        {"active", yes_no(service.active)},
        {"issuer", service.issuer},
        {"authorization_endpoint", service.authorization_endpoint},
        {"token_endpoint", service.token_endpoint},
        {"registration_endpoint", service.registration_endpoint},
        {"revocation_endpoint", service.revocation_endpoint},
        {"resource", service.resource},
        {"scope", service.scope},
        {"registration", std::string(core::name_of(service.registration))},
        {"client_id", service.client_id},
        {"auth_method", std::string(core::name_of(service.auth))},
        {"has_secret", yes_no(!service.client_secret.empty())},
        {"sends_iss", yes_no(service.sends_iss)},
        {"created", when(service.created_at)}};
}

int add(Context& context, const Arguments& arguments) {
    Service service;
    service.id = core::ServiceId(arguments.words.front());
    if (const auto reason = core::service_id_problem(service.id.text)) throw UsageError(*reason);
    service.name = service.id.text;
    service.created_at = context.now;
    if (const auto preset = arguments.one("preset")) apply_preset(service, *preset);
    service.url = arguments.one("url").value_or(service.url);
    if (service.url.empty()) throw UsageError("service add needs --url URL (or --preset NAME)");
    if (const auto reason = core::endpoint_problem(service.url))
        throw UsageError("--url: " + *reason);
    const bool by_hand = arguments.has("preset") || arguments.has("authorization-endpoint") ||
                         arguments.has("token-endpoint");
    if (arguments.has("client-secret-file") && !arguments.has("client-id"))
        throw UsageError("--client-secret-file needs --client-id");
    if (by_hand && !arguments.has("client-id"))
        throw UsageError(
            "a service that is entered by hand needs --client-id; " +
            give_client(context.config().policy));
    Tools tools(context);
    if (context.store().find_service(service.id))
        throw std::runtime_error(
            "there is a service '" + service.id.text +
            "' already; see consentgate-admin service show " + service.id.text);
    std::vector<std::string> notes;
    const auto registration = by_hand ? Registration::given : discover(tools.deps, service, notes);
    apply_options(service, arguments);
    if (service.authorization_endpoint.empty() || service.token_endpoint.empty())
        throw UsageError(
            "a service that is entered by hand needs --authorization-endpoint and --token-endpoint");
    service.key_id = tools.keyring.newest();
    if (arguments.has("client-id"))
        apply_client(tools.deps, service, arguments);
    else
        become_client(tools.deps, service, registration, notes);
    context.store().put_service(service);
    print_one(facts_of(service), arguments.has("json"));
    for (const auto& note : notes) std::cerr << note << "\n";
    std::cerr << "Added. People can connect their accounts at " << service.host()
              << " from now on.\n";
    return 0;
}

int list(Context& context, const Arguments& arguments) {
    Table table{{"id", "name", "url", "active", "registration", "created"}, {}};
    for (const auto& service : context.store().list_services()) {
        table.rows.push_back(
            {service.id.text, core::display_text(service.name, 40), service.url,
             yes_no(service.active), std::string(core::name_of(service.registration)),
             when(service.created_at)});
    }
    print(table, arguments.has("json"));
    return 0;
}

int show(Context& context, const Arguments& arguments) {
    print_one(facts_of(known_service(context, arguments)), arguments.has("json"));
    return 0;
}

int test(Context& context, const Arguments& arguments) {
    const auto service = known_service(context, arguments);
    sys::PocoHttpClient web(context.config().calls);
    const auto changed = usecase::test_service(web, service);
    if (!changed) throw std::runtime_error(service.id.text + ": " + changed.error().message);
    for (const auto& line : *changed) std::cout << line << "\n";
    if (!changed->empty())
        throw std::runtime_error(
            service.id.text +
            ": what it publishes differs from what is kept; to take it over, remove it and add it again");
    std::cerr << service.id.text << " answers, and publishes what is kept here.\n";
    return 0;
}

void set_active(Context& context, Service service, bool active) {
    service.active = active;
    if (context.store().update_service(service) == store::Applied::no)
        throw std::runtime_error(service.id.text + " was changed meanwhile; try again");
}

int switch_to(Context& context, const Arguments& arguments, bool active) {
    set_active(context, known_service(context, arguments), active);
    std::cerr
        << (active
                ? "Enabled.\n"
                : "Disabled. Nobody can connect there, and no token of it is handed out; what people connected is kept.\n");
    return 0;
}

int enable(Context& context, const Arguments& arguments) {
    return switch_to(context, arguments, true);
}
int disable(Context& context, const Arguments& arguments) {
    return switch_to(context, arguments, false);
}

void confirm_removal(const Service& service, const Arguments& arguments) {
    if (arguments.has("yes")) return;
    if (isatty(STDIN_FILENO) == 0)
        throw UsageError("service remove deletes all that people connected there; say --yes");
    std::cerr << "Remove " << service.id.text
              << " and all that people connected there? Type its name: ";
    std::string answer;
    std::getline(std::cin, answer);
    if (core::trim(answer) != service.id.text) throw std::runtime_error("nothing was removed");
}

// fail: throws, when some of it could not be told yet; what was told is done with
usecase::ServiceRevocation report_removal(
    Context& context, const Service& service, std::size_t connected) {
    Tools tools(context);
    const StopSignals stop;
    Progress progress("telling " + service.id.text + " what is over:", connected);
    const auto until = std::chrono::steady_clock::now() + max_revocation_time;
    const auto revocation =
        usecase::revoke_all_at(tools.deps, service.id, [&](const usecase::ServiceRevocation& done) {
            progress.at(done.revoked + done.not_revoked, "RFC 7009");
            stop.check(
                "the service is disabled, and what people connected there is over; the same command goes on telling it");
            return std::chrono::steady_clock::now() < until;
        });
    if (revocation.left == 0) return revocation;
    throw std::runtime_error(
        service.id.text + " was told that " + std::to_string(revocation.revoked) +
        " connections are over, and could not be told of " + std::to_string(revocation.left) +
        " more: " + (revocation.reason.empty() ? "it takes too long" : revocation.reason) +
        ".\nIt is disabled, and they are over here. The running server goes on telling it for a day; then run this again, or now with --untold.");
}

// Disabled first, so that nobody connects there while it is told of the others.
int remove(Context& context, const Arguments& arguments) {
    auto service = known_service(context, arguments);
    confirm_removal(service, arguments);
    if (service.active) set_active(context, service, false);
    auto& store = context.store();
    const auto connected = store.count_accounts_at(service.id);
    const bool leave = arguments.has("untold");
    const auto revocation = leave || connected == 0
                                ? usecase::ServiceRevocation{0, connected, 0, "you said --untold"}
                                : report_removal(context, service, connected);
    if (store.remove_service(service.id, leave) == store::Applied::no)
        throw std::runtime_error(service.id.text + " was changed or removed meanwhile; try again");
    std::cerr << "Removed.\n";
    const auto others =
        connected - std::min(connected, revocation.revoked + revocation.not_revoked);
    if (revocation.revoked > 0)
        std::cerr << "It was told that " << revocation.revoked << " of " << connected
                  << " connections are over.\n";
    if (revocation.not_revoked > 0)
        std::cerr << "It was not told of " << revocation.not_revoked << ": " << revocation.reason
                  << ". People can end them in their settings there.\n";
    if (others > 0) std::cerr << "The running server saw to " << others << "; its log has how.\n";
    return 0;
}

} // namespace

std::vector<Command> service_commands() {
    const Option json{"json", "", "print JSON"};
    const std::vector<Option> of_add{
        {"url", "URL", "of its MCP server; the rest is found out from there"},
        {"title", "TEXT", "what people read; else its name"},
        {"scope", "SCOPES", "what to ask for; else what the service says"},
        {"resource", "URI", "what requests name as resource"},
        {"no-resource", "", "requests name no resource"},
        {"client-id", "ID", "a client that you were given"},
        {"client-secret-file", "FILE", "its secret; - reads the standard input"},
        {"auth-method", "WORD", "client_secret_basic, client_secret_post or none"},
        {"preset", "NAME", "github or gitlab: nothing is asked, a client id is needed"},
        {"authorization-endpoint", "URL", "by hand, when the service publishes nothing"},
        {"token-endpoint", "URL", "by hand, as that"},
        {"revocation-endpoint", "URL", "by hand; may be left out"},
        {"issuer", "URL", "by hand; may be left out"},
        json};
    return {
        {"service add", "NAME", "let people connect their accounts at a service",
         "consentgate-admin service add notion --url https://mcp.notion.com/mcp", of_add, add},
        {"service list", "", "list the services", "consentgate-admin service list", {json}, list},
        {"service show",
         "NAME",
         "show one service",
         "consentgate-admin service show notion",
         {json},
         show},
        {"service test",
         "NAME",
         "ask the service again, and compare",
         "consentgate-admin service test notion",
         {},
         test},
        {"service disable",
         "NAME",
         "let nobody connect or use a service",
         "consentgate-admin service disable notion",
         {},
         disable},
        {"service enable",
         "NAME",
         "take that back",
         "consentgate-admin service enable notion",
         {},
         enable},
        {"service remove",
         "NAME",
         "tell a service that all is over that people connected there, and forget it",
         "consentgate-admin service remove notion --yes",
         {{"yes", "", "do not ask"},
          {"untold", "", "do not tell it first: it is no more, or will not answer"}},
         remove},
    };
}

} // namespace consentgate::app::admin
