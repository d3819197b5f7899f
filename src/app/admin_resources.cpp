#include "admin_names.h"
#include "machine.h"
#include "near_words.h"

#include "consentgate/core/base/text.h"
#include "consentgate/usecase/resource_servers.h"

#include <algorithm>
#include <iostream>
#include <iterator>

namespace consentgate::app::admin {

core::ScopeSet read_scopes(Context& context, const std::string& text) {
    const auto scopes = core::ScopeSet::parse(text);
    if (!scopes) throw UsageError("--scopes takes scope names separated by blanks");
    const auto known = context.config().policy.catalogue();
    for (const auto& name : scopes->names()) {
        if (!known.contains(name))
            throw UsageError(
                "--scopes names a scope that `scopes` of the configuration does not have: '" +
                name + "'" + did_you_mean(name, known.names()));
    }
    return *scopes;
}

namespace {

core::AllowedOrigins read_origins(const std::string& text) {
    const auto origins = core::AllowedOrigins::parse(text);
    if (!origins)
        throw UsageError(
            "--origins takes any, none, or origins like https://app.example, separated by blanks");
    return *origins;
}

core::SharedGroups read_groups(const std::string& word) {
    const auto groups = core::shared_groups_of(word);
    if (!groups) throw UsageError("--tell-groups is named, all or none");
    return *groups;
}

core::AssertionPlace read_place(const std::string& word) {
    const auto place = core::assertion_place_of(word);
    if (!place) throw UsageError("--assertion is off, header or bearer");
    return *place;
}

// The options whose values are texts about the resource.
constexpr const char* texts[] = {"scopes", "name",    "documentation", "policy",
                                 "tos",    "origins", "tell-groups",   "assertion"};

// The command that does to a guarded resource what the operator asked for.
std::string call_of_set(const Arguments& arguments) {
    const auto begin = "consentgate-admin resource set " + arguments.words.front();
    auto call = begin;
    for (const auto* option : texts)
        if (const auto value = arguments.one(option))
            call += " --" + std::string(option) + " '" + *value + "'";
    for (const auto& service : arguments.all("service")) call += " --service " + service;
    return call == begin ? call + " --scopes SCOPES --service ID" : call;
}

core::GuardedResource read_resource(Context& context, const Arguments& arguments) {
    const auto text = [&](const char* option) { return arguments.one(option).value_or(""); };
    return {
        .url = arguments.words.front(),
        .scope = read_scopes(context, text("scopes")),
        .description =
            {.name = text("name"),
             .documentation = text("documentation"),
             .policy = text("policy"),
             .tos = text("tos")},
        .origins = read_origins(arguments.one("origins").value_or("any")),
        .facts = {
            .groups = read_groups(arguments.one("tell-groups").value_or("named")),
            .assertion = read_place(arguments.one("assertion").value_or("off"))}};
}

Cell scope_cell(const core::ScopeSet& scope) {
    return {scope.empty() ? "default_scopes" : scope.text(), scope.text()};
}

// Pages without a gate may have such resources.
void warn_of_gate(Context& context, const core::ResourceServer& server) {
    const auto valid = usecase::check_gate_resources(usecase::guarded_resources(context.deps()));
    if (valid) return;
    std::cerr
        << valid.error().message
        << ". A gate does not start with them. If you have one:\n  consentgate-admin resource "
           "remove "
        << server.id.text << " --yes\n";
}

int add(Context& context, const Arguments& arguments) {
    const auto resource = read_resource(context, arguments);
    const auto& url = resource.url;
    auto services = service_ids(context, arguments.all("service"));
    if (usecase::find_resource_server(context.deps(), url))
        throw std::runtime_error(
            url + " is guarded already, and nothing was changed; to change it: " +
            call_of_set(arguments));
    const auto made =
        usecase::add_resource_server(context.deps(), resource, std::move(services), context.now);
    if (!made) throw UsageError(url + ": " + made.error().message);
    const auto& [server, secret] = *made;
    print_row(
        arguments, {server.id.text, server.resource, list_of(server.services, "none"),
                    scope_cell(server.scope), secret.reveal()});
    std::cerr
        << "With this id and this secret the server behind it can introspect its tokens "
           "itself (RFC 7662); behind the gate it need not.\n"
           "The secret is shown this once and cannot be shown again.\n"
        << server.resource
        << " is guarded when the web server has its lines (docs/gate.md, or consentgate-admin "
           "setup), and consentgate is reloaded:\n  "
        << reload_command << "\n";
    warn_of_gate(context, server);
    return 0;
}

usecase::ResourceChange read_change(Context& context, const Arguments& arguments) {
    usecase::ResourceChange change{.rotate_secret = arguments.has("rotate-secret")};
    if (const auto scopes = arguments.one("scopes")) change.scope = read_scopes(context, *scopes);
    if (arguments.has("service")) change.services = service_ids(context, arguments.all("service"));
    if (arguments.has("no-service")) {
        if (change.services) throw UsageError("--service and --no-service exclude each other");
        change.services.emplace();
    }
    change.name = arguments.one("name");
    change.documentation = arguments.one("documentation");
    change.policy = arguments.one("policy");
    change.tos = arguments.one("tos");
    if (const auto origins = arguments.one("origins")) change.origins = read_origins(*origins);
    if (const auto groups = arguments.one("tell-groups")) change.groups = read_groups(*groups);
    if (const auto place = arguments.one("assertion")) change.assertion = read_place(*place);
    const bool says_something =
        std::any_of(std::begin(texts), std::end(texts), [&](const char* option) {
            return arguments.has(option);
        });
    if (!says_something && !change.services && !change.rotate_secret)
        throw UsageError(
            "resource set needs --scopes, --service, --no-service, --rotate-secret, --name, "
            "--documentation, --policy, --tos, --origins, --tell-groups or --assertion");
    return change;
}

Cell text_cell(const std::string& text) { return {text.empty() ? "none" : text, text}; }

// One row for each member that changed.
std::vector<Row> changes_of(const core::ResourceServer& before, const core::ResourceServer& after) {
    std::vector<Row> rows;
    if (before.scope != after.scope)
        rows.push_back({"scope", scope_cell(before.scope), scope_cell(after.scope)});
    if (before.services != after.services)
        rows.push_back(
            {"services", list_of(before.services, "none"), list_of(after.services, "none")});
    const auto compare = [&](const char* member, const std::string& old, const std::string& now) {
        if (old != now) rows.push_back({member, text_cell(old), text_cell(now)});
    };
    const auto &was = before.description, &is = after.description;
    compare("name", was.name, is.name);
    compare("documentation", was.documentation, is.documentation);
    compare("policy", was.policy, is.policy);
    compare("tos", was.tos, is.tos);
    compare("origins", before.origins.text(), after.origins.text());
    const auto word = [](auto value) { return std::string(core::name_of(value)); };
    compare("tell-groups", word(before.facts.groups), word(after.facts.groups));
    compare("assertion", word(before.facts.assertion), word(after.facts.assertion));
    return rows;
}

// The resource of an active server; the word itself where there is none.
std::string resource_of(Context& context, const std::string& word) {
    const auto servers = usecase::list_resource_servers(context.deps());
    for (const auto& server : servers)
        if (server.active && server.id.text == word) return server.resource;
    return resource_url(context, word);
}

// Prints what changed, one line for each member, and nothing when nothing did.
int set(Context& context, const Arguments& arguments) {
    const auto change = read_change(context, arguments);
    const auto url = resource_of(context, arguments.words.front());
    if (change.rotate_secret)
        confirm(
            arguments, "Give " + url + " another secret, and refuse the old one?",
            "--rotate-secret refuses the old secret from now on");
    const auto changed = usecase::change_resource_server(context.deps(), url, change);
    if (!changed && changed.error().code == core::ErrorCode::invalid_target)
        throw UsageError(url + ": " + changed.error().message);
    require_found(changed, "resource list");
    const auto& [before, after, secret] = *changed;
    auto rows = changes_of(before, after);
    if (secret) rows.push_back({"secret", Cell("(not shown)", nullptr), secret->reveal()});
    if (!rows.empty() || arguments.has("json")) print_rows(arguments, rows);
    if (rows.empty())
        std::cerr << "Nothing changes: " << after.resource << " was so before.\n";
    else
        std::cerr << after.resource << " is so for pages, documents and the gate after:\n  "
                  << reload_command << "\n";
    if (secret)
        std::cerr << "The secret of " << after.id.text
                  << " is shown this once; the old one is refused from now on.\n";
    return 0;
}

int list(Context& context, const Arguments& arguments) {
    std::vector<Row> rows;
    for (const auto& server : usecase::list_resource_servers(context.deps())) {
        rows.push_back(
            {server.id.text, server.resource, list_of(server.services, "none"), server.scope.text(),
             yes_no(server.active), when(server.created_at), text_cell(server.description.name),
             server.origins.text(), std::string(core::name_of(server.facts.groups)),
             std::string(core::name_of(server.facts.assertion))});
    }
    print_rows(arguments, rows);
    return 0;
}

int show(Context& context, const Arguments& arguments) {
    const auto server = named_resource(context, arguments.words.front());
    const auto& words = server.description;
    print_row(
        arguments, {server.id.text, server.resource, list_of(server.services, "none"),
                    scope_cell(server.scope), yes_no(server.active), when(server.created_at),
                    text_cell(words.name), text_cell(words.documentation), text_cell(words.policy),
                    text_cell(words.tos), server.origins.text(),
                    std::string(core::name_of(server.facts.groups)),
                    std::string(core::name_of(server.facts.assertion))});
    return 0;
}

int enable(Context& context, const Arguments& arguments) {
    const auto server = named_resource(context, arguments.words.front(), false);
    const auto done = usecase::enable_resource_server(context.deps(), server.id);
    if (!done && done.error().code == core::ErrorCode::invalid_target)
        throw std::runtime_error(done.error().message);
    require_found(done, "resource list");
    std::cerr << "Enabled. Its scopes and services count after:\n  " << reload_command << "\n";
    warn_of_gate(context, server);
    return 0;
}

int remove(Context& context, const Arguments& arguments) {
    const auto server = named_resource(context, arguments.words.front());
    confirm(
        arguments, "Remove " + server.resource + " (" + server.id.text + ")?",
        "forgets the server's secret and settings");
    require_found(usecase::remove_resource_server(context.deps(), server.id), "resource list");
    std::cerr << "Removed. It can no longer introspect or exchange tokens. The gate goes on with "
                 "it until:\n  "
              << reload_command
              << "\nSessions for it end of themselves; at once by:\n  consentgate-admin session "
                 "revoke --resource "
              << server.resource << "\n";
    return 0;
}

int disable(Context& context, const Arguments& arguments) {
    const auto server = named_resource(context, arguments.words.front());
    require_found(usecase::disable_resource_server(context.deps(), server.id), "resource list");
    std::cerr << "Disabled. It can no longer introspect or exchange tokens; its scopes and "
                 "services no longer count after:\n  "
              << reload_command << "\n";
    return 0;
}

// These options, and those that say something about a resource.
std::vector<Option> with_words(std::vector<Option> options) {
    const Option words[] = {
        {"name", "TEXT", "what pages and clients call it; its host and path when empty"},
        {"documentation", "URL", "a page for developers, which its metadata names"},
        {"policy", "URL", "a page on what clients may do with its data"},
        {"tos", "URL", "a page with its terms of service"},
        {"origins", "ORIGINS",
         "the pages whose programs may call it, like https://app.example; or any, or none"},
        {"tell-groups", "WHICH",
         "the groups of a person that it reads: named (by some rule), all or none"},
        {"assertion", "WHERE",
         "the facts of each call as a signed JWT: off, header (Consentgate-Assertion) or bearer "
         "(Authorization)"}};
    options.insert(options.end(), std::begin(words), std::end(words));
    return options;
}

// Commands that say or change nothing of it but whether it is there.
std::vector<Command> commands_about_one() {
    return {
        {.name = "resource list",
         .summary = "list the guarded servers",
         .example = "consentgate-admin resource list",
         .json =
             {"id", "resource", "services", "scope", "active", "created", "name", "origins",
              "tell_groups", "assertion"},
         .audited = false,
         .run = list},
        {.name = "resource show",
         .operand = "RESOURCE",
         .summary = "show one guarded server, by its id, URL, path or name",
         .example = "consentgate-admin resource show /mcp/notion",
         .json =
             {"id", "resource", "services", "scope", "active", "created", "name", "documentation",
              "policy", "tos", "origins", "tell_groups", "assertion"},
         .audited = false,
         .run = show},
        {.name = "resource disable",
         .operand = "RESOURCE",
         .summary = "refuse a server's own requests from now on",
         .example = "consentgate-admin resource disable /mcp/notion",
         .run = disable},
        {.name = "resource enable",
         .operand = "RESOURCE",
         .summary = "undo resource disable",
         .example = "consentgate-admin resource enable /mcp/notion",
         .run = enable},
        {.name = "resource remove",
         .operand = "RESOURCE",
         .summary = "forget a guarded server, its secret and its settings",
         .example = "consentgate-admin resource remove /mcp/notion --yes",
         .destroys = true,
         .run = remove},
    };
}

} // namespace

std::vector<Command> resource_commands() {
    const Option service{
        "service", "ID...",
        "the gate hands it its callers' tokens at this service; given more than once, it may "
        "exchange for them (RFC 8693)"};
    std::vector<Command> commands{
        {.name = "resource add",
         .operand = "URL",
         .summary = "guard an MCP server, and let it introspect its tokens",
         .example =
             "consentgate-admin resource add https://tools.example.org/mcp/notion --service notion",
         .options = with_words(
             {service,
              {"scopes", "SCOPES",
               "what the gate asks of requests to it; default_scopes when absent"}}),
         .json = {"id", "resource", "services", "scope", "secret"},
         .run = add},
        {.name = "resource set",
         .operand = "RESOURCE",
         .summary = "change what a guarded server asks and gets, and print what changed",
         .example = "consentgate-admin resource set https://tools.example.org/mcp/notion "
                    "--service notion",
         .options = with_words(
             {service,
              {"no-service", "", "it gets no tokens of its callers"},
              {"scopes", "SCOPES",
               "what the gate asks of requests to it; default_scopes when empty"},
              {"rotate-secret", "", "give it another secret, and show it, once; asks before"}}),
         .json = {"member", "before", "after"},
         .destroys = true,
         .run = set},
    };
    const auto more = commands_about_one();
    commands.insert(commands.end(), more.begin(), more.end());
    return commands;
}

} // namespace consentgate::app::admin
