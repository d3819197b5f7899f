#include "admin_names.h"

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

// Logs and servers show people under the names of their keys, and commands take the names.
void report_namesakes(Context& context, const core::VirtualKey& added) {
    for (const auto& key : usecase::list_virtual_keys(context.deps()))
        if (key.name == added.name && key.id != added.id && key.usable(context.now))
            std::cerr << "Another key has this name and works too: " << key.id.text
                      << ". If it is not needed: consentgate-admin key disable " << key.id.text
                      << "\n";
}

int add(Context& context, const Arguments& arguments) {
    const auto made = usecase::add_virtual_key(
        context.deps(), arguments.words.front(), expiry(context, arguments),
        service_ids(context, arguments.all("service")), context.now);
    if (!made) throw UsageError(made.error().message);
    const auto& [key, clear] = *made;
    print_row(arguments, {key.id.text, key.name, clear.reveal()});
    std::cerr << "Give it to the person: the page of a sign-in asks for it as an access code.\n"
                 "The virtual key is shown this once and cannot be shown again.\n";
    report_namesakes(context, key);
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

int show(Context& context, const Arguments& arguments) {
    const auto [key, old_until, accounts, sessions] = usecase::describe_virtual_key(
        context.deps(), named_key(context, arguments.words.front()), context.now);
    std::vector<std::string> connected;
    for (const auto& account : accounts) connected.push_back(account.service.text);
    const auto count = std::to_string(sessions);
    print_row(
        arguments, {key.id.text, key.name, yes_no(key.usable(context.now)),
                    list_of(key.services, "all"), when(key.created_at), when(key.expires_at),
                    old_until ? when(old_until) : Cell("refused", nullptr),
                    Cell(
                        sessions < usecase::most_sessions ? count : count + " or more",
                        static_cast<std::int64_t>(sessions)),
                    list_of(connected, "none")});
    return 0;
}

// A text in wrong hands ends at once, and its sessions by another command; a text that is only old
// may go on until everybody has the new one.
int rotate(Context& context, const Arguments& arguments) {
    const auto key = named_key(context, arguments.words.front());
    const auto hours = number_option(arguments, "keep-old", 24 * 366);
    std::optional<core::Instant> until;
    if (hours) until = context.now + core::Span(*hours * 3600LL);
    if (!until)
        confirm(
            arguments,
            "Give '" + key.name + "' (" + key.id.text + ") another text, and refuse the old one?",
            "refuses the old text from now on, unless --keep-old says how long it works");
    const auto rotated = usecase::rotate_virtual_key(context.deps(), key.id, until, context.now);
    if (!rotated) throw std::runtime_error(rotated.error().message);
    print_row(
        arguments, {key.id.text, key.name, rotated->clear.reveal(),
                    until ? when(until) : Cell("refused", nullptr)});
    std::cerr << "The virtual key is shown this once and cannot be shown again. Sessions that came "
                 "of the old text go on, as do the accounts connected with the key. If it may be "
                 "in wrong hands: consentgate-admin session revoke --key "
              << key.id.text << "\n";
    return 0;
}

int disable(Context& context, const Arguments& arguments) {
    const auto key = named_key(context, arguments.words.front());
    if (key.active)
        confirm(
            arguments, "End '" + key.name + "' (" + key.id.text + ") for good?",
            "ends the key for good, with its sessions and the accounts linked with it");
    const auto ended = usecase::disable_virtual_key(context.deps(), key.id, context.now);
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
              {"service", "ID...", "allow these services only"}},
         .json = {"id", "name", "virtual_key"},
         .run = add},
        {.name = "key list",
         .summary = "list the virtual keys",
         .example = "consentgate-admin key list --json",
         .json = {"id", "name", "active", "services", "created", "expires"},
         .audited = false,
         .run = list},
        {.name = "key show",
         .operand = "KEY",
         .summary = "show one virtual key, by its id or name, and what came of it",
         .example = "consentgate-admin key show 'Anna, laptop'",
         .json =
             {"id", "name", "active", "services", "created", "expires", "old_text", "sessions",
              "accounts"},
         .audited = false,
         .run = show},
        {.name = "key rotate",
         .operand = "KEY",
         .summary = "give a virtual key another text and show it, once; its sessions and accounts "
                    "stay",
         .example = "consentgate-admin key rotate 'Anna, laptop' --keep-old 24",
         .options =
             {{"keep-old", "HOURS",
               "the old text works so many hours more; without it, it is refused at once"}},
         .json = {"id", "name", "virtual_key", "old_text"},
         .destroys = true,
         .run = rotate},
        {.name = "key disable",
         .operand = "KEY",
         .summary = "end a virtual key for good, with its sessions and the accounts linked with it",
         .example = "consentgate-admin key disable vk_Zk3v9QkqT0aXb1",
         .destroys = true,
         .run = disable},
    };
}

} // namespace consentgate::app::admin
