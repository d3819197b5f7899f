#include "admin.h"

#include "consentgate/core/oauth/consent.h"
#include "consentgate/usecase/virtual_keys.h"

#include <iostream>

namespace consentgate::app::admin {
namespace {

std::optional<core::Instant> expiry(const Context& context, const Arguments& arguments) {
    const auto days = number_option(arguments, "expires-days", 36500);
    if (!days) return std::nullopt;
    return context.now + core::Span(*days * 86400LL);
}

int add(Context& context, const Arguments& arguments) {
    require_services(context, arguments.all("service"));
    const auto made = usecase::add_virtual_key(
        context.deps(), arguments.words.front(), expiry(context, arguments),
        arguments.all("service"), context.now);
    if (!made) throw UsageError(made.error().message);
    const auto& [key, clear] = *made;
    if (arguments.has("json")) {
        print_row(arguments, {key.id.text, key.name, clear.reveal()});
        return 0;
    }
    std::cout << clear.reveal() << "\n";
    std::cerr << "This is the virtual key of '" << key.name << "' (" << key.id.text
              << "). It is shown this once and cannot be shown again.\n";
    return 0;
}

int list(Context& context, const Arguments& arguments) {
    std::vector<Row> rows;
    for (const auto& key : usecase::list_virtual_keys(context.deps())) {
        rows.push_back(
            {key.id.text, key.name, yes_no(key.usable(context.now)), list_of(key.services, "all"),
             when(key.created_at), when(key.expires_at)});
    }
    print_rows(arguments, rows);
    return 0;
}

int disable(Context& context, const Arguments& arguments) {
    const auto ended = usecase::disable_virtual_key(
        context.deps(), core::VirtualKeyId(arguments.words.front()), context.now);
    require_found(ended, "key list");
    std::cerr << "Disabled. Its sessions end at their next request.\n";
    if (*ended > 0)
        std::cerr << "Accounts linked with it ended too; the running server asks " << *ended
                  << (*ended == 1 ? " service" : " services") << " to revoke its tokens.\n";
    return 0;
}

} // namespace

std::vector<Command> virtual_key_commands() {
    return {
        {.name = "key add",
         .operand = "NAME",
         .summary = "make a virtual key and show it, once",
         .example = "consentgate-admin key add 'Anna, laptop' --expires-days 90",
         .options =
             {{"expires-days", "N", "let it expire after N days"},
              {"service", "ID", "allow this service only; may be repeated"}},
         .json = {"id", "name", "virtual_key"},
         .run = add},
        {.name = "key list",
         .summary = "list the virtual keys",
         .example = "consentgate-admin key list --json",
         .json = {"id", "name", "active", "services", "created", "expires"},
         .audited = false,
         .run = list},
        {.name = "key disable",
         .operand = "ID",
         .summary = "end a virtual key for good, with its sessions and the accounts linked with it",
         .example = "consentgate-admin key disable vk_Zk3v9QkqT0aXb1",
         .run = disable},
    };
}

} // namespace consentgate::app::admin
