// consentgate-admin call-log: passes a web server's log of calls on to the gate.
#include "admin.h"

#include "consentgate/app/composition.h"
#include "consentgate/app/doctor_front.h"
#include "consentgate/sys/call_log_socket.h"
#include "consentgate/sys/recent_calls.h"

#include <algorithm>
#include <filesystem>
#include <iostream>

namespace consentgate::app::admin {
namespace {

constexpr const char* standard_socket = "/run/consentgate/calls.sock";

// Reads no configuration, because a web server's user may not: nothing here is secret. A gate that
// was away gets the later lines.
int pass_on(Context&, const Arguments& arguments) {
    const auto path = arguments.one("socket").value_or(standard_socket);
    const sys::CallLogSender sender(path);
    std::string said;
    for (std::string line; std::getline(std::cin, line);) {
        const auto problem = sender.send(line);
        if (!problem.empty() && problem != said)
            std::cerr << "consentgate-admin: " << path << ": " << problem << "\n";
        said = problem;
    }
    return 0;
}

} // namespace

Finding find_call_log(Context& context, const std::vector<core::GuardedResource>& resources) {
    const auto& config = context.config();
    CallLogFacts facts{.socket = config.gate_workers == 1 ? "" : config.call_log_socket};
    facts.services =
        std::any_of(resources.begin(), resources.end(), [](const core::GuardedResource& resource) {
            return !resource.service.empty();
        });
    if (!facts.socket.empty()) facts.problem = sys::CallLogSender(facts.socket).send("");
    // An operator who is root must not make the file, which the gate could then not write.
    const auto file = recent_calls_file(config);
    if (std::filesystem::exists(file)) {
        const sys::RecentCalls calls(file);
        facts.last_call = calls.last_call();
        facts.last_report = calls.last_report();
    }
    return check_call_log(facts);
}

std::vector<Command> call_log_commands() {
    return {
        {.name = "call-log",
         .summary = "pass a web server's log of calls, line by line, on to the gate",
         .example = "consentgate-admin call-log",
         .options =
             {{"socket", "PATH",
               "the gate's call_log_socket; /run/consentgate/calls.sock when absent"}},
         .audited = false,
         .run = pass_on},
    };
}

} // namespace consentgate::app::admin
