#include "bench.h"
#include "measure.h"

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

constexpr int rounds = 15;
constexpr std::size_t calls = 2000; // of each round
constexpr std::size_t many_sessions = 2500;
constexpr double max_rules_us = 3;
const std::string resource = "https://tools.example.org/mcp";

core::Person make_person(const std::string& subject, int groups) {
    core::Person person;
    person.idp = core::IdpId("corp");
    person.issuer = "https://sso.example.org";
    person.subject = subject;
    person.id = core::person_id(person.issuer, subject);
    person.name = "Anna";
    person.email = subject + "@example.org";
    for (int i = 0; i < groups; ++i) person.groups.push_back("group-" + std::to_string(1000 + i));
    person.version = 1;
    return person;
}

core::Rule allow_group(int number, const std::string& name) {
    return {
        .number = number,
        .who = {.kind = core::WhoKind::group, .realm = "corp", .name = name},
        .target = {.resource = resource}};
}

// The last rule of the list is the only one that matches.
std::vector<core::Rule> rules_of(int count, const std::string& match) {
    std::vector<core::Rule> rules;
    for (int i = 1; i < count; ++i)
        rules.push_back(allow_group(i, "team-" + std::to_string(1000 + i)));
    rules.push_back(allow_group(count, match));
    return rules;
}

double us_of_rules() {
    const auto person = make_person("anna", 200);
    const auto identity = core::identity_of(person);
    auto rules = rules_of(100, "group-1150");
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
        put_people();
    }

    std::string token_for(const core::Identity& identity) {
        core::Flow flow;
        flow.id = core::FlowId(random_.id(16));
        flow.client_id = core::ClientId("bench-client");
        flow.browser = core::sha256(random_.secret());
        flow.redirect_uri = "http://127.0.0.1:53111/callback";
        flow.code_challenge = random_.id(32);
        flow.scope = policy_.default_scopes;
        flow.resource = resource;
        flow.identity = identity;
        flow.created_at = now_;
        flow.expires_at = now_ + std::chrono::hours(1);
        store_->flows.put(flow);
        const core::FreshSession fresh{core::SessionId(random_.id(16)), random_.secret()};
        auto token = keyring_.session_token(keyring_.newest(), fresh.code)->reveal();
        auto made = core::finalize(flow, identity, fresh, keyring_, policy_, now_);
        made.policy_version = store_->access.version();
        if (identity.is_person()) made.person = {anna.id, anna.version};
        if (store_->flows.finalize(made) != store::Applied::yes)
            throw std::runtime_error("a session was not made");
        return token;
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

    const core::Person anna = make_person("anna", 50);

private:
    void put_people() {
        core::Client client;
        client.id = core::ClientId("bench-client");
        client.name = "Bench";
        client.metadata = "{}";
        client.created_at = now_;
        client.redirect_uris = {"http://127.0.0.1:53111/callback"};
        store_->clients.put(client);
        core::IdentityProvider idp;
        idp.id = anna.idp;
        idp.title = "Example Corp";
        idp.issuer = anna.issuer;
        idp.authorization_endpoint = idp.token_endpoint = idp.jwks_uri = idp.issuer;
        idp.client_id = "consentgate";
        idp.key_id = keyring_.newest();
        idp.created_at = now_;
        store_->idps.put(idp);
        store_->people.put(anna);
        const auto rules = rules_of(20, "group-1025");
        std::vector<core::Rule> added(rules.begin(), rules.end());
        added.push_back(
            {.number = 21,
             .who = {.kind = core::WhoKind::unverified},
             .target = {.resource = resource}}); // the plain session
        if (store_->access.change(store_->access.read(), {.added = added}, random_.id(16)) !=
            store::Applied::yes)
            throw std::runtime_error("the rules were not written");
    }

    const core::Instant now_ = sys::SystemClock().now();
    store::StoreConfig config_;
    std::unique_ptr<store::Store> store_ =
        (store::migrate(config_, now_), store::open_store(config_));
    sys::OsRandom random_;
    sys::SystemClock clock_;
    sys::Log log_;
    core::Policy policy_;
    core::Keyring keyring_{{{core::KeyId("bench-key"), core::Secret(sys::OsRandom().bytes(32))}}};
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
        people.push_back(decisions.token_for(core::identity_of(decisions.anna)));
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
