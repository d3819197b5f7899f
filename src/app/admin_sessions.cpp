#include "admin_names.h"
#include "admin_progress.h"
#include "admin_users.h"

#include "consentgate/core/base/text.h"
#include "consentgate/usecase/introspection.h"
#include "consentgate/usecase/sessions.h"

#include <algorithm>
#include <iostream>

namespace consentgate::app::admin {
namespace {

std::vector<std::string> kinds() {
    std::vector<std::string> names;
    for (const auto kind : core::identity_kinds()) names.emplace_back(core::name_of(kind));
    return names;
}

std::string identity_of(const core::SessionView& view) {
    return core::display_text(core::user_name(view), 60);
}

const std::vector<Option>& filters() {
    static const std::vector<Option> options{
        {"client", "CLIENT", "those of this client"},
        {"resource", "URL", "those for this guarded server"},
        {"identity", "KIND", "those of this kind of identity: " + core::join(kinds(), ", ")},
        {"key", "KEY", "those of this virtual key"},
        {"user", "WHO",
         "those of this person, of this verified user, and of whoever typed the name"}};
    return options;
}

std::vector<Option> with_filters(std::vector<Option> options) {
    options.insert(options.begin(), filters().begin(), filters().end());
    return options;
}

// A name that does not exist would end nobody, and the operator would believe that all is done.
core::SessionFilter read_filter(Context& context, const Arguments& arguments) {
    core::SessionFilter filter;
    if (const auto client = arguments.one("client"))
        filter.client = of_option([&] { return named_client(context, *client); }).id;
    if (const auto resource = arguments.one("resource"))
        filter.resource = of_option([&] { return resource_url(context, *resource); });
    if (const auto kind = arguments.one("identity")) {
        require_known("kind of identity", *kind, kinds(), "");
        filter.identity = core::identity_kind(*kind);
    }
    if (const auto key = arguments.one("key"))
        filter.key = of_option([&] { return named_key(context, *key); }).id;
    filter.user = arguments.one("user");
    if (!filter.user) return filter;
    if (const auto person = find_person(context, *filter.user)) filter.person = person->id;
    return filter;
}

int list(Context& context, const Arguments& arguments) {
    const auto limit =
        static_cast<std::size_t>(number_option(arguments, "limit", 1'000'000).value_or(1000));
    auto views = usecase::list_sessions(
        context.deps(), context.now, read_filter(context, arguments), limit + 1);
    const bool more = views.size() > limit;
    if (more) views.pop_back();
    std::vector<Row> rows;
    for (const auto& view : views) {
        const auto& session = view.session;
        rows.push_back(
            {session.id.text, session.client_id.text, core::display_text(view.client_name, 60),
             session.resource, std::string(core::name_of(session.identity.kind)), identity_of(view),
             when(session.created_at), when(session.last_used_at), session.last_used_from,
             when(session.expires_at)});
    }
    print_rows(arguments, rows);
    if (more) std::cerr << "There are more than these " << limit << "; --limit N shows more.\n";
    return 0;
}

int show(Context& context, const Arguments& arguments) {
    const auto found =
        usecase::find_session(context.deps(), core::SessionId(arguments.words.front()));
    require_found(found, "session list");
    const auto& view = found->view;
    const auto& session = view.session;
    const auto alive = core::check_session(view, context.config().policy, context.now);
    std::vector<std::string> services;
    for (const auto& account : found->accounts) services.push_back(account.service.text);
    print_row(
        arguments,
        {session.id.text, yes_no(static_cast<bool>(alive)),
         alive ? std::nullopt : std::optional<Cell>(alive.error().reason), session.client_id.text,
         core::display_text(view.client_name, 60), session.resource, session.scope.text(),
         std::string(core::name_of(session.identity.kind)), identity_of(view),
         when(session.created_at), when(session.last_used_at), session.last_used_from,
         when(session.expires_at), list_of(services, "none")});
    return 0;
}

int revoke_one(Context& context, const std::string& id) {
    const auto ended = usecase::end_session(context.deps(), core::SessionId(id), context.now);
    require_found(ended, "session list");
    usecase::audit_session_end(context.deps(), *ended, "operator");
    std::cerr << "Revoked. All of its tokens are refused from now on.\n";
    return 0;
}

int revoke_all(Context& context, const core::SessionFilter& filter) {
    const StopSignals stop;
    Progress progress("revoking");
    const auto ended =
        usecase::end_sessions(context.deps(), filter, context.now, [&](std::size_t count) {
            progress.at(count, "sessions");
            stop.check("run it again to revoke the rest");
        });
    std::cerr << ended << (ended == 1 ? " session" : " sessions")
              << " revoked. All of their tokens are refused from now on.\n";
    return 0;
}

// After the sessions, which could otherwise connect an account again.
void end_accounts(Context& context, const core::SessionFilter& filter) {
    std::size_t ended = 0;
    if (filter.key)
        ended +=
            usecase::end_linked_accounts(context.deps(), core::Owner::of(*filter.key), context.now);
    if (filter.user)
        ended += usecase::end_linked_accounts(
            context.deps(), core::Owner::verified_user(*filter.user), context.now);
    if (filter.person)
        ended += usecase::end_linked_accounts(
            context.deps(), core::Owner::parse("user:" + filter.person->text), context.now);
    std::cerr << ended << (ended == 1 ? " account" : " accounts")
              << " ended too; the running server asks their services to revoke.\n";
}

void confirm_all(Context& context, const Arguments& arguments, const core::SessionFilter& filter) {
    constexpr std::size_t most = 1000;
    const auto count =
        arguments.has("yes")
            ? 0
            : usecase::list_sessions(context.deps(), context.now, filter, most + 1).size();
    const auto text = count > most ? "more than 1000 sessions"
                      : count == 1 ? "1 session"
                                   : std::to_string(count) + " sessions";
    confirm(
        arguments, "End " + text + (arguments.has("with-accounts") ? ", and accounts?" : "?"),
        "ends every session that fits");
}

int revoke(Context& context, const Arguments& arguments) {
    const auto filtered = static_cast<std::size_t>(
        std::count_if(filters().begin(), filters().end(), [&](const Option& option) {
            return arguments.has(option.name);
        }));
    const bool one = !arguments.words.empty(), all = arguments.has("all");
    if (one + all + (filtered > 0) != 1)
        throw UsageError(
            "session revoke takes one of: the ID of a session, --all, or --client, --resource, "
            "--identity, --key and --user, which may be combined");
    if (one) return revoke_one(context, arguments.words.front());
    const auto filter = read_filter(context, arguments);
    const bool with_accounts = arguments.has("with-accounts");
    if (with_accounts && !filter.key && !filter.user)
        throw UsageError("--with-accounts goes with --key or --user, whose accounts it ends");
    confirm_all(context, arguments, filter);
    if (!with_accounts) return revoke_all(context, filter);
    revoke_all(context, filter);
    end_accounts(context, filter);
    return 0;
}

// The token comes on stdin, because every user of the machine can read a command line.
int introspect(Context& context, const Arguments& arguments) {
    std::string line;
    std::getline(std::cin, line);
    const auto token = core::Secret(std::string(core::trim(line)));
    if (token.empty()) throw UsageError("token introspect reads the token from its standard input");
    const auto [valid, view] = usecase::inspect_token(context.deps(), token, context.now);
    Row row{yes_no(static_cast<bool>(valid))};
    row.push_back(valid ? std::nullopt : std::optional<Cell>(valid.error().reason));
    if (view) {
        const auto& session = view->session;
        row.insert(
            row.end(),
            {session.id.text, session.client_id.text, core::display_text(view->client_name, 60),
             std::string(core::name_of(session.identity.kind)), identity_of(*view),
             session.scope.text(), session.resource, when(session.created_at),
             when(session.token_ends())});
    }
    row.resize(arguments.command->json.size());
    print_row(arguments, row);
    return 0;
}

} // namespace

std::vector<Command> session_commands() {
    return {
        {.name = "session list",
         .summary = "list who is signed in, newest first",
         .example = "consentgate-admin session list",
         .options = with_filters({{"limit", "N", "at most so many; 1000 when absent"}}),
         .json =
             {"id", "client_id", "client_name", "resource", "identity_kind", "identity", "created",
              "last_used", "last_used_from", "expires"},
         .audited = false,
         .run = list},
        {.name = "session show",
         .operand = "ID",
         .summary = "show one session, whether it is good, and what it has",
         .example = "consentgate-admin session show Zk3v9QkqT0aXb1Zk3v9Qkq",
         .json =
             {"id", "active", "reason", "client_id", "client_name", "resource", "scope",
              "identity_kind", "identity", "created", "last_used", "last_used_from", "expires",
              "accounts"},
         .audited = false,
         .run = show},
        {.name = "session revoke",
         .operand = "[ID]",
         .summary =
             "end one session, or all that the options name, with what belongs to them alone",
         .example = "consentgate-admin session revoke --user anna@example.org --yes",
         .options = with_filters(
             {{"all", "", "every session"},
              {"with-accounts", "", "with --key or --user: end their linked accounts too"}}),
         .destroys = true,
         .run = revoke},
        {.name = "token introspect",
         .summary = "say whose token is on the standard input, and whether it is valid",
         .example = "consentgate-admin token introspect < token",
         .json =
             {"active", "reason", "session_id", "client_id", "client_name", "identity_kind",
              "identity", "scope", "resource", "created", "expires"},
         .audited = false,
         .run = introspect},
    };
}

} // namespace consentgate::app::admin
