#include "admin.h"

#include "consentgate/core/oauth/consent.h"
#include "consentgate/usecase/virtual_keys.h"

#include <Poco/NumberParser.h>

#include <iostream>

namespace consentgate::app::admin {
namespace {

std::optional<core::Instant> expiry(Context& context, const Arguments& arguments) {
    const auto days = arguments.one("expires-days");
    if (!days) return std::nullopt;
    int number = 0;
    if (!Poco::NumberParser::tryParse(*days, number) || number < 1 || number > 36500)
        throw UsageError("--expires-days takes a number of days from 1 to 36500");
    return context.now + core::Span(number * 86400LL);
}

int add(Context& context, const Arguments& arguments) {
    sys::OsRandom random;
    const auto made = usecase::add_virtual_key(
        context.store(), random, arguments.words.front(), expiry(context, arguments),
        arguments.all("service"), context.now);
    if (!made) throw UsageError(made.error().message);
    if (arguments.has("json")) {
        core::JsonObject object;
        object.set("id", made->key.id.text)
            .set("name", made->key.name)
            .set("virtual_key", made->clear.reveal());
        print(object);
        return 0;
    }
    std::cout << made->clear.reveal() << "\n";
    std::cerr << "This is the virtual key of '" << made->key.name << "' (" << made->key.id.text
              << "). It is shown this once and cannot be shown again.\n";
    return 0;
}

int list(Context& context, const Arguments& arguments) {
    Table table{{"id", "name", "active", "services", "created", "expires"}, {}};
    for (const auto& key : context.store().list_virtual_keys()) {
        table.rows.push_back(
            {key.id.text, key.name, yes_no(key.usable(context.now)), list_of(key.services, "all"),
             when(key.created_at), when(key.expires_at)});
    }
    print(table, arguments.has("json"));
    return 0;
}

int disable(Context& context, const Arguments& arguments) {
    const core::VirtualKeyId id(arguments.words.front());
    const auto connected = context.store()
                               .list_accounts(core::token_owner(
                                   {core::IdentityKind::virtual_key, id.text}, core::SessionId()))
                               .size();
    if (context.store().disable_virtual_key(id, context.now) == store::Applied::no) {
        throw std::runtime_error(
            "there is no active key '" + arguments.words.front() +
            "'; see consentgate-admin key list");
    }
    std::cerr << "Disabled. Its sessions end at their next request.\n";
    if (connected > 0)
        std::cerr << "What was connected with it is over too; the running server tells "
                  << connected << (connected == 1 ? " service" : " services") << " so.\n";
    return 0;
}

} // namespace

std::vector<Command> key_commands() {
    const Option json{"json", "", "print JSON"};
    return {
        {"key add",
         "NAME",
         "make a virtual key and show it, once",
         "consentgate-admin key add 'Anna, laptop' --expires-days 90",
         {{"expires-days", "N", "let it expire after N days"},
          {"service", "ID", "allow this service only; may be repeated"},
          json},
         add},
        {"key list",
         "",
         "list the virtual keys",
         "consentgate-admin key list --json",
         {json},
         list},
        {"key disable",
         "ID",
         "end a virtual key for good, with its sessions and what was connected with it",
         "consentgate-admin key disable vk_Zk3v9QkqT0aXb1",
         {},
         disable},
    };
}

} // namespace consentgate::app::admin
