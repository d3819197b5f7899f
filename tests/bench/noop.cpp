#include "bench.h"

#include <fcgiapp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

namespace consentgate::bench {
namespace {

constexpr int workers = 4; // as many as consentgate has by default

// The usual loop of libfcgi's examples. The body is read, because any program would.
[[noreturn]] void answer_for_ever() {
    FCGX_Request request;
    FCGX_Init();
    FCGX_InitRequest(&request, STDIN_FILENO, 0);
    char body[4096];
    while (FCGX_Accept_r(&request) == 0) {
        while (FCGX_GetStr(body, sizeof body, request.in) == static_cast<int>(sizeof body)) {}
        FCGX_PutS(
            "Status: 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n",
            request.out);
        FCGX_Finish_r(&request);
    }
    std::_Exit(EXIT_FAILURE);
}

// Reads no body, because an authorizer gets none. One answer holds the headers for both kinds of
// web servers, with values as long as real ones.
[[noreturn]] void say_yes_for_ever() {
    FCGX_Request request;
    FCGX_Init();
    FCGX_InitRequest(&request, STDIN_FILENO, 0);
    while (FCGX_Accept_r(&request) == 0) {
        const char* role = FCGX_GetParam("FCGI_ROLE", request.envp);
        const bool variables = role != nullptr && std::string_view(role) == "AUTHORIZER";
        std::string answer = "Status: 200 OK\r\n";
        for (const auto* fact :
             {"SUBJECT: session:0123456789012345678901", "USER: anna", "IDENTITY: user_id",
              "CLIENT: cgc_0123456789012345678901", "SCOPE: mcp",
              "SESSION: 0123456789012345678901"}) {
            answer +=
                std::string(variables ? "Variable-CONSENTGATE_" : "Consentgate-") + fact + "\r\n";
        }
        if (variables)
            answer += "Variable-REMOTE_USER: session:0123456789012345678901\r\n"
                      "Variable-CONSENTGATE_PASSED: 1\r\n";
        answer += "\r\n";
        FCGX_PutStr(answer.data(), static_cast<int>(answer.size()), request.out);
        FCGX_Finish_r(&request);
    }
    std::_Exit(EXIT_FAILURE);
}

// Leaves no worker behind, dead or alive: the master waits for the signal that ends it, then for
// them.
int keep_workers(void (*work)()) {
    sigset_t stop;
    sigset_t before;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, &before);
    std::array<pid_t, workers> pids{};
    for (auto& pid : pids) {
        pid = ::fork();
        if (pid != 0) continue;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigprocmask(SIG_SETMASK, &before, nullptr);
        work();
    }
    int signal = 0;
    sigwait(&stop, &signal);
    for (const auto pid : pids) {
        if (pid > 0) ::kill(pid, SIGTERM);
    }
    while (::wait(nullptr) > 0) {}
    return EXIT_SUCCESS;
}

} // namespace

int serve_nothing() { return keep_workers(answer_for_ever); }

int authorize_nothing() { return keep_workers(say_yes_for_ever); }

} // namespace consentgate::bench
