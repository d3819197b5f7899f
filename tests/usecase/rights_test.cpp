#include "consentgate/usecase/rights.h"

#include "dependencies_fixture.h"

#include "consentgate/usecase/access_rules.h"
#include "consentgate/usecase/gate.h"

#include <random>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

struct Rules : DependenciesFixture {
    core::Rule add(const std::string& who, core::Target target = {}, bool denies = true) {
        const auto added = usecase::add_rule(
            deps,
            {.effect = denies ? core::Effect::deny : core::Effect::allow,
             .who = *core::Who::parse(who),
             .target = std::move(target)},
            noon);
        BOOST_REQUIRE_EQUAL(code_of(added), "ok");
        return *added;
    }
    void remove(const core::Rule& rule) {
        BOOST_REQUIRE_EQUAL(code_of(usecase::remove_rule(deps, rule.number)), "ok");
    }
    core::Secret token() { return grant(sample_exchange().with("code", finished_code()))->token; }
    std::string call(usecase::Dependencies& by, const core::Secret& token) {
        return code_of(usecase::authorize_call(by, policy.resources.front(), token, noon));
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(rights, Rules)

BOOST_AUTO_TEST_CASE(
    a_call_asks_the_database_once_and_reads_rules_when_they_changed,
    *label("SI68") * label("SI86")) {
    const auto secret = token();
    add("keys");
    add("signed-in", {.resource = policy.resources.front().url});
    auto watched = config;
    watched.max_cached = 0; // each call reads its session
    std::size_t statements = 0;
    watched.before_statement = [&](std::string_view) { ++statements; };
    const auto worker = store::open_store(watched);
    auto& gate = with(*worker);
    const auto asked = [&] {
        const auto before = statements;
        BOOST_TEST(call(gate, secret) == "ok");
        return statements - before;
    };
    const auto first = asked();
    const auto second = asked();
    BOOST_TEST(first > second); // the rules
    BOOST_TEST(asked() == second);
    const auto rule = add("team:nobody");
    BOOST_TEST(asked() == first);
    BOOST_TEST(asked() == second);
    remove(rule);
    BOOST_TEST(asked() == first);
    BOOST_TEST(asked() == second);
}

BOOST_AUTO_TEST_CASE(the_next_call_of_every_worker_obeys_a_change_of_rules, *label("SI68")) {
    const auto secret = token();
    const auto other_store = store::open_store(config);
    auto& other = with(*other_store);
    for (auto* worker : {&deps, &other}) BOOST_TEST(call(*worker, secret) == "ok");
    const auto rule = add("unverified", {.resource = policy.resources.front().url});
    for (auto* worker : {&deps, &other}) BOOST_TEST(call(*worker, secret) == "access_refused");
    remove(rule);
    for (auto* worker : {&deps, &other}) BOOST_TEST(call(*worker, secret) == "ok");
}

// The operator's command runs at the moment between the submit's look and its write.
BOOST_AUTO_TEST_CASE(
    a_rule_written_in_the_midst_of_a_submit_is_the_one_that_counts,
    *label("SI65") * label("SA32")) {
    auto meddled = config;
    bool once = true;
    meddled.before_statement = [&](std::string_view sql) {
        if (!sql.starts_with("BEGIN") || !once) return;
        once = false;
        add("unverified");
    };
    const auto store_in_motion = store::open_store(meddled);
    const auto flow = begin();
    BOOST_TEST(
        code_of(usecase::submit_consent(with(*store_in_motion), {flow}, person, noon)) ==
        "access_refused");
    BOOST_TEST(!once);
    BOOST_TEST(store->sessions.list(noon).empty());
    BOOST_TEST(store->flows.find(flow).has_value());
}

BOOST_AUTO_TEST_CASE(
    a_scope_that_goes_in_the_midst_of_a_submit_is_not_granted, *label("SI65") * label("SA32")) {
    policy.scopes.push_back({"delete", "Delete"});
    auto client = sample_client();
    client.id = core::ClientId("cgc_scopes");
    client.scope = "mcp delete";
    store->clients.put(client);
    const auto started = usecase::begin_authorize(
        deps,
        web::read_authorization_request(sample_authorize()
                                            .with("client_id", client.id.text)
                                            .with("scope", "mcp delete")
                                            .form()),
        *person.browser, noon);
    BOOST_REQUIRE_EQUAL(code_of(started), "ok");
    auto meddled = config;
    bool once = true;
    meddled.before_statement = [&](std::string_view sql) {
        if (!sql.starts_with("BEGIN") || !std::exchange(once, false)) return;
        add("unverified", {.scope = "delete"});
    };
    const auto store_in_motion = store::open_store(meddled);
    const auto submitted =
        usecase::submit_consent(with(*store_in_motion), {started->id}, person, noon);
    BOOST_REQUIRE_EQUAL(code_of(submitted), "ok");
    BOOST_TEST(submitted->session.scope.text() == "mcp");
}

BOOST_AUTO_TEST_CASE(
    access_test_answers_as_the_gate_does_for_five_hundred_random_rule_sets, *label("SI69")) {
    const auto& resource = policy.resources.front();
    const auto key = put_key("sk-bf-anna", "vk_anna");
    const auto flow = begin();
    BOOST_REQUIRE_EQUAL(
        code_of(usecase::choose_virtual_key(deps, flow, core::Secret("sk-bf-anna"), person, noon)),
        "ok");
    const auto submitted = usecase::submit_consent(deps, {flow}, person, noon);
    BOOST_REQUIRE_EQUAL(code_of(submitted), "ok");
    const auto secret =
        grant(sample_exchange().with("code", query_value(submitted->location.reveal(), "code")))
            ->token;
    const usecase::Somebody anna{{core::IdentityKind::virtual_key, key.id.text}, std::nullopt, key};
    BOOST_REQUIRE_EQUAL(
        code_of(usecase::join_team(deps, "eng", {*core::Who::parse("key:vk_anna")}, noon)), "ok");
    const std::vector<std::string> whos{"everyone", "keys",     "key:vk_anna", "key:vk_ben",
                                        "team:eng", "team:ops", "unverified",  "signed-in"};
    const std::vector<core::Target> targets{
        {},
        {.resource = resource.url},
        {.scope = "mcp"},
        {.resource = resource.url, .scope = "mcp"},
        {.resource = "https://tools.example.org/other"}};
    std::mt19937 dice(20261128);
    std::size_t yes = 0, no = 0;
    for (int set = 0; set < 500; ++set) {
        core::RuleFile file{.open = dice() % 4 != 0};
        for (auto left = dice() % 4; left > 0; --left)
            file.rules.push_back(
                {.effect = dice() % 3 == 0 ? core::Effect::deny : core::Effect::allow,
                 .who = *core::Who::parse(whos[dice() % whos.size()]),
                 .target = targets[dice() % targets.size()]});
        BOOST_REQUIRE_EQUAL(code_of(usecase::apply_rules(deps, file, false, noon)), "ok");
        const auto answer = usecase::ask_access(
            deps, anna, {.resource = resource.url, .scopes = policy.scopes_of(resource)}, noon);
        const bool passed = call(deps, secret) == "ok";
        BOOST_TEST(answer.yes == passed, core::rule_file(file.rules, *file.open));
        ++(passed ? yes : no);
    }
    BOOST_TEST(yes > 100U);
    BOOST_TEST(no > 100U);
}

BOOST_AUTO_TEST_CASE(two_operators_at_once_lose_no_rule, *label("SI70")) {
    auto meddled = config;
    bool once = true;
    meddled.before_statement = [&](std::string_view sql) {
        if (sql.starts_with("BEGIN") && std::exchange(once, false)) add("keys");
    };
    const auto store_in_motion = store::open_store(meddled);
    const auto added =
        usecase::add_rule(with(*store_in_motion), {.who = *core::Who::parse("everyone")}, noon);
    BOOST_REQUIRE_EQUAL(code_of(added), "ok");
    BOOST_TEST(added->number == 2);
    BOOST_TEST(usecase::read_access(deps).rules.size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
