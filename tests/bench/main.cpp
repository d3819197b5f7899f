// The measuring program behind `make bench`; tests/bench/run.sh starts the servers and asks for the
// parts.
#include "bench.h"
#include "http_client.h"

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace {

using namespace consentgate::bench;

int number(const std::string& text) { return std::stoi(text); }

int run(const std::vector<std::string>& words) {
    const auto what = words.empty() ? std::string() : words[0];
    if (what == "finalize" && words.size() == 3) return measure_finalizing(words[1], words[2]);
    if (what == "fill" && words.size() == 3) return fill(words[1], words[2]);
    if (what == "fullness" && words.size() == 3) return measure_fullness(words[1], words[2]);
    if (what == "start" && words.size() > 3)
        return measure_start(number(words[1]), words[2], {words.begin() + 3, words.end()});
    if (what == "journeys" && words.size() == 5) {
        return measure_journeys(
            {number(words[1]), number(words[2]), number(words[3]), number(words[4])});
    }
    if (what == "endpoints" && words.size() == 7)
        return measure_endpoints(
            number(words[1]), words[2], words[3], words[4], {words[5], words[6]});
    if (what == "gate" && words.size() > 2 && words.size() % 4 == 2) {
        std::vector<Front> fronts;
        for (std::size_t i = 2; i < words.size(); i += 4)
            fronts.push_back(
                {words[i], number(words[i + 1]), number(words[i + 2]), number(words[i + 3])});
        return measure_gate(number(words[1]), fronts);
    }
    if (what == "people-calls" && words.size() == 8)
        return measure_people_calls(
            {words[1], number(words[2]), 0, number(words[3])}, {words[4], words[5]},
            {words[6], words[7]});
    if (what == "people" && words.size() == 1) return measure_people();
    if (what == "authorize" && words.size() == 1) return authorize_nothing();
    if (what == "noop" && words.size() == 1) return serve_nothing();
    if (what == "free-port" && words.size() == 1)
        return std::printf("%d\n", free_port()) > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    std::fprintf(
        stderr,
        "usage: bench finalize DATABASE FOLDER | fill FEW MANY | fullness FEW MANY | start PORT "
        "SOCKET COMMAND... |\n"
        "       journeys PORT LIGHTTPD CONSENTGATE NOOP | endpoints PORT ID SECRET SERVICE "
        "DATABASE KEYFILE |\n"
        "       gate PORT (FRONT PORT NOTHING GATE)... | people |\n"
        "       people-calls FRONT PORT GATE RESOURCE PROVED DATABASE KEYFILE |\n"
        "       authorize | noop | free-port\n");
    return 2;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench: %s\n", error.what());
        return EXIT_FAILURE;
    }
}
