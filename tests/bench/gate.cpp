#include "bench.h"
#include "calls.h"
#include "measure.h"

#include <cstdio>
#include <cstdlib>

namespace consentgate::bench {
namespace {

// Many and short: what slows the machine for a while meets only some of them.
const int rounds = rounds_of(25);
constexpr double least_of_nothing =
    0.85; // what the gate must make of the requests with an authorizer that does nothing
constexpr double max_lookup_us =
    40; // of a gate worker's CPU: what it takes longer about a session that it does not remember
// So many that hardly any is asked about again while a worker has it in its cache
// (StoreConfig::max_cached).
const std::size_t many_sessions = sessions_of(2500);

void measure(const Front& front, const std::vector<std::string>& tokens) {
    const std::vector<std::string> one{tokens.front()};
    Way open(front.port, "/open", one), nothing(front.port, "/nothing", one, front.nothing),
        gate(front.port, "/mcp", one, front.gate), many(front.port, "/mcp", tokens, front.gate);
    for (int round = 0; round < rounds; ++round) {
        for (auto* way : {&open, &nothing, &gate, &many}) way->take_round();
    }
    const double ratio = gate.of(nothing), lookup = many.us() - gate.us();
    std::printf(
        "  %-10s %8.0f %8.0f %8.0f %8.0f %8.2f %8.2f %10.1f %8.1f %8.1f   >= %.2f: %s; lookup "
        "%.1f us <= %.0f: %s\n",
        front.name.c_str(), open.rate(), nothing.rate(), gate.rate(), many.rate(), ratio,
        many.of(nothing), nothing.us(), gate.us(), many.us(), least_of_nothing,
        ratio >= least_of_nothing ? "ok" : "MISSED", lookup, max_lookup_us,
        lookup <= max_lookup_us ? "ok" : "MISSED");
    std::fflush(stdout);
}

} // namespace

int measure_gate(int port, const std::vector<Front>& fronts) {
    const auto tokens = sign_in(port, many_sessions);
    std::printf(
        "(f) calls a second through the gate, %d at once: without it, beside an authorizer that "
        "does nothing, of one session as a client calls, and of %zu by turns;\n"
        "    medians of %d rounds, load %s\n",
        at_once, many_sessions, rounds, load_average().c_str());
    std::printf(
        "  %-10s %8s %8s %8s %8s %17s %28s\n", "", "open", "nothing", "one", "many",
        "of nothing: 1, many", "us CPU: nothing, one, many");
    for (const auto& front : fronts) measure(front, tokens);
    return EXIT_SUCCESS;
}

} // namespace consentgate::bench
