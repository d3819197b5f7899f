#include "bench.h"
#include "http_client.h"
#include "measure.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <ctime>
#include <stdexcept>

namespace consentgate::bench {
namespace {

constexpr int starts = 5;
constexpr std::int64_t patience_ns = 10'000'000'000;

pid_t start(const std::vector<std::string>& command) {
    std::vector<char*> words;
    for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error("no process could be started");
    if (pid == 0) {
        ::execvp(words[0], words.data());
        ::_exit(127);
    }
    return pid;
}

bool listens(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        throw std::runtime_error("the name of the socket is too long");
    path.copy(address.sun_path, path.size());
    const int probe = ::socket(AF_UNIX, SOCK_STREAM, 0);
    const bool connected =
        ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    return connected;
}

// The web server is asked only when the socket listens: a refusal would make it leave the socket
// alone for a second.
double first_answer_ms(
    int port, const std::string& socket, const std::vector<std::string>& command) {
    const auto begin = now_ns();
    const pid_t pid = start(command);
    while (!listens(socket)) {
        if (now_ns() - begin > patience_ns)
            throw std::runtime_error(command[0] + " does not listen");
        const timespec pause{0, 200'000};
        ::nanosleep(&pause, nullptr);
    }
    const auto reply = HttpClient(port).exchange("GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    const auto taken = static_cast<double>(now_ns() - begin) / 1e6;
    const int status = reply.status;
    ::kill(pid, SIGTERM);
    ::waitpid(pid, nullptr, 0);
    if (status != 200) throw std::runtime_error("the first answer was " + std::to_string(status));
    return taken;
}

} // namespace

int measure_start(int port, const std::string& socket, const std::vector<std::string>& command) {
    std::vector<double> times;
    for (int i = 0; i < starts; ++i) times.push_back(first_answer_ms(port, socket, command));
    std::printf(
        "(d) from start to first answer: %.0f ms, median of %d; slowest %.0f ms\n", median(times),
        starts, percentile(times, 100));
    return EXIT_SUCCESS;
}

} // namespace consentgate::bench
