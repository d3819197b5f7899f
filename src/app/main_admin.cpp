// consentgate-admin: the operator's tool. Data on stdout, the rest on stderr; exit status 0, 1
// (failed), 2 (usage).
#include "admin.h"

#include "consentgate/app/composition.h"
#include "consentgate/sys/clock.h"
#include "consentgate/sys/log.h"

#include <Poco/Environment.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>

namespace {

using namespace consentgate::app;
using admin::Arguments;
using admin::Command;
using admin::UsageError;

std::vector<Command> all_commands() {
    std::vector<Command> commands;
    for (auto part :
         {admin::database_commands(), admin::transfer_commands(), admin::key_commands(),
          admin::server_key_commands(), admin::client_commands(), admin::resource_commands(),
          admin::service_commands(), admin::doctor_commands()}) {
        commands.insert(commands.end(), part.begin(), part.end());
    }
    return commands;
}

void print_overview(std::ostream& out, const std::string& noun) {
    out << "usage: consentgate-admin COMMAND [--config FILE]\n\n";
    for (const auto& command : all_commands()) {
        if (!noun.empty() && !command.name.starts_with(noun + " ")) continue;
        const auto call = command.name + (command.operand.empty() ? "" : " " + command.operand);
        out << "  " << call << std::string(call.size() < 20 ? 20 - call.size() : 1, ' ')
            << command.summary << "\n";
    }
    out << "\nconsentgate-admin COMMAND --help explains one. The configuration is --config FILE, else CONSENTGATE_CONFIG,\n"
           "else /etc/consentgate/consentgate.conf. Exit status: 0 done, 1 failed, 2 wrong usage.\n";
}

void print_help(const Command& command) {
    std::cout << "usage: consentgate-admin " << command.name
              << (command.operand.empty() ? "" : " " + command.operand) << " [options]\n\n"
              << command.summary << "\n\n";
    for (const auto& option : command.options) {
        const auto call = "--" + option.name + (option.value.empty() ? "" : " " + option.value);
        std::cout << "  " << call << std::string(call.size() < 20 ? 20 - call.size() : 1, ' ')
                  << option.meaning << "\n";
    }
    std::cout << "  --config FILE       the configuration file\n\nexample: " << command.example
              << "\n";
}

// The longest command whose words the line begins with.
const Command* find_command(
    const std::vector<Command>& commands, const std::vector<std::string>& line) {
    for (const auto& command : commands) {
        const auto two = line.size() > 1 ? line[0] + " " + line[1] : std::string();
        if (command.name == two || (!line.empty() && command.name == line[0])) return &command;
    }
    return nullptr;
}

Arguments read_arguments(const Command& command, std::vector<std::string> line) {
    line.erase(line.begin(), line.begin() + (command.name.find(' ') == std::string::npos ? 1 : 2));
    auto options = command.options;
    options.push_back({"config", "FILE", ""});
    Arguments arguments;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (!line[i].starts_with("--")) {
            arguments.words.push_back(line[i]);
            continue;
        }
        const auto equals = std::min(line[i].find('='), line[i].size());
        const auto name = line[i].substr(2, equals - 2);
        const auto option = std::find_if(
            options.begin(), options.end(), [&](const auto& known) { return known.name == name; });
        if (option == options.end()) throw UsageError("there is no option --" + name);
        const bool attached = equals < line[i].size();
        if (option->value.empty() && attached) throw UsageError("--" + name + " takes no value");
        if (option->value.empty() || attached) {
            arguments.options[name].push_back(attached ? line[i].substr(equals + 1) : "");
        } else if (++i < line.size()) {
            arguments.options[name].push_back(line[i]);
        } else {
            throw UsageError("--" + name + " needs a value: --" + name + " " + option->value);
        }
    }
    const std::size_t wanted = command.operand.empty() ? 0 : 1;
    if (arguments.words.size() < wanted)
        throw UsageError(command.name + " needs a " + command.operand);
    if (arguments.words.size() > wanted)
        throw UsageError("'" + arguments.words[wanted] + "' is one word too many");
    return arguments;
}

// What an operator changes or carries away is for the audit log, where there is one apart from
// their own screen. It is opened before anything is done, so that nothing is done that cannot be
// written down.
bool open_audit(const Command& command, admin::Context& context) {
    const auto verb = command.name.substr(command.name.find_last_of(' ') + 1);
    for (const auto* looking :
         {"list", "show", "test", "check", "doctor", "introspect", "metrics", "sweep"}) {
        if (verb == looking) return false;
    }
    const auto& places = context.config().log;
    if (!places.syslog && places.audit_file.empty()) return false;
    consentgate::sys::open_log(places);
    return true;
}

void audit(const Command& command, const Arguments& arguments) {
    consentgate::sys::log_audit(
        "operator_command", {{"command", command.name},
                             {"operand", arguments.words.empty() ? "-" : arguments.words.front()},
                             {"uid", std::to_string(::getuid())},
                             {"sudo_user", Poco::Environment::get("SUDO_USER", "-")}});
}

int run(std::vector<std::string> line, const std::string& config_path) {
    // --config may stand before the command; config_path() has read it already.
    if (line.size() > 1 && line[0] == "--config") line.erase(line.begin(), line.begin() + 2);
    const bool help = std::find(line.begin(), line.end(), "--help") != line.end();
    const auto commands = all_commands();
    const auto* command = find_command(commands, line);
    if (command == nullptr) {
        print_overview(
            help ? std::cout : std::cerr, line.empty() || line[0].starts_with("-") ? "" : line[0]);
        return help ? EXIT_SUCCESS : 2;
    }
    if (help) {
        print_help(*command);
        return EXIT_SUCCESS;
    }
    admin::Context context(config_path, consentgate::sys::now());
    const auto arguments = read_arguments(*command, line);
    const bool audited = open_audit(*command, context);
    const int status = command->run(context, arguments);
    if (audited && status == EXIT_SUCCESS) audit(*command, arguments);
    return status;
}

} // namespace

int main(int argc, char** argv) {
    umask(0077);                   // the database and the key file are nobody else's
    std::signal(SIGPIPE, SIG_IGN); // a service that hangs up is an error, not our end
    try {
        return run({argv + 1, argv + argc}, config_path(argc, argv));
    } catch (const UsageError& error) {
        std::cerr << "consentgate-admin: " << error.what() << "\n";
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "consentgate-admin: " << error.what() << "\n";
        return EXIT_FAILURE;
    }
}
