#include "admin.h"

#include "consentgate/app/wire.h"
#include "consentgate/core/json.h"
#include "consentgate/core/text.h"
#include "consentgate/usecase/clients.h"

#include <iostream>

namespace consentgate::app::admin {
namespace {

int add(Context& context, const Arguments& arguments) {
    const auto uris = arguments.all("redirect-uri");
    if (uris.empty()) throw UsageError("client add needs at least one --redirect-uri");
    sys::OsRandom random;
    const core::Keyring no_keys({});
    const core::BearerVerifier no_bearers({}, "", "");
    usecase::World world{context.store(), random, context.config().policy, no_keys, no_bearers};
    const auto client = usecase::add_client(world, arguments.words.front(), uris, context.now);
    if (!client) throw UsageError(client.error().say);
    if (arguments.has("json")) {
        std::cout << core::registration_document(*client) << "\n";
    } else {
        std::cout << client->id.text << "\n";
        std::cerr << "This is the client_id of '" << client->name << "'. It is a public client: it has no secret.\n";
    }
    return 0;
}

int list(Context& context, const Arguments& arguments) {
    Table table{{"id", "name", "active", "registered_by", "created", "last_used", "redirect_uris"}, {}};
    for (const auto& client : context.store().list_clients()) {
        table.rows.push_back({client.id.text, core::display_text(client.name, 60), yes_no(client.active), std::string(client.by_operator ? "operator" : "itself"),
                              when(client.created_at), when(client.last_used_at), list_of(client.redirect_uris, "")});
    }
    print(table, arguments.has("json"));
    return 0;
}

int disable(Context& context, const Arguments& arguments) {
    if (context.store().disable_client(core::ClientId(arguments.words.front())) == store::Outcome::gone) {
        throw std::runtime_error("there is no active client '" + arguments.words.front() + "'; see consentgate-admin client list");
    }
    std::cerr << "Disabled. Its sessions end at their next request.\n";
    return 0;
}

int list_sessions(Context& context, const Arguments& arguments) {
    Table table{{"id", "client", "identity_kind", "identity", "since", "expires"}, {}};
    for (const auto& view : context.store().list_sessions(context.now)) {
        const auto& session = view.session;
        table.rows.push_back({session.id.text, core::display_text(view.client_name, 60), std::string(core::name_of(session.identity.kind)),
                              core::display_text(view.virtual_key ? view.virtual_key->name : session.identity.value, 60),
                              when(session.created_at), when(session.expires_at)});
    }
    print(table, arguments.has("json"));
    return 0;
}

} // namespace

std::vector<Command> client_commands() {
    const Option json{"json", "", "print JSON"};
    return {
        {"client add", "NAME", "register a client yourself and vouch for it", "consentgate-admin client add 'Claude Code' --redirect-uri http://localhost/callback",
         {{"redirect-uri", "URI", "where it may be redirected to; may be repeated"}, json}, add},
        {"client list", "", "list the clients", "consentgate-admin client list", {json}, list},
        {"client disable", "ID", "refuse a client from now on", "consentgate-admin client disable cgc_0mB2Yg6nV0sW3k9Q1r5xZA", {}, disable},
        {"session list", "", "list who is signed in, newest first", "consentgate-admin session list", {json}, list_sessions},
    };
}

} // namespace consentgate::app::admin
