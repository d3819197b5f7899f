#include "admin.h"

#include "consentgate/core/base/text.h"
#include "consentgate/usecase/introspection.h"
#include "consentgate/usecase/sessions.h"

#include <iostream>

namespace consentgate::app::admin {
namespace {

std::string identity_of(const core::SessionView& view) {
    return core::display_text(
        view.virtual_key ? view.virtual_key->name : view.session.identity.value, 60);
}

int list(Context& context, const Arguments& arguments) {
    std::vector<Row> rows;
    for (const auto& view : usecase::list_sessions(context.deps(), context.now)) {
        const auto& session = view.session;
        rows.push_back(
            {session.id.text, core::display_text(view.client_name, 60),
             std::string(core::name_of(session.identity.kind)), identity_of(view),
             when(session.created_at), when(session.expires_at)});
    }
    print_rows(arguments, rows);
    return 0;
}

int revoke(Context& context, const Arguments& arguments) {
    require_found(
        usecase::end_session(context.deps(), core::SessionId(arguments.words.front()), context.now),
        "session list");
    std::cerr << "Revoked. All of its tokens are refused from now on.\n";
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
         .json = {"id", "client_name", "identity_kind", "identity", "created", "expires"},
         .run = list},
        {.name = "session revoke",
         .operand = "ID",
         .summary = "end one session",
         .example = "consentgate-admin session revoke x8Gm2vVQ0dUq3Zr1nTfWcA",
         .run = revoke},
        {.name = "token introspect",
         .summary = "say whose token is on the standard input, and whether it is valid",
         .example = "consentgate-admin token introspect < token",
         .json =
             {"active", "reason", "session_id", "client_id", "client_name", "identity_kind",
              "identity", "scope", "resource", "created", "expires"},
         .run = introspect},
    };
}

} // namespace consentgate::app::admin
