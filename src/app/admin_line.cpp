// The command line of consentgate-admin: which commands there are, how words become arguments, and
// the help texts. The manual page, the shell completion and tests/app/names.txt are made from
// help().
#include "admin.h"

#include "near_words.h"

#include "consentgate/app/old_names.h"
#include "consentgate/core/base/text.h"

#include <algorithm>

namespace consentgate::app::admin {
namespace {

std::string call_of(const Command& command) {
    return command.name + (command.operand.empty() ? "" : " " + command.operand);
}

std::string two_columns(const std::string& left, const std::string& right) {
    constexpr std::size_t width = 24;
    return "  " + left + std::string(left.size() < width ? width - left.size() : 1, ' ') + right +
           "\n";
}

const Option& known_option(
    const Command& command, const std::vector<Option>& options, const std::string& name) {
    for (const auto& option : options) {
        if (option.name == name) return option;
    }
    if (const auto* old = find_old_name(NameKind::option, command.name, name))
        throw UsageError(renamed_text(*old, "--"));
    std::vector<std::string> known;
    for (const auto& option : options) known.push_back("--" + option.name);
    throw UsageError("there is no option --" + name + did_you_mean("--" + name, known));
}

} // namespace

std::vector<Command> all_commands() {
    std::vector<Command> commands;
    for (const auto& group :
         {setup_commands(), database_commands(), backup_commands(), transfer_commands(),
          virtual_key_commands(), server_key_commands(), client_commands(), session_commands(),
          resource_commands(), service_commands(), access_commands(), team_commands(),
          idp_commands(), user_commands(), call_log_commands(), doctor_commands()}) {
        commands.insert(commands.end(), group.begin(), group.end());
    }
    return commands;
}

std::vector<Option> options_of(const Command& command) {
    auto options = command.options;
    if (!command.json.empty()) options.push_back({"json", "", "print JSON"});
    options.push_back({"config", "FILE", "the configuration file"});
    return options;
}

const Command* find_command(
    const std::vector<Command>& commands, std::vector<std::string>& line, std::string& notice) {
    if (line.empty()) return nullptr;
    if (const auto* old = find_old_name(NameKind::command, "", line[0])) {
        notice = renamed_text(*old) + "; the old word goes with the next version";
        line[0] = old->now;
    }
    const auto two = line.size() > 1 ? line[0] + " " + line[1] : std::string();
    for (const auto& command : commands) {
        if (command.name == two || command.name == line[0]) return &command;
    }
    return nullptr;
}

Arguments read_arguments(const Command& command, std::vector<std::string> line) {
    line.erase(line.begin(), line.begin() + (command.name.find(' ') == std::string::npos ? 1 : 2));
    const auto options = options_of(command);
    Arguments arguments{.command = &command};
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (!line[i].starts_with("--")) {
            arguments.words.push_back(line[i]);
            continue;
        }
        const auto equals = std::min(line[i].find('='), line[i].size());
        const auto name = line[i].substr(2, equals - 2);
        const auto& option = known_option(command, options, name);
        const bool attached = equals < line[i].size();
        if (option.value.empty() && attached) throw UsageError("--" + name + " takes no value");
        if (option.value.empty() || attached) {
            arguments.options[name].push_back(attached ? line[i].substr(equals + 1) : "");
        } else if (++i < line.size()) {
            arguments.options[name].push_back(line[i]);
        } else {
            throw UsageError("--" + name + " needs a value: --" + name + " " + option.value);
        }
    }
    const auto wanted = core::split(command.operand, ' ');
    if (arguments.words.size() < wanted.size() && !command.operand.starts_with('['))
        throw UsageError(command.name + " needs a " + command.operand);
    if (arguments.words.size() > wanted.size() && !command.operand.ends_with("..."))
        throw UsageError("'" + arguments.words[wanted.size()] + "' is one word too many");
    return arguments;
}

std::string overview(const std::string& noun) {
    std::string text = "usage: consentgate-admin COMMAND [--config FILE]\n\n";
    for (const auto& command : all_commands()) {
        if (noun.empty() || command.name.starts_with(noun + " "))
            text += two_columns(call_of(command), command.summary);
    }
    return text +
           "\nconsentgate-admin COMMAND --help explains one, consentgate-admin --version prints "
           "the "
           "version.\nThe configuration is --config FILE, else CONSENTGATE_CONFIG, else\n"
           "/etc/consentgate/consentgate.conf. Exit status: 0 done, 1 failed, 2 wrong usage.\n";
}

std::string help(const Command& command) {
    auto text = "usage: consentgate-admin " + call_of(command) + " [options]\n\n" +
                command.summary + "\n\n";
    for (const auto& option : options_of(command)) {
        const auto call = "--" + option.name + (option.value.empty() ? "" : " " + option.value);
        text += two_columns(call, option.meaning);
    }
    if (!command.json.empty()) text += "\nJSON: " + core::join(command.json, ", ") + "\n";
    return text + "\nexample: " + command.example + "\n";
}

} // namespace consentgate::app::admin
