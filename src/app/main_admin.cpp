// consentgate-admin: the operator's tool. Data on stdout, the rest on stderr; exit status 0, 1
// (failed), 2 (usage).
#include "admin.h"
#include "machine.h"

#include "consentgate/app/composition.h"
#include "consentgate/app/version.h"
#include "consentgate/core/oauth/consent.h"
#include "consentgate/sys/machine.h"

#include <Poco/Environment.h>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>

namespace {

using namespace consentgate::app;
using admin::Arguments;
using admin::Command;
using admin::UsageError;

// The log of a server that writes to its stderr cannot be reached from here. The command's line
// then goes to the system's log, where systemd keeps such a server's lines too; to our stderr where
// no system's log is.
consentgate::sys::LogPlaces places_of(const Config& config) {
    auto places = config.log;
    if (!places.syslog) places.syslog = ::access("/dev/log", W_OK) == 0;
    return places;
}

// Which person a command was about is in lines of its own; an address and a provider's id for
// somebody are in none.
std::string without_person(const std::string& command, const std::string& word) {
    constexpr std::size_t short_id = 13; // "user:" and 8 digits
    if (word.starts_with("user:")) return word.substr(0, short_id);
    if (word.starts_with(consentgate::core::virtual_key_prefix)) return "(hidden)";
    const bool names_subject = command.starts_with("user ") && word.find('/') != word.npos &&
                               word.find("://") == word.npos && word[0] != '/';
    if (word.find('@') == word.npos && !names_subject) return word;
    const auto kept = word.find_last_of("/:", word.find('@'));
    return (kept == word.npos ? "" : word.substr(0, kept + 1)) + "(hidden)";
}

std::string text_of(const Arguments& arguments) {
    std::string text;
    for (const auto& [name, values] : arguments.options) {
        for (const auto& value : values)
            text += (text.empty() ? "--" : " --") + name +
                    (value.empty() ? "" : " " + without_person(arguments.command->name, value));
    }
    return text.empty() ? "-" : text;
}

std::string operand_of(const Arguments& arguments) {
    if (arguments.words.empty()) return "-";
    return without_person(arguments.command->name, arguments.words.front());
}

const auto caller = ::getuid(); // before root works as another user

void audit(const consentgate::sys::Log& log, const Arguments& arguments, int status) {
    log.audit(
        "operator_command", {{"command", arguments.command->name},
                             {"operand", operand_of(arguments)},
                             {"uid", std::to_string(caller)},
                             {"sudo_user", Poco::Environment::get("SUDO_USER", "-")},
                             {"options", text_of(arguments)},
                             {"status", std::to_string(status)}});
}

// A newer version has changed the database so that this program would do harm there.
void require_open_schema(admin::Context& context) {
    if (consentgate::usecase::check_health(context.deps()).fit() ==
        consentgate::core::SchemaFit::closed)
        require_schema(context.deps(), context.config().store);
}

// Whose service is the package's, or one that was made as docs/operating.md says.
constexpr auto installed_config = "/etc/consentgate/consentgate.conf";

bool takes_file(const Command& command) {
    return command.operand == "FILE" ||
           std::any_of(command.options.begin(), command.options.end(), [](const auto& option) {
               return option.value == "FILE";
           });
}

// A command of root's makes files for the service: the database, the keys, the audit file.
void work_as_service(admin::Context& context, const Command& command) {
    if (::geteuid() != 0 || command.as_root || takes_file(command)) return;
    try {
        context.config(); // which the service's user may not be allowed to read
    } catch (const std::exception&) {
        return; // a command that needs it says what is wrong
    }
    const auto& key_file = context.config().key_file;
    become_owner_of_folder(key_file);
    const auto folder = std::filesystem::path(key_file).parent_path();
    const auto service = ::getpwnam("consentgate");
    if (command.name == "migrate" && ::geteuid() == 0 && service != nullptr &&
        context.config_path() == installed_config)
        throw std::runtime_error(
            folder.string() +
            " is not the service's, which could not use what root makes there; run: install -d -o "
            "consentgate -g consentgate -m 0700 " +
            folder.string());
}

// The log is opened before the command runs, so that nothing is done that cannot be recorded. A
// command that failed is recorded too, because it may have done a part.
int run_audited(admin::Context& context, const Arguments& arguments) {
    const auto& file = context.config().log.audit_file;
    const bool is_new = !file.empty() && !consentgate::sys::look_at(file).exists;
    context.log.open(places_of(context.config()));
    if (is_new) give_to_owner_of_folder(file, context.config().key_file);
    try {
        require_open_schema(context);
        const int status = arguments.command->run(context, arguments);
        audit(context.log, arguments, status);
        return status;
    } catch (const UsageError&) {
        throw; // nothing was done
    } catch (const std::exception&) {
        audit(context.log, arguments, EXIT_FAILURE);
        throw;
    }
}

int run_command(
    const Command& command, const std::vector<std::string>& line, const std::string& config_path) {
    admin::Context context(config_path);
    const auto arguments = admin::read_arguments(command, line);
    work_as_service(context, command);
    return command.audited ? run_audited(context, arguments) : command.run(context, arguments);
}

// Words after "--" are no options.
bool takes_out(std::vector<std::string>& line, std::string_view option) {
    const auto end = std::find(line.begin(), line.end(), "--");
    const auto found = std::find(line.begin(), end, option);
    if (found == end) return false;
    line.erase(found);
    return true;
}

std::string named_config(std::vector<std::string>& line) {
    try {
        return take_config_path(line);
    } catch (const std::invalid_argument& error) {
        throw UsageError(error.what());
    }
}

int run(std::vector<std::string> line) {
    const auto config_path = named_config(line);
    if (line.size() == 1 && line[0] == "--version") {
        std::cout << "consentgate-admin " << version() << "\n";
        return EXIT_SUCCESS;
    }
    const bool help = takes_out(line, "--help") || takes_out(line, "-h");
    const auto commands = admin::all_commands();
    std::string notice;
    const auto* command = admin::find_command(commands, line, notice);
    if (!notice.empty()) std::cerr << "consentgate-admin: " << notice << "\n";
    if (command == nullptr) {
        (help ? std::cout : std::cerr) << admin::overview(line.empty() ? "" : line[0]);
        return help ? EXIT_SUCCESS : 2;
    }
    if (help) {
        std::cout << admin::help(*command);
        return EXIT_SUCCESS;
    }
    return run_command(*command, line, config_path);
}

} // namespace

int main(int argc, char** argv) {
    umask(0077);                   // the database and the key file are for this user alone
    std::signal(SIGPIPE, SIG_IGN); // a service that hangs up is an error of one request
    try {
        return run({argv + 1, argv + argc});
    } catch (const UsageError& error) {
        std::cerr << "consentgate-admin: " << error.what() << "\n";
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "consentgate-admin: " << error.what() << "\n";
        return EXIT_FAILURE;
    }
}
