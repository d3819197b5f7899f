#include "admin.h"

#include "consentgate/core/base/text.h"
#include "consentgate/usecase/introspection.h"

#include <iostream>

namespace consentgate::app::admin {
namespace {

int add(Context& context, const Arguments& arguments) {
    sys::OsRandom random;
    const auto scopes = core::ScopeSet::parse(arguments.one("scopes").value_or(""));
    if (!scopes) throw UsageError("--scopes takes scope names separated by blanks");
    const auto made = usecase::add_resource_server(
        context.store(), random, context.config().policy, {arguments.words.front(), *scopes},
        arguments.all("service"), context.now);
    if (!made) throw UsageError(arguments.words.front() + ": " + made.error().message);
    if (arguments.has("json")) {
        core::JsonObject object;
        object.set("id", made->server.id.text)
            .set("resource", made->server.resource)
            .set("services", list_of(made->server.services, "none").value)
            .set("scopes", made->server.scope.text())
            .set("secret", made->clear.reveal());
        print(object);
        return 0;
    }
    std::cout << made->server.id.text << "\n" << made->clear.reveal() << "\n";
    std::cerr
        << made->server.resource << " is guarded from the next reload of consentgate (HUP) on.\n"
        << "With this id and this secret the server behind it can ask about its tokens itself (RFC 7662); behind the gate it need not.\n"
           "The secret is shown this once and cannot be shown again.\n";
    return 0;
}

int list(Context& context, const Arguments& arguments) {
    Table table{{"id", "resource", "services", "scopes", "active", "created"}, {}};
    for (const auto& server : context.store().list_resource_servers()) {
        table.rows.push_back(
            {server.id.text, server.resource, list_of(server.services, "none"), server.scope.text(),
             yes_no(server.active), when(server.created_at)});
    }
    print(table, arguments.has("json"));
    return 0;
}

int disable(Context& context, const Arguments& arguments) {
    if (context.store().disable_resource_server(core::ResourceServerId(arguments.words.front())) ==
        store::Applied::no) {
        throw std::runtime_error(
            "there is no active resource server '" + arguments.words.front() +
            "'; see consentgate-admin resource list");
    }
    std::cerr
        << "Disabled. It is told nothing from now on, and what it was added with counts no more after the next reload (HUP).\n";
    return 0;
}

// On stdin, because every user of the machine can read a command line.
int introspect(Context& context, const Arguments& arguments) {
    std::string line;
    std::getline(std::cin, line);
    const auto token = core::Secret(std::string(core::trim(line)));
    if (token.empty()) throw UsageError("token introspect reads the token from its standard input");
    const auto view = context.store().find_session(core::sha256(token));
    const auto valid =
        core::check_access(view, view ? view->session.resource : std::string(), context.now);
    std::vector<std::pair<std::string, Cell>> facts{{"active", yes_no(static_cast<bool>(valid))}};
    if (!valid) facts.emplace_back("why_not", valid.error().reason);
    if (view) {
        const auto& session = view->session;
        facts.insert(
            facts.end(),
            {{"session", session.id.text},
             {"client", session.client_id.text},
             {"client_name", core::display_text(view->client_name, 60)},
             {"identity_kind", std::string(core::name_of(session.identity.kind))},
             {"identity",
              core::display_text(
                  view->virtual_key ? view->virtual_key->name : session.identity.value, 60)},
             {"scope", session.scope.text()},
             {"resource", session.resource},
             {"since", when(session.created_at)},
             {"expires", when(session.token_ends())}});
    }
    print_one(facts, arguments.has("json"));
    return 0;
}

} // namespace

std::vector<Command> resource_commands() {
    const Option json{"json", "", "print JSON"};
    return {
        {"resource add",
         "URL",
         "guard an MCP server, and let it ask about its tokens",
         "consentgate-admin resource add https://tools.example.org/mcp/notion --service notion",
         {{"service", "ID",
           "the gate hands it its callers' tokens at this service; given more than once, it may fetch them (RFC 8693)"},
          {"scopes", "SCOPES", "what the gate asks of requests to it; default_scopes when absent"},
          json},
         add},
        {"resource list",
         "",
         "list the guarded servers",
         "consentgate-admin resource list",
         {json},
         list},
        {"resource disable",
         "ID",
         "tell a server nothing from now on",
         "consentgate-admin resource disable cgrs_0mB2Yg6nV0sW3k9Q1r5xZA",
         {},
         disable},
        {"token introspect",
         "",
         "say whose token stands on the standard input, and whether it is good",
         "consentgate-admin token introspect < token",
         {json},
         introspect},
    };
}

} // namespace consentgate::app::admin
