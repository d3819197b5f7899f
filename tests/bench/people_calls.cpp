#include "bench.h"
#include "calls.h"
#include "population.h"

#include "consentgate/core/base/uri.h"
#include "consentgate/store/open.h"
#include "consentgate/sys/clock.h"
#include "consentgate/sys/key_file.h"

#include <cstdio>
#include <cstdlib>

namespace consentgate::bench {
namespace {

const int rounds = rounds_of(25);
const std::size_t many_sessions = sessions_of(2500);
constexpr double least_of_one = 0.97, least_of_many = 0.93, least_with_assertion = 0.90;

// One kind of caller, whose tokens take turns.
struct Callers {
    std::string path;
    std::vector<std::string> tokens;
};

Callers make_callers(
    Population& population, const core::Identity& identity, const std::string& resource) {
    Callers callers{.path = resource.substr(core::origin_of(resource).size()), .tokens = {}};
    for (std::size_t i = 0; i < many_sessions; ++i)
        callers.tokens.push_back(population.token_for(identity, resource));
    return callers;
}

void print(const char* name, const Way& way, const Way& plain, double least) {
    const double ratio = way.of(plain);
    std::printf(
        "  %-28s %8.0f %8.1f %8.2f   >= %.2f: %s\n", name, way.rate(), way.us(), ratio, least,
        ratio >= least ? "ok" : "MISSED");
}

} // namespace

int measure_people_calls(
    const Front& front, const std::vector<std::string>& resources, const KeyedDatabase& database) {
    const auto store = store::open_store({.path = database.database});
    const auto keyring = sys::read_key_file(database.key_file);
    core::Policy policy;
    policy.scopes = {{"mcp", "Use the tools"}};
    policy.default_scopes = core::ScopeSet::parse("mcp").value();
    Population population(*store, keyring, policy, sys::SystemClock().now());
    population.put(resources);
    const core::Identity typed{core::IdentityKind::user_id, "anna"};
    const auto anna = core::identity_of(population.anna);
    const auto plain = make_callers(population, typed, resources.at(0)),
               person = make_callers(population, anna, resources.at(0)),
               proved = make_callers(population, anna, resources.at(1));
    const auto one = [&](const Callers& callers) {
        return std::make_unique<Way>(
            front.port, callers.path, std::vector<std::string>{callers.tokens.front()}, front.gate);
    };
    const auto many = [&](const Callers& callers) {
        return std::make_unique<Way>(front.port, callers.path, callers.tokens, front.gate);
    };
    const auto plain_one = one(plain), person_one = one(person), proved_one = one(proved),
               plain_many = many(plain), person_many = many(person), proved_many = many(proved);
    for (int round = 0; round < rounds; ++round)
        for (auto* way :
             {plain_one.get(), person_one.get(), proved_one.get(), plain_many.get(),
              person_many.get(), proved_many.get()})
            way->take_round();
    std::printf(
        "(i) calls a second through the gate of %s, %d at once: of a session with a typed name, of "
        "a person with 50 groups under 20 rules, and the same with an assertion for the server "
        "behind; medians of %d rounds, load %s\n",
        front.name.c_str(), at_once, rounds, load_average().c_str());
    std::printf("  %-28s %8s %8s %8s\n", "", "calls", "us CPU", "of typed");
    std::printf("  %-28s %8.0f %8.1f\n", "a typed name", plain_one->rate(), plain_one->us());
    print("a person", *person_one, *plain_one, least_of_one);
    print("with assertion", *proved_one, *plain_one, least_with_assertion);
    std::printf(
        "  %-28s %8.0f %8.1f\n", "a typed name, by turns", plain_many->rate(), plain_many->us());
    print("a person, by turns", *person_many, *plain_many, least_of_many);
    std::printf(
        "  %-28s %8.0f %8.1f %8.2f   each assertion is made anew\n", "with assertion, by turns",
        proved_many->rate(), proved_many->us(), proved_many->of(*plain_many));
    return EXIT_SUCCESS;
}

} // namespace consentgate::bench
