#include "bench.h"

#include <fcgiapp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

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
        FCGX_PutS("Status: 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n", request.out);
        FCGX_Finish_r(&request);
    }
    std::_Exit(EXIT_FAILURE);
}

} // namespace

int serve_nothing() {
    for (int i = 0; i < workers; ++i) {
        if (::fork() != 0) continue;
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        answer_for_ever();
    }
    while (::wait(nullptr) > 0) {}
    return EXIT_SUCCESS;
}

} // namespace consentgate::bench
