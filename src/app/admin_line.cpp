// The command line of consentgate-admin: which commands there are, how words become arguments, and
// the help texts. The manual page, the shell completion and tests/app/names.txt are made from
// help().
#include "admin.h"

#include "admin_suggestions.h"
#include "near_words.h"

#include "consentgate/app/old_names.h"
#include "consentgate/core/base/text.h"

#include <algorithm>

namespace consentgate::app::admin {
namespace {

std::string call_of(const Command& command) {
    return command.name + (command.operand.empty() ? "" : " " + command.operand);
}

// Two columns, the second as far to the right as the longest of the first wants.
class Columns {
public:
    void add(std::string left, std::string right) {
        width_ = std::max(width_, left.size() + 2);
        lines_.emplace_back(std::move(left), std::move(right));
    }

    std::string text() const {
        std::string text;
        for (const auto& [left, right] : lines_)
            text += "  " + left + std::string(width_ - left.size(), ' ') + right + "\n";
        return text;
    }

private:
    std::size_t width_ = 24;
    std::vector<std::pair<std::string, std::string>> lines_;
};

[[noreturn]] void fail_at(const Command& command, const std::string& problem) {
    throw UsageError(problem + "; see consentgate-admin " + command.name + " --help");
}

const Option& known_option(
    const Command& command, const std::vector<Option>& options, const std::string& word) {
    const auto name = word.starts_with("--") ? word.substr(2) : std::string();
    for (const auto& option : options) {
        if (option.name == name) return option;
    }
    if (const auto* old = find_old_name(NameKind::option, command.name, name))
        throw UsageError(renamed_text(*old, "--"));
    std::vector<std::string> known;
    for (const auto& option : options) known.push_back("--" + option.name);
    fail_at(command, "there is no option " + word + did_you_mean(word, known));
}

// Reads an option and the value that follows it.
// in: at  the place of the option; of its value afterwards
void read_option(Arguments& arguments, const std::vector<std::string>& line, std::size_t& at) {
    const auto& command = *arguments.command;
    const auto equals = std::min(line[at].find('='), line[at].size());
    const auto word = line[at].substr(0, equals);
    const auto options = options_of(command);
    const auto& option = known_option(command, options, word);
    const bool attached = equals < line[at].size();
    if (option.value.empty() && attached) fail_at(command, word + " takes no value");
    auto& values = arguments.options[option.name];
    if (!values.empty() && !option.repeated()) fail_at(command, word + " was given more than once");
    if (option.value.empty() || attached)
        values.push_back(attached ? line[at].substr(equals + 1) : "");
    else if (++at < line.size())
        values.push_back(line[at]);
    else
        fail_at(command, word + " needs a value: " + word + " " + option.value);
}

// The ids that we draw may begin with -. They are long, and no option has a capital or a digit.
bool is_drawn_id(const std::string& word) {
    constexpr std::size_t shortest = 16;
    return word.size() >= shortest && core::is_base64url(word) &&
           std::any_of(word.begin(), word.end(), [](char c) {
               return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
           });
}

void check_words(const Arguments& arguments) {
    const auto& [command, words, options] = arguments;
    const auto wanted = core::split(command->operand, ' ');
    if (words.size() < wanted.size() && !command->operand.starts_with('['))
        throw UsageError(
            command->name + " needs " + command->operand + ", as in: " + command->example);
    if (words.size() > wanted.size() && !command->operand.ends_with("..."))
        fail_at(
            *command, "'" + words[wanted.size()] + "' is one word too many: it takes " +
                          (wanted.empty() ? "none" : command->operand));
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
    if (command.destroys) options.push_back({"yes", "", "do not ask for confirmation"});
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
    if (line[0].starts_with('-'))
        throw UsageError(
            line[0] + " stands before any command; options follow it, as in: consentgate-admin "
                      "key list --json");
    const bool verb_follows = line.size() > 1 && !line[1].starts_with('-');
    if (is_noun(commands, line[0]) && !verb_follows) return nullptr;
    throw UsageError(unknown_command(commands, line[0], verb_follows ? line[1] : std::string()));
}

Arguments read_arguments(const Command& command, std::vector<std::string> line) {
    line.erase(line.begin(), line.begin() + (command.name.find(' ') == std::string::npos ? 1 : 2));
    Arguments arguments{.command = &command};
    bool options_over = false; // after "--" every word is one, whatever it begins with
    for (std::size_t at = 0; at < line.size(); ++at) {
        const auto& word = line[at];
        if (!options_over && word == "--")
            options_over = true;
        else if (
            options_over || word.size() < 2 || word[0] != '-' || // "-" is the standard input
            is_drawn_id(word))
            arguments.words.push_back(word);
        else
            read_option(arguments, line, at);
    }
    check_words(arguments);
    return arguments;
}

std::string overview(const std::string& noun) {
    const auto commands = all_commands();
    const bool one = is_noun(commands, noun);
    Columns list;
    std::string example;
    for (const auto& command : commands) {
        if (one && !command.name.starts_with(noun + " ")) continue;
        list.add(call_of(command), command.summary);
        if (example.empty() && (one || command.name == "key add")) example = command.example;
    }
    return "usage: consentgate-admin " + (one ? noun + " VERB" : std::string("COMMAND")) +
           " [options] [--config FILE]\n\n" + list.text() + "\nexample: " + example +
           "\n\nconsentgate-admin COMMAND --help explains one, consentgate-admin --version prints "
           "the version.\nThe configuration is --config FILE, else CONSENTGATE_CONFIG, else\n"
           "/etc/consentgate/consentgate.conf. Exit status: 0 done, 1 failed, 2 wrong usage.\n";
}

std::string help(const Command& command) {
    auto text = "usage: consentgate-admin " + call_of(command) + " [options]\n\n" +
                command.summary + "\n\n";
    Columns options;
    for (const auto& option : options_of(command)) {
        const auto call = "--" + option.name + (option.value.empty() ? "" : " " + option.value);
        options.add(call, option.meaning + (option.repeated() ? "; may be repeated" : ""));
    }
    text += options.text();
    if (!command.json.empty()) text += "\nJSON: " + core::join(command.json, ", ") + "\n";
    return text + "\nexample: " + command.example + "\n";
}

} // namespace consentgate::app::admin
