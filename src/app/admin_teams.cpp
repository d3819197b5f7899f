#include "admin_access.h"

#include "consentgate/core/base/text.h"
#include "consentgate/usecase/access_rules.h"

#include <algorithm>
#include <iostream>

namespace consentgate::app::admin {
namespace {

const std::string& team_name(const Arguments& arguments) {
    const auto& name = arguments.words.front();
    if (!core::is_team_name(name)) throw UsageError("a team's name is 1 to 64 of a-z 0-9 - _");
    return name;
}

std::vector<core::Who> read_members(Context& context, const Arguments& arguments) {
    std::vector<core::Who> members;
    for (std::size_t at = 1; at < arguments.words.size(); ++at) {
        members.push_back(read_who(context, arguments.words[at]));
        if (!members.back().names_one())
            throw UsageError(
                "'" + arguments.words[at] +
                "' is not one person or key; a team lists key:ID, remote/user:NAME, IDP/user:SUB "
                "and IDP/email:ADDRESS");
    }
    return members;
}

Cell names_of(const std::vector<core::Who>& members) {
    std::vector<std::string> names;
    for (const auto& who : members) names.push_back(who.text());
    return list_of(names, "nobody");
}

int add(Context& context, const Arguments& arguments) {
    const auto& team = team_name(arguments);
    const auto joined =
        usecase::join_team(context.deps(), team, read_members(context, arguments), context.now);
    if (!joined) throw failed(joined.error());
    print_row(arguments, {team, names_of(*joined)});
    return 0;
}

int remove(Context& context, const Arguments& arguments) {
    const auto& team = team_name(arguments);
    const auto left = usecase::leave_team(context.deps(), team, read_members(context, arguments));
    if (!left) throw failed(left.error());
    print_row(arguments, {team, names_of(*left)});
    return left->empty() ? 1 : 0;
}

int list(Context& context, const Arguments& arguments) {
    std::vector<Row> rows;
    for (const auto& member : usecase::read_access(context.deps()).members)
        if (arguments.words.empty() || arguments.words.front() == member.team)
            rows.push_back({member.team, member.who.text(), when(member.created_at)});
    print_rows(arguments, rows);
    return 0;
}

} // namespace

std::vector<Command> team_commands() {
    return {
        {.name = "team add",
         .operand = "NAME WHO...",
         .summary = "put people and keys into a team, which rules name as team:NAME",
         .example = "consentgate-admin team add eng google/email:anna@example.org key:vk_Zk3v9Qkq",
         .json = {"team", "added"},
         .run = add},
        {.name = "team remove",
         .operand = "NAME WHO...",
         .summary = "take people and keys out of a team",
         .example = "consentgate-admin team remove eng google/email:anna@example.org",
         .json = {"team", "removed"},
         .run = remove},
        {.name = "team list",
         .operand = "[NAME]",
         .summary = "list the teams and who is in them",
         .example = "consentgate-admin team list eng",
         .json = {"team", "who", "since"},
         .audited = false,
         .run = list},
    };
}

} // namespace consentgate::app::admin
