#include "admin.h"

#include "consentgate/app/composition.h"
#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"
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

int add(Context& context, const Arguments& arguments) {
    usecase::NewClient asked{
        arguments.words.front(), arguments.all("redirect-uri"), core::ClientAuth::none};
    if (asked.redirect_uris.empty())
        throw UsageError("client add needs at least one --redirect-uri");
    if (arguments.has("secret") + arguments.has("keys") + arguments.has("keys-uri") > 1) {
        throw UsageError("--secret, --keys and --keys-uri are ways to prove who it is: choose one");
    }
    if (arguments.has("secret")) asked.auth = core::ClientAuth::client_secret_basic;
    if (const auto keys = arguments.one("keys"))
        asked.auth = core::ClientAuth::private_key_jwt, asked.jwks = read_text(*keys);
    if (const auto uri = arguments.one("keys-uri"))
        asked.auth = core::ClientAuth::private_key_jwt, asked.jwks_uri = *uri;
    sys::OsRandom random;
    const core::Keyring no_keys({});
    const core::BearerVerifier no_bearers({}, "", "");
    usecase::Dependencies deps{
        context.store(), random, context.config().policy, no_keys, no_bearers};
    const auto made = usecase::add_client(deps, asked, context.now);
    if (!made) throw UsageError(made.error().message);
    const auto& client = made->client;
    if (arguments.has("json")) {
        std::cout << core::registration_response(client, made->secret) << "\n";
        return 0;
    }
    std::cout << client.id.text << "\n";
    if (made->secret) std::cout << made->secret->reveal() << "\n";
    std::cerr << "This is the client_id of '" << client.name << "'.";
    if (made->secret)
        std::cerr
            << " The second line is its client_secret: it is shown this once and cannot be shown again.\n";
    else if (asked.auth == core::ClientAuth::private_key_jwt)
        std::cerr << " It proves itself with its private key.\n";
    else
        std::cerr << " It is a public client: it has no secret.\n";
    return 0;
}

int list(Context& context, const Arguments& arguments) {
    Table table{
        {"id", "name", "active", "registered_by", "created", "last_used", "redirect_uris"}, {}};
    for (const auto& client : context.store().list_clients()) {
        table.rows.push_back(
            {client.id.text, core::display_text(client.name, 60), yes_no(client.active),
             std::string(client.by_operator ? "operator" : "itself"), when(client.created_at),
             when(client.last_used_at), list_of(client.redirect_uris, "")});
    }
    print(table, arguments.has("json"));
    return 0;
}

int show(Context& context, const Arguments& arguments) {
    const auto client = context.store().find_client(core::ClientId(arguments.words.front()));
    if (!client)
        throw std::runtime_error(
            "there is no client '" + arguments.words.front() +
            "'; see consentgate-admin client list");
    print_one(
        {{"id", client->id.text},
         {"name", core::display_text(client->name, 200)},
         {"active", yes_no(client->active)},
         {"registered_by", std::string(client->by_operator ? "operator" : "itself")},
         {"proves_itself_by", std::string(core::name_of(client->auth))},
         {"refreshes", yes_no(client->refresh)},
         {"scope", core::max_scope(*client, context.config().policy).text()},
         {"redirect_uris", list_of(client->redirect_uris, "")},
         {"created", when(client->created_at)},
         {"last_used", when(client->last_used_at)}},
        arguments.has("json"));
    return 0;
}

int disable(Context& context, const Arguments& arguments) {
    if (context.store().disable_client(core::ClientId(arguments.words.front())) ==
        store::Applied::no) {
        throw std::runtime_error(
            "there is no active client '" + arguments.words.front() +
            "'; see consentgate-admin client list");
    }
    std::cerr << "Disabled. Its sessions end at their next request.\n";
    return 0;
}

int list_sessions(Context& context, const Arguments& arguments) {
    Table table{{"id", "client", "identity_kind", "identity", "since", "expires"}, {}};
    for (const auto& view : context.store().list_sessions(context.now)) {
        const auto& session = view.session;
        table.rows.push_back(
            {session.id.text, core::display_text(view.client_name, 60),
             std::string(core::name_of(session.identity.kind)),
             core::display_text(
                 view.virtual_key ? view.virtual_key->name : session.identity.value, 60),
             when(session.created_at), when(session.expires_at)});
    }
    print(table, arguments.has("json"));
    return 0;
}

int revoke_session(Context& context, const Arguments& arguments) {
    if (context.store().revoke_session(core::SessionId(arguments.words.front()), context.now) ==
        store::Applied::no) {
        throw std::runtime_error(
            "there is no living session '" + arguments.words.front() +
            "'; see consentgate-admin session list");
    }
    std::cerr << "Revoked. All of its tokens are refused from now on.\n";
    return 0;
}

} // namespace

std::vector<Command> client_commands() {
    const Option json{"json", "", "print JSON"};
    return {
        {"client add",
         "NAME",
         "register a client yourself and vouch for it",
         "consentgate-admin client add 'Claude Code' --redirect-uri http://localhost/callback",
         {{"redirect-uri", "URI", "where it may be redirected to; may be repeated"},
          {"secret", "", "give it a client_secret, and show it, once"},
          {"keys", "FILE",
           "its public keys (a JSON Web Key Set): it proves itself by private_key_jwt"},
          {"keys-uri", "URL",
           "where it publishes them: they are fetched there, by the rules of client documents"},
          json},
         add},
        {"client show",
         "ID",
         "show one client",
         "consentgate-admin client show cgc_0mB2Yg6nV0sW3k9Q1r5xZA",
         {json},
         show},
        {"client list", "", "list the clients", "consentgate-admin client list", {json}, list},
        {"client disable",
         "ID",
         "refuse a client from now on",
         "consentgate-admin client disable cgc_0mB2Yg6nV0sW3k9Q1r5xZA",
         {},
         disable},
        {"session list",
         "",
         "list who is signed in, newest first",
         "consentgate-admin session list",
         {json},
         list_sessions},
        {"session revoke",
         "ID",
         "sign one session out",
         "consentgate-admin session revoke x8Gm2vVQ0dUq3Zr1nTfWcA",
         {},
         revoke_session},
    };
}

} // namespace consentgate::app::admin
