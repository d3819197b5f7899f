// The refresh tokens of identity providers: one worker of all machines asks with each.
#include "signin_sample.h"

#include "tests/support/child.h"

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

namespace {

// A person who is known, and what their sign-in brought to ask with.
struct Known {
    core::Person person;
    core::ProviderGrant grant;

    explicit Known(store::Store& store) : person(sample_person(put_sample_idp(store))) {
        BOOST_REQUIRE((store.signins.finish(sample_signin(person), noon) == Applied::yes));
        grant.person = person.id;
        grant.refresh_token = std::string("\0cipher\xff", 8) + fresh_id();
        grant.key_id = core::KeyId("k1");
        store.grants.put(grant);
    }
};

const core::Instant soon = noon + core::Span(60);

} // namespace

STORE_CASE(a_provider_s_refresh_token_comes_back_and_a_later_one_takes_its_place, "SI58") {
    const auto store = database.open();
    Known known(*store);
    const auto found = store->grants.find(known.person.id);
    BOOST_REQUIRE(found.has_value());
    BOOST_TEST(found->refresh_token == known.grant.refresh_token);
    BOOST_TEST(!found->lease_until.has_value());
    known.grant.refresh_token = "later";
    known.grant.key_id = core::KeyId("k2");
    store->grants.put(known.grant);
    BOOST_TEST(store->grants.find(known.person.id)->refresh_token == "later");
    BOOST_TEST(store->grants.find(known.person.id)->key_id.text == "k2");
    store->grants.remove(known.person.id);
    BOOST_TEST(!store->grants.find(known.person.id).has_value());
}

STORE_CASE(one_worker_at_a_time_asks_about_a_person, "SI58") {
    const auto store = database.open();
    const Known known(*store);
    const auto& id = known.person.id;
    BOOST_TEST((store->grants.claim(id, "one", noon, soon) == Applied::yes));
    BOOST_TEST((store->grants.claim(id, "two", noon, soon) == Applied::no));
    BOOST_TEST(store->grants.holds(id, "one"));
    BOOST_TEST(!store->grants.holds(id, "two"));
    BOOST_TEST((store->grants.claim(id, "two", soon, soon + core::Span(60)) == Applied::yes));
    BOOST_TEST(!store->grants.holds(id, "one"));
    // A clock that had jumped ahead keeps nobody from asking.
    BOOST_TEST((store->grants.claim(id, "three", noon, soon) == Applied::yes));
    BOOST_TEST(
        (store->grants.claim(core::PersonId(fresh_digest().hex), "x", noon, soon) == Applied::no));
}

STORE_CASE(of_eight_processes_one_gets_the_right_to_ask, "SI58") {
    const auto store = database.open();
    std::vector<core::PersonId> people;
    for (int i = 0; i < 10; ++i) people.push_back(Known(*store).person.id);
    const auto seen = race(8, [&](int, const auto& tell) {
        const auto mine = database.open();
        for (const auto& id : people)
            tell(mine->grants.claim(id, fresh_id(), noon, soon) == Applied::yes);
    });
    BOOST_TEST(seen.failed_processes == 0);
    BOOST_TEST(seen.won == 10);
}

STORE_CASE(a_good_answer_renews_the_token_and_the_person_together, "SI58") {
    const auto store = database.open();
    Known known(*store);
    store->grants.claim(known.person.id, "mine", noon, soon);
    auto person = known.person;
    person.groups = {"ops"};
    person.checked_at = person.snapshot_at = noon + core::Span(7200);
    known.grant.refresh_token = "next";
    BOOST_TEST((store->grants.renew(known.grant, "another", person) == Applied::no));
    BOOST_TEST(store->people.find(person.id)->groups == known.person.groups);
    BOOST_TEST((store->grants.renew(known.grant, "mine", person) == Applied::yes));
    BOOST_TEST(store->grants.find(person.id)->refresh_token == "next");
    BOOST_TEST(!store->grants.find(person.id)->lease_until.has_value());
    BOOST_TEST(store->people.find(person.id)->groups == person.groups);
    BOOST_TEST((store->people.find(person.id)->checked_at == person.checked_at));
}

STORE_CASE(a_good_answer_with_an_older_snapshot_vouches_all_the_same, "SI52 SI58") {
    const auto store = database.open();
    const Known known(*store);
    store->grants.claim(known.person.id, "mine", noon, soon);
    auto person = known.person;
    person.groups = {"ops"};
    person.snapshot_at = noon - core::Span(1);
    person.checked_at = noon + core::Span(7200);
    BOOST_TEST((store->grants.renew(known.grant, "mine", person) == Applied::yes));
    BOOST_TEST(store->people.find(person.id)->groups == known.person.groups);
    BOOST_TEST((store->people.find(person.id)->checked_at == person.checked_at));
}

STORE_CASE(a_sign_in_meanwhile_takes_the_question_away, "SI58") {
    const auto store = database.open();
    const Known known(*store);
    store->grants.claim(known.person.id, "mine", noon, soon);
    auto anew = known.grant;
    anew.refresh_token = "of the new sign-in";
    store->grants.put(anew);
    BOOST_TEST(!store->grants.holds(known.person.id, "mine"));
    BOOST_TEST((store->grants.renew(known.grant, "mine", known.person) == Applied::no));
    BOOST_TEST(store->grants.find(known.person.id)->refresh_token == anew.refresh_token);
}

STORE_CASE(a_provider_s_refresh_token_moves_to_another_server_key, "SI58") {
    const auto store = database.open();
    const Known known(*store);
    const auto listed = store->grants.list_to_rekey(core::KeyId("k2"), "", 100000);
    BOOST_TEST(std::count_if(listed.begin(), listed.end(), [&](const auto& one) {
                   return one.person == known.person.id;
               }) == 1);
    auto moved = known.grant;
    moved.key_id = core::KeyId("k2");
    moved.refresh_token = "under k2";
    BOOST_TEST((store->grants.rekey(moved, known.grant) == Applied::yes));
    BOOST_TEST((store->grants.rekey(moved, known.grant) == Applied::no));
    BOOST_TEST(store->grants.find(known.person.id)->key_id.text == "k2");
}
