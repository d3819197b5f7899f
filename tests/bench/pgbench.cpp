#include "pgbench.h"

#include "consentgate/core/base/text.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace consentgate::bench {
namespace {

// The values for the question marks of each step, as pgbench writes them. The server makes a hash
// of a number that pgbench drew, because pgbench has only texts that are the same in all
// transactions.
constexpr std::array<const char*, steps> values_of_steps = {
    ":flow, :revision, :now, 0",
    ":session, :flow, md5(:session) || md5(:secret), :browser, :client, :kind, :person, NULL, "
    ":scope, :resource, :now, :session_end, NULL, :redirect, NULL, NULL, NULL",
    "md5(:secret) || md5(:session), :session, :client, :redirect, :challenge, :key, :code_end, "
    ":state, NULL",
};

std::string filled(std::string text, std::string_view values) {
    std::size_t at = 0;
    for (const auto& value : core::split(values, ',')) {
        at = text.find('?', at);
        if (at == std::string::npos)
            throw std::runtime_error("pgbench has too many values for a statement");
        const auto word = std::string(core::trim(value));
        text.replace(at, 1, word);
        at += word.size();
    }
    if (text.find('?', at) != std::string::npos)
        throw std::runtime_error("pgbench has too few values for a statement");
    return text;
}

// Each client counts its transactions, and takes the flows whose numbers leave its own remainder.
std::string script(int clients) {
    std::string text =
        "\\set turn :turn + 1\n\\set number :client_id + :turn * " + std::to_string(clients) +
        "\n\\set flow " + flow_id_of(":number") +
        "\n\\set session random(1000000000000000000, 9000000000000000000)\n\\set secret "
        "random(1000000000000000000, 9000000000000000000)\nBEGIN;\n";
    for (std::size_t step = 0; step < steps; ++step)
        text += filled(step_texts[step], values_of_steps[step]) + ";\n";
    return text + "COMMIT;\n";
}

std::vector<std::string> command(
    const store::StoreConfig& config, const std::string& folder, int clients,
    const core::Finalization& pattern) {
    const auto& session = pattern.session;
    const auto number = [](core::Instant at) { return std::to_string(core::epoch(at)); };
    std::vector<std::string> words{
        "pgbench", "--no-vacuum", "--protocol=prepared", "--log",
        "--log-prefix=" + folder + "/log"};
    for (const auto& option :
         {"--client=" + std::to_string(clients), "--jobs=" + std::to_string(clients),
          "--time=" + std::to_string(round_length.count()), "--host=" + config.hosts.front().name,
          "--port=" + std::to_string(config.hosts.front().port), "--username=" + config.user,
          "--file=" + folder + "/script"}) {
        words.push_back(option);
    }
    for (const auto& [name, value] : std::initializer_list<std::pair<const char*, std::string>>{
             {"turn", "-1"},
             {"revision", std::to_string(pattern.revision)},
             {"now", number(pattern.now)},
             {"browser", session.browser.hex},
             {"client", session.client_id.text},
             {"kind", std::string(core::name_of(session.identity.kind))},
             {"person", session.identity.value},
             {"scope", session.scope.text()},
             {"resource", session.resource},
             {"session_end", number(session.expires_at)},
             {"redirect", pattern.code.redirect_uri},
             {"challenge", pattern.code.code_challenge},
             {"key", pattern.code.key_id.text},
             {"code_end", number(pattern.code.expires_at)},
             {"state", pattern.code.state.value_or("")}}) {
        words.push_back("--define=" + (name + ("=" + value)));
    }
    words.push_back(config.name);
    return words;
}

// out: what the program printed. fail: throws when it failed
std::string run(std::vector<std::string> words, const std::string& password) {
    std::array<int, 2> out{};
    if (::pipe(out.data()) != 0) throw std::runtime_error("no pipe");
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error("no process could be started");
    if (pid == 0) {
        ::dup2(out[1], STDOUT_FILENO);
        ::setenv("PGPASSWORD", password.c_str(), 1);
        ::setenv("PGSSLMODE", "disable", 1); // on this machine ours has none either
        ::execvp(arguments[0], arguments.data());
        ::_exit(127);
    }
    ::close(out[1]);
    std::string text;
    std::array<char, 4096> piece;
    for (ssize_t got = 0; (got = ::read(out[0], piece.data(), piece.size())) > 0;)
        text.append(piece.data(), static_cast<std::size_t>(got));
    ::close(out[0]);
    int status = 0;
    ::waitpid(pid, &status, 0);
    if (status != 0) throw std::runtime_error("pgbench failed");
    return text;
}

double number_after(const std::string& text, const std::string& words) {
    const auto at = text.find(words);
    if (at == std::string::npos) throw std::runtime_error("pgbench does not say " + words);
    return std::stod(text.substr(at + words.size()));
}

// One line for each transaction; its third word is the time it took, in microseconds.
std::vector<double> read_waits(const std::string& folder) {
    std::vector<double> waits;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (!entry.path().filename().string().starts_with("log")) continue;
        std::ifstream log(entry.path());
        for (std::string client, count, time, rest;
             log >> client >> count >> time && std::getline(log, rest);)
            waits.push_back(std::stod(time) / 1000);
    }
    return waits;
}

} // namespace

RoundResult run_pgbench(
    const store::StoreConfig& config, const std::string& folder, int clients,
    const core::Finalization& pattern) {
    const auto own = folder + "/pgbench";
    std::filesystem::create_directory(own);
    std::ofstream(own + "/script") << script(clients);
    const auto said = run(command(config, own, clients, pattern), config.password.reveal());
    RoundResult result{number_after(said, "\ntps = "), read_waits(own)};
    std::filesystem::remove_all(own);
    if (number_after(said, "transactions actually processed: ") !=
        static_cast<double>(result.waits.size()))
        throw std::runtime_error("pgbench's log is not whole");
    return result;
}

} // namespace consentgate::bench
