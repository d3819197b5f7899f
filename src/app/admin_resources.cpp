#include "admin.h"

#include "consentgate/core/base/text.h"
#include "consentgate/usecase/resource_servers.h"

#include <iostream>

namespace consentgate::app::admin {
namespace {

int add(Context& context, const Arguments& arguments) {
    const auto scopes = core::ScopeSet::parse(arguments.one("scopes").value_or(""));
    if (!scopes) throw UsageError("--scopes takes scope names separated by blanks");
    const auto& url = arguments.words.front();
    const auto made = usecase::add_resource_server(
        context.deps(), {url, *scopes}, arguments.all("service"), context.now);
    if (!made) throw UsageError(url + ": " + made.error().message);
    const auto& [server, secret] = *made;
    if (arguments.has("json")) {
        print_row(
            arguments, {server.id.text, server.resource, list_of(server.services, "none"),
                        server.scope.text(), secret.reveal()});
        return 0;
    }
    std::cout << server.id.text << "\n" << secret.reveal() << "\n";
    std::cerr << server.resource
              << " is guarded from the next reload of consentgate (HUP) on.\n"
                 "With this id and this secret the server behind it can introspect its tokens "
                 "itself (RFC 7662); behind the gate it need not.\n"
                 "The secret is shown this once and cannot be shown again.\n";
    return 0;
}

int list(Context& context, const Arguments& arguments) {
    std::vector<Row> rows;
    for (const auto& server : usecase::list_resource_servers(context.deps())) {
        rows.push_back(
            {server.id.text, server.resource, list_of(server.services, "none"), server.scope.text(),
             yes_no(server.active), when(server.created_at)});
    }
    print_rows(arguments, rows);
    return 0;
}

int disable(Context& context, const Arguments& arguments) {
    require_found(
        usecase::disable_resource_server(
            context.deps(), core::ResourceServerId(arguments.words.front())),
        "resource list");
    std::cerr << "Disabled. It can no longer introspect or exchange tokens; its scopes and "
                 "services no longer count after the next reload (HUP).\n";
    return 0;
}

} // namespace

std::vector<Command> resource_commands() {
    return {
        {.name = "resource add",
         .operand = "URL",
         .summary = "guard an MCP server, and let it introspect its tokens",
         .example =
             "consentgate-admin resource add https://tools.example.org/mcp/notion --service notion",
         .options =
             {{"service", "ID",
               "the gate hands it its callers' tokens at this service; given more than once, it "
               "may "
               "exchange for them (RFC 8693)"},
              {"scopes", "SCOPES",
               "what the gate asks of requests to it; default_scopes when absent"}},
         .json = {"id", "resource", "services", "scope", "secret"},
         .run = add},
        {.name = "resource list",
         .summary = "list the guarded servers",
         .example = "consentgate-admin resource list",
         .json = {"id", "resource", "services", "scope", "active", "created"},
         .run = list},
        {.name = "resource disable",
         .operand = "ID",
         .summary = "refuse a server's own requests from now on",
         .example = "consentgate-admin resource disable cgrs_0mB2Yg6nV0sW3k9Q1r5xZA",
         .run = disable},
    };
}

} // namespace consentgate::app::admin
