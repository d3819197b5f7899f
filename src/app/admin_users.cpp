#include "admin_users.h"

#include "admin_names.h"
#include "admin_progress.h"

#include "consentgate/core/base/text.h"

#include <iostream>

namespace consentgate::app::admin {
namespace {

constexpr std::size_t longest_name = 60;

std::string name_of_person(const core::Person& person) {
    return core::display_text(person.email.empty() ? person.name : person.email, longest_name);
}

// out: absent when nobody is meant
std::optional<core::Person> only_one(std::vector<core::Person> found, const std::string& word) {
    if (found.empty()) return std::nullopt;
    if (found.size() == 1) return std::move(found.front());
    std::string all;
    for (const auto& one : found) all += "\n  " + shown_person(one);
    throw std::runtime_error("'" + word + "' means several people:" + all);
}

core::Person named(Context& context, const Arguments& arguments) {
    return read_person(context, arguments.words.front());
}

Cell text_or_dash(const std::string& text) {
    return text.empty() ? Cell("-", nullptr) : Cell(core::display_text(text, longest_name), text);
}

Cell groups_of(const core::Person& person) {
    if (!person.groups_known) return {"unknown", nullptr};
    return {
        person.groups.empty() ? "none"
                              : core::display_text(core::join(person.groups, " "), longest_name),
        core::json_array(person.groups)};
}

Cell id_of(const core::Person& person) {
    return {core::short_name_of(person.id), "user:" + person.id.text};
}

int list(Context& context, const Arguments& arguments) {
    usecase::PeopleFilter filter;
    if (const auto idp = arguments.one("idp"))
        filter.idp = of_option([&] { return named_idp(context, *idp); }).id;
    filter.group = arguments.one("group");
    filter.email = arguments.one("email");
    filter.disabled = arguments.has("disabled");
    const auto limit =
        static_cast<std::size_t>(number_option(arguments, "limit", 1'000'000).value_or(1000));
    auto people = usecase::list_people(context.deps(), filter, limit + 1);
    const bool more = people.size() > limit;
    if (more) people.pop_back();
    std::vector<Row> rows;
    for (const auto& person : people)
        rows.push_back(
            {id_of(person), person.idp.text, Cell(core::display_text(person.name, longest_name)),
             text_or_dash(person.email), groups_of(person), when(person.last_signin),
             person.disabled_at ? when(person.disabled_at) : Cell("no", nullptr)});
    print_rows(arguments, rows);
    if (more) std::cerr << "There are more than these " << limit << "; --limit N shows more.\n";
    return 0;
}

Cell claims_of(const core::Person& person) {
    core::JsonObject object;
    std::string shown;
    for (const auto& [name, values] : person.claims) {
        object.set(name, core::json_array(values));
        shown += (shown.empty() ? "" : ", ") + name + "=" + core::join(values, " ");
    }
    return {shown.empty() ? "none" : core::display_text(shown, 200), std::move(object)};
}

int show(Context& context, const Arguments& arguments) {
    const auto details =
        usecase::describe_person(context.deps(), named(context, arguments), context.now);
    const auto& person = details.person;
    std::vector<std::string> services;
    for (const auto& account : details.accounts) services.push_back(account.service.text);
    std::optional<core::Instant> newest;
    if (!details.signins.empty()) newest = details.signins.front().signed_in_at;
    print_row(
        arguments,
        {Cell("user:" + person.id.text), person.idp.text, Cell(person.issuer), Cell(person.subject),
         Cell(core::display_text(person.name, longest_name)), text_or_dash(person.email),
         groups_of(person), claims_of(person), when(person.first_signin), when(person.last_signin),
         when(person.checked_at),
         person.disabled_at ? when(person.disabled_at) : Cell("no", nullptr),
         number(details.sessions), number(details.signins.size()), list_of(services, "none")});
    return 0;
}

std::string count_of(std::size_t count, const char* thing) {
    return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

std::string ended_text(const usecase::EndedThings& ended, bool accounts) {
    return count_of(ended.sessions, "session") + ", " + count_of(ended.signins, "sign-in") +
           (accounts ? " and " + count_of(ended.accounts, "account") : std::string());
}

int end(Context& context, const Arguments& arguments) {
    const auto person = named(context, arguments);
    const bool accounts = arguments.has("accounts");
    if (accounts)
        confirm(
            arguments,
            "End all that " + shown_person(person) + " has here, with the accounts connected?",
            "--accounts ends the accounts that the person connected");
    const StopSignals stop;
    Progress progress("ending");
    const auto ended = usecase::end_person(
        context.deps(), person,
        accounts ? usecase::PersonAccounts::end : usecase::PersonAccounts::stay, context.now,
        [&](std::size_t count) {
            progress.at(count, "sessions");
            stop.check("run it again to end the rest");
        });
    std::cerr << "Ended: " << ended_text(ended, accounts)
              << ". They may sign in again; consentgate-admin user disable prevents that.\n";
    return 0;
}

int disable(Context& context, const Arguments& arguments) {
    const auto person = named(context, arguments);
    const bool changed =
        usecase::disable_person(context.deps(), person, context.now) == store::Applied::yes;
    std::cerr << shown_person(person)
              << (changed ? ": disabled. Nothing of theirs is good from now on, on any machine; "
                            "what they connected stays.\n"
                          : ": is disabled already.\n");
    return 0;
}

int enable(Context& context, const Arguments& arguments) {
    const auto person = named(context, arguments);
    const bool changed = usecase::enable_person(context.deps(), person) == store::Applied::yes;
    std::cerr << shown_person(person)
              << (changed ? ": enabled. Their sessions are good again, as far as they last.\n"
                          : ": was not disabled.\n");
    return 0;
}

int remove(Context& context, const Arguments& arguments) {
    const auto person = named(context, arguments);
    confirm(
        arguments, "Remove " + shown_person(person) + "?",
        "ends all that the person has here, and forgets them");
    const auto ended = usecase::remove_person(context.service_deps(), person, context.now);
    std::cerr << "Removed, with " << ended_text(ended, true) << ". Whoever signs in at "
              << person.idp.text << " as this person is somebody new; a rule can keep them out.\n";
    return 0;
}

} // namespace

std::string shown_person(const core::Person& person) {
    return name_of_person(person) + " (" + person.idp.text + ", " + core::short_name_of(person.id) +
           ")";
}

core::Person read_person(Context& context, const std::string& word) {
    auto found = usecase::find_people(context.deps(), word);
    if (!found) throw UsageError(found.error().message);
    auto person = only_one(std::move(*found), word);
    if (!person)
        throw std::runtime_error(
            "nobody here is '" + word +
            "'; people are known from their first sign-in on, see "
            "consentgate-admin user list");
    return std::move(*person);
}

std::optional<core::Person> find_person(Context& context, const std::string& word) {
    auto found = usecase::find_people(context.deps(), word);
    return found ? only_one(std::move(*found), word) : std::nullopt;
}

std::vector<Command> user_commands() {
    return {
        {.name = "user list",
         .summary = "list the people who signed in at identity providers",
         .example = "consentgate-admin user list --group eng",
         .options =
             {{"idp", "ID", "those of this identity provider"},
              {"group", "NAME", "those who are in this group there"},
              {"email", "ADDRESS", "those whose e-mail address counts and is this"},
              {"disabled", "", "those whom user disable stopped"},
              {"limit", "N", "at most so many; 1000 when absent"}},
         .json = {"id", "idp", "name", "email", "groups", "last_signed_in", "disabled"},
         .audited = false,
         .run = list},
        {.name = "user show",
         .operand = "WHO",
         .summary = "show what is kept of one person, and what they have here",
         .example = "consentgate-admin user show anna@example.org",
         .json =
             {"id", "idp", "issuer", "subject", "name", "email", "groups", "claims",
              "first_signed_in", "last_signed_in", "checked", "disabled", "sessions", "signins",
              "accounts"},
         .audited = false,
         .run = show},
        {.name = "user end",
         .operand = "WHO",
         .summary = "end the sessions and sign-ins of a person, who may sign in again",
         .example = "consentgate-admin user end user:3f9c21ab",
         .options = {{"accounts", "", "end the accounts that they connected, too; asks before"}},
         .destroys = true,
         .run = end},
        {.name = "user disable",
         .operand = "WHO",
         .summary = "let a person do nothing from now on; user enable gives all back",
         .example = "consentgate-admin user disable corp/248289761001",
         .run = disable},
        {.name = "user enable",
         .operand = "WHO",
         .summary = "undo user disable",
         .example = "consentgate-admin user enable corp/248289761001",
         .run = enable},
        {.name = "user remove",
         .operand = "WHO",
         .summary = "end all that a person has here, and forget them",
         .example = "consentgate-admin user remove user:3f9c21ab --yes",
         .destroys = true,
         .run = remove},
        user_adopt_command(),
    };
}

} // namespace consentgate::app::admin
