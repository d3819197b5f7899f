#include "bench.h"
#include "measure.h"
#include "population.h"

#include "consentgate/core/access/permission.h"
#include "consentgate/core/signin/person.h"
#include "consentgate/store/open.h"
#include "consentgate/sys/random.h"
#include "consentgate/usecase/assertions.h"
#include "consentgate/web/gate.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace consentgate::bench {
namespace {

const int rounds = rounds_of(15);
constexpr std::size_t calls = 2000; // of each round
const std::size_t many_sessions = sessions_of(2500);
constexpr double max_rules_us = 3;
const std::string resource = "https://tools.example.org/mcp";

double us_of_rules() {
    const auto person = make_person("anna", 200);
    const auto identity = core::identity_of(person);
    auto rules = rules_of(100, "group-1150", resource);
    for (std::size_t i = 0; i < 50; ++i) rules[i].who.name = "group-1150-" + std::to_string(i);
    const core::AccessRules all(std::move(rules), {});
    std::vector<double> us;
    for (int round = 0; round < rounds; ++round) {
        const double before = own_cpu_ms();
        for (std::size_t i = 0; i < calls * 10; ++i)
            if (!core::check_resource(all, {identity, &person}, resource))
                throw std::runtime_error("the rules refuse the person");
        us.push_back((own_cpu_ms() - before) * 1000 / static_cast<double>(calls * 10));
    }
    return median(us);
}

// Gate decisions in this process, without FastCGI, which is the same for all of them.
class Decisions {
public:
    explicit Decisions(const std::string& folder) : config_{.path = folder + "/people.db"} {
        policy_.issuer = "https://tools.example.org";
        policy_.resources = {core::GuardedResource{resource}};
        policy_.scopes = {{"mcp", "Use the tools"}};
        policy_.default_scopes = core::ScopeSet::parse("mcp").value();
        policy_.identities = core::IdentityKinds::any();
        population_.put({resource});
    }

    std::string token_for(const core::Identity& identity) {
        return population_.token_for(identity, resource);
    }

    // out: microseconds of CPU for each decision
    double take_round(const std::vector<std::string>& tokens, core::AssertionPlace place) {
        auto guarded = policy_.resources;
        guarded.front().facts.assertion = place;
        web::Gate gate{deps_, core::ResourceMap(guarded)};
        web::Request request;
        request.asked = web::Asked::as_authorizer;
        request.method = "POST";
        request.path = "/mcp";
        request.now = now_;
        const double before = own_cpu_ms();
        for (std::size_t i = 0; i < calls; ++i) {
            request.authorization = "Bearer " + tokens[i % tokens.size()];
            if (web::decide(request, gate).status != 200)
                throw std::runtime_error("the gate refused a call");
        }
        return (own_cpu_ms() - before) * 1000 / static_cast<double>(calls);
    }

    const core::Person& anna() const { return population_.anna; }

private:
    const core::Instant now_ = sys::SystemClock().now();
    store::StoreConfig config_;
    std::unique_ptr<store::Store> store_ =
        (store::migrate(config_, now_), store::open_store(config_));
    sys::OsRandom random_;
    sys::SystemClock clock_;
    sys::Log log_;
    core::Policy policy_;
    core::Keyring keyring_{{{core::KeyId("bench-key"), core::Secret(sys::OsRandom().bytes(32))}}};
    Population population_{*store_, keyring_, policy_, now_};
    core::BearerVerifier bearers_{{}, "", ""};
    usecase::Assertions assertions_{keyring_};
    usecase::Dependencies deps_{
        .store = *store_,
        .random = random_,
        .clock = clock_,
        .log = log_,
        .policy = policy_,
        .keyring = keyring_,
        .bearers = bearers_,
        .assertions = &assertions_};
};

} // namespace

int measure_people() {
    const auto folder =
        std::filesystem::temp_directory_path() / ("people-" + std::to_string(now_ns()));
    std::filesystem::create_directory(folder);
    struct Way {
        const char* name;
        std::vector<std::string> tokens;
        core::AssertionPlace place = core::AssertionPlace::off;
        std::vector<double> us{};
    };
    Decisions decisions(folder.string());
    std::vector<std::string> plain, people;
    for (std::size_t i = 0; i < many_sessions; ++i) {
        plain.push_back(decisions.token_for({core::IdentityKind::user_id, "anna"}));
        people.push_back(decisions.token_for(core::identity_of(decisions.anna())));
    }
    using enum core::AssertionPlace;
    std::vector<Way> ways{
        {"a typed name", {plain.front()}},
        {"a person", {people.front()}},
        {"with assertion", {people.front()}, header},
        {"a typed name, by turns", plain},
        {"a person, by turns", people},
        {"with assertion, by turns", people, header}};
    for (int round = 0; round < rounds; ++round)
        for (auto& way : ways) way.us.push_back(decisions.take_round(way.tokens, way.place));
    std::printf(
        "(h) decisions of the gate about somebody with a typed name, and about a person with 50 "
        "groups under 20 rules; us of CPU, medians of %d rounds, load %s\n",
        rounds, load_average().c_str());
    for (const auto& way : ways) std::printf("  %-26s %8.1f\n", way.name, median(way.us));
    const double rules = us_of_rules();
    std::printf(
        "  100 rules and 200 groups are checked in %.1f us <= %.0f: %s\n", rules, max_rules_us,
        rules <= max_rules_us ? "ok" : "MISSED");
    std::filesystem::remove_all(folder);
    return EXIT_SUCCESS;
}

} // namespace consentgate::bench
