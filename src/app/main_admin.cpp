// consentgate-admin: the operator's tool. Data on stdout, the rest on stderr; exit status 0, 1
// (failed), 2 (usage).
#include "admin.h"

#include "consentgate/app/composition.h"
#include "consentgate/app/version.h"

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

// Commands that change or export data are for the audit log, where there is one apart from the
// operator's own screen. It is opened before the command runs, so that nothing is done that cannot
// be recorded.
bool open_audit(const Command& command, admin::Context& context) {
    const auto verb = command.name.substr(command.name.find_last_of(' ') + 1);
    for (const auto* reading :
         {"list", "show", "test", "check", "doctor", "introspect", "metrics", "sweep"}) {
        if (verb == reading) return false;
    }
    const auto& places = context.config().log;
    if (!places.syslog && places.audit_file.empty()) return false;
    context.log.open(places);
    return true;
}

void audit(const consentgate::sys::Log& log, const Command& command, const Arguments& arguments) {
    log.audit(
        "operator_command", {{"command", command.name},
                             {"operand", arguments.words.empty() ? "-" : arguments.words.front()},
                             {"uid", std::to_string(::getuid())},
                             {"sudo_user", Poco::Environment::get("SUDO_USER", "-")}});
}

int run_command(
    const Command& command, const std::vector<std::string>& line, const std::string& config_path) {
    admin::Context context(config_path);
    const auto arguments = admin::read_arguments(command, line);
    const bool audited = open_audit(command, context);
    const int status = command.run(context, arguments);
    if (audited && status == EXIT_SUCCESS) audit(context.log, command, arguments);
    return status;
}

int run(std::vector<std::string> line, const std::string& config_path) {
    // --config may stand before the command; config_path() has read it already.
    if (line.size() > 1 && line[0] == "--config") line.erase(line.begin(), line.begin() + 2);
    if (line.size() == 1 && line[0] == "--version") {
        std::cout << "consentgate-admin " << version() << "\n";
        return EXIT_SUCCESS;
    }
    const bool help = std::find(line.begin(), line.end(), "--help") != line.end();
    const auto commands = admin::all_commands();
    std::string notice;
    const auto* command = admin::find_command(commands, line, notice);
    if (!notice.empty()) std::cerr << "consentgate-admin: " << notice << "\n";
    if (command == nullptr) {
        const bool noun = !line.empty() && !line[0].starts_with("-");
        (help ? std::cout : std::cerr) << admin::overview(noun ? line[0] : "");
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
        return run({argv + 1, argv + argc}, config_path(argc, argv));
    } catch (const UsageError& error) {
        std::cerr << "consentgate-admin: " << error.what() << "\n";
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "consentgate-admin: " << error.what() << "\n";
        return EXIT_FAILURE;
    }
}
