// Rules and teams: what is written is read, one of two changes at once is written, and every
// statement that finds a token says by which version it may be used.
#include "sample.h"

#include "tests/support/child.h"

#include "consentgate/store/access_store.h"

using namespace consentgate;
using namespace consentgate::tests;
using store::AccessChange;
using store::AccessRecords;
using store::Applied;

namespace {

core::Rule sample_rule(std::int64_t number, const std::string& who, core::Target target = {}) {
    return {
        .number = number,
        .effect = core::Effect::allow,
        .who = *core::Who::parse(who),
        .target = std::move(target),
        .created_at = noon};
}

// The suite's database is shared, and a rule in it would change what other cases meet.
struct OwnDatabase {
    explicit OwnDatabase(TestDatabase& database) : ways(database.empty_database()) {
        store::migrate(ways.first, noon);
    }
    std::pair<store::StoreConfig, store::StoreConfig> ways;
    std::unique_ptr<store::Store> open() const { return store::open_store(ways.first); }
    std::unique_ptr<store::Store> open_other() const { return store::open_store(ways.second); }
};

AccessRecords add_rule(store::Store& store, const core::Rule& rule) {
    const auto before = store.access.read();
    BOOST_REQUIRE((store.access.change(before, {.added = {rule}}, fresh_id()) == Applied::yes));
    return store.access.read();
}

} // namespace

STORE_CASE(rules_and_teams_come_back_as_they_were_written, "SI63 SI72") {
    const OwnDatabase own(database);
    const auto store = own.open();
    const auto empty = store->access.read();
    BOOST_TEST(empty.version == 0);
    BOOST_TEST(empty.next_rule == 1);
    BOOST_TEST(empty.open);
    BOOST_TEST(empty.rules.empty());

    const auto first = sample_rule(
        1, "corp/group:S\xC3\xA4mple, \"Users\"",
        {.resource = "https://a.example/mcp", .scope = "x"});
    auto second = sample_rule(2, "everyone", {.service = "notion"});
    second.effect = core::Effect::deny;
    const core::TeamMember member{
        .team = "eng", .who = *core::Who::parse("key:vk_1"), .created_at = noon};
    BOOST_REQUIRE(
        (store->access.change(
             empty, {.added = {first, second}, .joined = {member}, .open = false}, fresh_id()) ==
         Applied::yes));
    const auto written = own.open_other()->access.read();
    BOOST_TEST(written.version == 1);
    BOOST_TEST(written.next_rule == 3);
    BOOST_TEST(!written.open);
    BOOST_REQUIRE_EQUAL(written.rules.size(), 2U);
    BOOST_TEST(written.rules[0].says_the_same(first));
    BOOST_TEST(written.rules[1].says_the_same(second));
    BOOST_TEST((written.rules[0].created_at == noon));
    BOOST_REQUIRE_EQUAL(written.members.size(), 1U);
    BOOST_TEST(written.members[0].is_same(member));

    BOOST_REQUIRE(
        (store->access.change(
             written, {.removed = {2}, .left = {member}, .open = true}, fresh_id()) ==
         Applied::yes));
    const auto later = store->access.read();
    BOOST_TEST(later.version == 2);
    BOOST_TEST(later.next_rule == 3); // a number is never used again
    BOOST_TEST(later.rules.size() == 1U);
    BOOST_TEST(later.members.empty());
    BOOST_TEST(later.open);
}

STORE_CASE(of_two_changes_of_the_same_rules_one_is_written, "SI68") {
    const OwnDatabase own(database);
    const auto store = own.open(), other = own.open_other();
    const auto empty = store->access.read();
    BOOST_TEST(
        (store->access.change(empty, {.added = {sample_rule(1, "keys")}}, fresh_id()) ==
         Applied::yes));
    BOOST_TEST(
        (other->access.change(empty, {.added = {sample_rule(1, "everyone")}}, fresh_id()) ==
         Applied::no));
    const auto one = store->access.read();
    BOOST_TEST(
        (other->access.change(one, {.added = {sample_rule(2, "everyone")}}, fresh_id()) ==
         Applied::yes));
    BOOST_TEST((store->access.change(one, {.removed = {1}}, fresh_id()) == Applied::no));
    BOOST_TEST(store->access.read().rules.size() == 2U);
}

STORE_CASE(rules_are_read_again_when_their_version_differs_and_not_before, "SI68") {
    const OwnDatabase own(database);
    std::size_t asked = 0;
    auto config = own.ways.first;
    config.before_statement = [&](std::string_view statement) {
        asked += statement.find("access_rule") != statement.npos ? 1 : 0;
    };
    const auto store = store::open_store(config);
    const auto other = own.open_other();
    BOOST_TEST(store->access.rules(store->access.version())->rules().empty());
    BOOST_TEST(asked == 1U);
    store->access.rules(0);
    BOOST_TEST(asked == 1U);
    add_rule(*other, sample_rule(1, "keys"));
    const auto version = store->access.version();
    BOOST_TEST(version == 1);
    BOOST_TEST(store->access.rules(version)->rules().size() == 1U);
    BOOST_TEST(asked == 2U);
    store->access.rules(version);
    BOOST_TEST(asked == 2U);
    BOOST_CHECK_THROW(store->access.rules(version + 1), store::StoreFailure); // nobody wrote it
}

STORE_CASE(every_statement_that_finds_a_token_or_flow_says_the_version_of_the_rules, "SI68") {
    const OwnDatabase own(database);
    const auto store = own.open(), other = own.open_other();
    const auto finalization = finalization_of(put_sample_flow(*store));
    BOOST_REQUIRE((store->flows.finalize(finalization, {}) == Applied::yes));
    const auto& token = finalization.session.token;
    const auto flow = put_sample_flow(*store);
    BOOST_TEST(store->sessions.find(token)->standing.policy_version == 0);
    BOOST_TEST(store->flows.find(flow.id)->policy_version == 0);
    add_rule(*other, sample_rule(1, "keys"));
    BOOST_TEST(store->flows.find(flow.id)->policy_version == 1);
    BOOST_TEST(store->sessions.find(token)->standing.policy_version == 1);
    BOOST_TEST(store->sessions.find(finalization.session.id)->standing.policy_version == 1);
    BOOST_TEST(store->codes.find(finalization.code.hash)->standing.policy_version == 1);
    const core::ResourceServer server{
        .id = core::ResourceServerId(fresh_id()), .resource = "x", .secret = fresh_digest()};
    store->resource_servers.put(server);
    const auto lookup = store->resource_servers.find_with_session(server.id, token);
    BOOST_REQUIRE((lookup.view != nullptr));
    BOOST_TEST(lookup.view->standing.policy_version == 1);
    BOOST_TEST(store->access.standing({}).policy_version == 1);
}

STORE_CASE(a_flow_is_finalized_only_by_the_rules_that_were_asked, "SI65 SA32") {
    const OwnDatabase own(database);
    const auto store = own.open(), other = own.open_other();
    const auto flow = put_sample_flow(*store);
    auto finalization = finalization_of(flow);
    add_rule(*other, sample_rule(1, "keys"));
    BOOST_TEST((store->flows.finalize(finalization, {}) == Applied::no));
    BOOST_TEST(traces_of(*store, finalization).untouched(0));
    finalization.policy_version = 1;
    BOOST_TEST((store->flows.finalize(finalization, {}) == Applied::yes));
    BOOST_TEST(traces_of(*store, finalization).finalized(0));
}

STORE_CASE(a_flow_is_finalized_only_for_the_person_who_was_asked_about, "SI65 SA30") {
    const OwnDatabase own(database);
    const auto store = own.open();
    auto finalization = finalization_of(put_sample_flow(*store));
    finalization.person = {core::PersonId(fresh_digest().hex), 1}; // of whom there is no row
    BOOST_TEST((store->flows.finalize(finalization, {}) == Applied::no));
    BOOST_TEST(traces_of(*store, finalization).untouched(0));
}

STORE_CASE(rules_that_change_while_flows_finish_are_obeyed_from_then_on, "SI65") {
    const OwnDatabase own(database);
    const auto store = own.open();
    std::vector<core::Finalization> finalizations;
    for (int i = 0; i < 40; ++i) finalizations.push_back(finalization_of(put_sample_flow(*store)));
    Beside finisher([&](const auto&) {
        const auto mine = own.open();
        for (const auto& one : finalizations) mine->flows.finalize(one, {});
    });
    add_rule(*own.open_other(), sample_rule(1, "keys"));
    const auto seen = store->sessions.list(noon).size();
    BOOST_TEST(finisher.end() == 0);
    std::vector<bool> finished;
    for (const auto& one : finalizations)
        finished.push_back(store->sessions.find(one.session.id).has_value());
    // Whatever finished did so before the rule; what came later found it changed.
    const auto after = static_cast<std::size_t>(std::count(finished.begin(), finished.end(), true));
    BOOST_TEST(store->sessions.list(noon).size() == after);
    BOOST_TEST(seen <= after);
    BOOST_TEST(std::is_partitioned(finished.begin(), finished.end(), [](bool yes) { return yes; }));
}
