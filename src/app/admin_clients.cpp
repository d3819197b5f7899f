#include "admin_names.h"
#include "admin_progress.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/client_document.h"
#include "consentgate/usecase/clients.h"

#include <fstream>
#include <iostream>

namespace consentgate::app::admin {
namespace {

std::string read_text(const std::string& path) {
    std::ifstream file(path);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file || text.empty()) throw std::runtime_error(path + ": cannot be read");
    return text;
}

usecase::NewClient read_new_client(Context& context, const Arguments& arguments) {
    usecase::NewClient client{
        .name = arguments.words.front(), .redirect_uris = arguments.all("redirect-uri")};
    if (const auto scopes = arguments.one("scopes"))
        client.scope = read_scopes(context, *scopes).text();
    if (client.redirect_uris.empty())
        throw UsageError("client add needs at least one --redirect-uri");
    if (arguments.has("secret") + arguments.has("keys-file") + arguments.has("keys-uri") > 1)
        throw UsageError("--secret, --keys-file and --keys-uri exclude each other: choose one");
    if (arguments.has("secret")) client.auth = core::ClientAuth::client_secret_basic;
    if (const auto file = arguments.one("keys-file"))
        client.auth = core::ClientAuth::private_key_jwt, client.jwks = read_text(*file);
    if (const auto uri = arguments.one("keys-uri"))
        client.auth = core::ClientAuth::private_key_jwt, client.jwks_uri = *uri;
    return client;
}

int add(Context& context, const Arguments& arguments) {
    const auto asked = read_new_client(context, arguments);
    const auto made = usecase::add_client(context.deps(), asked, context.now);
    if (!made) throw UsageError(made.error().message);
    const auto& client = made->client;
    if (arguments.has("json")) {
        std::cout << core::registration_response(client, made->secret) << "\n";
        return 0;
    }
    std::cout << "client id      " << client.id.text << "\n";
    if (made->secret) std::cout << "client secret  " << made->secret->reveal() << "\n";
    if (made->secret)
        std::cerr << "The secret is shown this once and cannot be shown again.\n";
    else if (client.auth == core::ClientAuth::private_key_jwt)
        std::cerr << "It authenticates with its private key.\n";
    else
        std::cerr << "It is a public client: it has no secret.\n";
    return 0;
}

std::string registered_by(const core::Client& client) {
    return client.by_operator ? "operator" : "client";
}

int list(Context& context, const Arguments& arguments) {
    std::vector<Row> rows;
    for (const auto& client : usecase::list_clients(context.deps())) {
        rows.push_back(
            {client.id.text, core::display_text(client.name, 60), yes_no(client.active),
             registered_by(client), when(client.created_at), when(client.last_used_at),
             list_of(client.redirect_uris, "")});
    }
    print_rows(arguments, rows);
    return 0;
}

std::string scope_of(const core::Client& client, const core::Policy& policy) {
    const auto registered = core::registered_scope(client, policy);
    return (registered.empty() ? policy.catalogue() : registered).text();
}

// As the client called itself; nothing is decided by it.
std::optional<Cell> application_type_of(const core::Client& client) {
    const auto kept = core::parse_json_object(client.metadata);
    const auto type = kept ? kept->text("application_type") : std::nullopt;
    if (!type) return std::nullopt;
    return Cell(core::display_text(*type, 60));
}

int show(Context& context, const Arguments& arguments) {
    const auto client = named_client(context, arguments.words.front());
    print_row(
        arguments, {client.id.text, core::display_text(client.name, 200), yes_no(client.active),
                    registered_by(client), std::string(core::name_of(client.auth)),
                    application_type_of(client), yes_no(client.refresh),
                    scope_of(client, context.config().policy), list_of(client.redirect_uris, ""),
                    when(client.created_at), when(client.last_used_at)});
    return 0;
}

int disable(Context& context, const Arguments& arguments) {
    const auto client = named_client(context, arguments.words.front());
    require_found(usecase::disable_client(context.deps(), client.id), "client list");
    std::cerr
        << "Disabled. It is refused from its next request on; client enable gives all back.\n";
    return 0;
}

int enable(Context& context, const Arguments& arguments) {
    const auto client = named_client(context, arguments.words.front());
    require_found(usecase::enable_client(context.deps(), client.id), "client list");
    std::cerr << "Enabled. Its sessions are good again, as far as they last.\n";
    return 0;
}

int remove(Context& context, const Arguments& arguments) {
    const auto client = named_client(context, arguments.words.front());
    const auto name = core::display_text(client.name, 60);
    confirm(
        arguments, "Remove " + client.id.text + (name.empty() ? "" : " (" + name + ")") + "?",
        "ends all sessions of the client, and forgets it");
    const StopSignals stop;
    Progress progress("ending");
    const auto ended =
        usecase::remove_client(context.deps(), client.id, context.now, [&](std::size_t count) {
            progress.at(count, "sessions");
            stop.check("the client is disabled; the same command goes on where it stopped");
        });
    if (!ended) throw std::runtime_error(ended.error().message);
    std::cerr << "Removed, with " << *ended << (*ended == 1 ? " session.\n" : " sessions.\n");
    if (core::names_document(client.id))
        std::cerr << "Its document brings it back at its next request; client disable keeps it "
                     "away.\n";
    else if (!client.by_operator)
        std::cerr << "It can register itself anew; client disable keeps this id away.\n";
    return 0;
}

} // namespace

std::vector<Command> client_commands() {
    return {
        {.name = "client add",
         .operand = "NAME",
         .summary = "register a client yourself and vouch for it",
         .example =
             "consentgate-admin client add 'Claude Code' --redirect-uri http://localhost/callback",
         .options =
             {{"redirect-uri", "URI...", "where it may be redirected to"},
              {"secret", "", "give it a client_secret, and show it, once"},
              {"keys-file", "FILE",
               "its public keys (a JSON Web Key Set): it authenticates by private_key_jwt"},
              {"keys-uri", "URL",
               "where it publishes them: fetched there by the rules of client documents"},
              {"scopes", "SCOPES", "what it may be granted at most; all scopes when absent"}},
         // The registration response of RFC 7591; members that do not apply are left out.
         .json =
             {"client_id", "client_secret", "client_secret_expires_at", "client_id_issued_at",
              "client_name", "redirect_uris", "grant_types", "response_types",
              "token_endpoint_auth_method", "jwks_uri", "jwks", "scope"},
         .run = add},
        {.name = "client show",
         .operand = "CLIENT",
         .summary = "show one client, by its id, its URL or a name that no other has",
         .example = "consentgate-admin client show cgc_0mB2Yg6nV0sW3k9Q1r5xZA",
         .json =
             {"id", "name", "active", "registered_by", "token_endpoint_auth_method",
              "application_type", "refresh_tokens", "scope", "redirect_uris", "created",
              "last_used"},
         .audited = false,
         .run = show},
        {.name = "client list",
         .summary = "list the clients",
         .example = "consentgate-admin client list",
         .json = {"id", "name", "active", "registered_by", "created", "last_used", "redirect_uris"},
         .audited = false,
         .run = list},
        {.name = "client disable",
         .operand = "CLIENT",
         .summary = "refuse a client from now on",
         .example = "consentgate-admin client disable cgc_0mB2Yg6nV0sW3k9Q1r5xZA",
         .run = disable},
        {.name = "client enable",
         .operand = "CLIENT",
         .summary = "undo client disable",
         .example = "consentgate-admin client enable cgc_0mB2Yg6nV0sW3k9Q1r5xZA",
         .run = enable},
        {.name = "client remove",
         .operand = "CLIENT",
         .summary = "end all sessions of a client, and forget it",
         .example = "consentgate-admin client remove cgc_0mB2Yg6nV0sW3k9Q1r5xZA --yes",
         .destroys = true,
         .run = remove},
    };
}

} // namespace consentgate::app::admin
