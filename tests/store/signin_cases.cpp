// People who sign in at an identity provider: their snapshots, browsers on the way there, and
// sign-ins.
#include "signin_sample.h"

#include "tests/support/child.h"

#include <csignal>

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

namespace {

core::SigninState sample_state(const core::Digest& browser, int after) {
    core::SigninState state;
    state.state = fresh_digest();
    state.browser = browser;
    state.idp = core::IdpId("corp");
    state.idp_version = 7;
    state.flow = core::FlowId(fresh_id());
    state.nonce = fresh_digest();
    state.verifier = std::string("\0cipher\xff", 8);
    state.key_id = core::KeyId("k1");
    state.max_age = core::Span(3600);
    state.trial = fresh_digest();
    state.expires_at = noon + core::Span(after);
    return state;
}

} // namespace

STORE_CASE(a_sign_in_comes_back_with_its_person, "SI23 SI49") {
    const auto store = database.open();
    const auto person = sample_person(put_sample_idp(*store));
    const auto finished = sample_signin(person);
    BOOST_TEST((store->signins.finish(finished, noon) == Applied::yes));
    const auto found = store->signins.find(finished.signin.cookie);
    BOOST_REQUIRE(found.has_value());
    BOOST_TEST(found->idp_title == "Example Corp");
    BOOST_TEST(found->idp_active);
    BOOST_TEST(found->person.name == person.name);
    BOOST_TEST(found->person.email == person.email);
    BOOST_TEST(found->person.groups == person.groups);
    BOOST_TEST((found->person.claims == person.claims));
    BOOST_TEST(found->signin.provider_session == finished.signin.provider_session);
    BOOST_TEST((found->signin.auth_time == finished.signin.auth_time));
    BOOST_TEST((found->identity() == core::identity_of(person)));
    BOOST_TEST(core::stands(*found, noon));
    BOOST_TEST(!core::stands(*found, finished.signin.expires_at));
    BOOST_TEST(!store->signins.find(fresh_digest()).has_value());
}

STORE_CASE(the_snapshot_of_the_later_id_token_stays, "SI51 SI52") {
    const auto store = database.open();
    auto person = sample_person(put_sample_idp(*store));
    store->signins.finish(sample_signin(person), noon);
    auto later = person;
    later.groups = {"ops"};
    later.email.clear();
    later.snapshot_at = noon + core::Span(10);
    store->signins.finish(sample_signin(later), noon);
    person.snapshot_at = noon + core::Span(9);
    store->signins.finish(sample_signin(person), noon);
    const auto found = store->people.find(person.id);
    BOOST_REQUIRE(found.has_value());
    BOOST_TEST(found->groups == later.groups);
    BOOST_TEST(found->email == "");
    BOOST_TEST(found->version == 2);
    later.groups.clear();
    later.groups_known = false;
    BOOST_TEST((store->people.renew(later) == Applied::yes));
    BOOST_TEST(store->people.find(person.id)->groups.empty());
    BOOST_TEST(!store->people.find(person.id)->groups_known);
    BOOST_TEST((store->people.renew(sample_person(core::IdpId("x"))) == Applied::no));
}

STORE_CASE(a_sign_in_ends_the_one_before_it_in_that_browser, "SI23 SI26") {
    const auto store = database.open();
    const auto person = sample_person(put_sample_idp(*store));
    const auto first = sample_signin(person);
    store->signins.finish(first, noon);
    auto second = sample_signin(person);
    second.replaced = first.signin.cookie;
    store->signins.finish(second, noon);
    BOOST_TEST(
        (store->signins.find(first.signin.cookie)->signin.ended_by == core::SigninEnd::replaced));
    BOOST_TEST(store->signins.list_of_person(person.id, noon).size() == 1);
    BOOST_TEST(
        (store->signins.end(second.signin.id, core::SigninEnd::signed_out, noon) == Applied::yes));
    BOOST_TEST(
        (store->signins.end(second.signin.id, core::SigninEnd::signed_out, noon) == Applied::no));
    const auto ended = store->signins.find(second.signin.cookie);
    BOOST_TEST((ended->signin.ended_by == core::SigninEnd::signed_out));
    BOOST_TEST(!core::stands(*ended, noon));
}

STORE_CASE(a_sign_in_gives_the_flow_its_person_or_writes_nothing, "SI23 SI27") {
    const auto store = database.open();
    const auto person = sample_person(put_sample_idp(*store));
    auto flow = put_sample_flow(*store);
    const core::Identity typed{core::IdentityKind::user_id, "ben"};
    store->flows.choose_identity(flow.id, flow.revision, typed, noon);
    auto account = sample_token("notion");
    account.owner = core::Owner::of(flow.id);
    store->accounts.connect_in_flow(flow.id, account, noon);
    auto finished = sample_signin(person);
    finished.flow = flow; // as it was before
    BOOST_TEST((store->signins.finish(finished, noon) == Applied::no));
    BOOST_TEST(!store->people.find(person.id).has_value());
    BOOST_TEST(!store->signins.find(finished.signin.cookie).has_value());
    finished.flow = store->flows.find(flow.id)->flow;
    BOOST_TEST((store->signins.finish(finished, noon) == Applied::yes));
    const auto found = store->flows.find(flow.id);
    BOOST_TEST((found->flow.identity == core::identity_of(person)));
    BOOST_TEST(found->flow.revision == finished.flow->revision + 1);
    BOOST_TEST(store->accounts.list(core::Owner::of(flow.id)).empty());
}

STORE_CASE(a_flow_is_not_finished_by_a_sign_in_that_has_ended, "SI24 SI28") {
    const auto store = database.open();
    const auto person = sample_person(put_sample_idp(*store));
    auto flow = put_sample_flow(*store);
    auto finished = sample_signin(person);
    finished.flow = flow;
    store->signins.finish(finished, noon);
    auto finalization =
        finalization_of(store->flows.find(flow.id)->flow, core::identity_of(person));
    finalization.session.signin = finished.signin.id;
    store->signins.end(finished.signin.id, core::SigninEnd::signed_out, noon);
    BOOST_TEST((store->flows.finalize(finalization) == Applied::no));
    const auto again = sample_signin(person);
    store->signins.finish(again, noon);
    finalization.session.signin = again.signin.id;
    BOOST_TEST((store->flows.finalize(finalization) == Applied::yes));
    const auto theirs = store->sessions.list_of_person(person.id, noon);
    BOOST_REQUIRE(theirs.size() == 1);
    BOOST_TEST((theirs.front().session.signin == again.signin.id));
    // Its row stays while the session does.
    store->maintenance.sweep(again.signin.expires_at + core::Span(1), noon, 1000);
    BOOST_TEST(store->signins.find(again.signin.cookie).has_value());
    BOOST_TEST(!store->signins.find(finished.signin.cookie).has_value());
}

STORE_CASE(a_state_is_good_once_and_the_oldest_of_a_browser_go, "SI19 SI22") {
    const auto store = database.open();
    const auto browser = fresh_digest();
    std::vector<core::SigninState> states;
    for (int at = 0; at < 22; ++at) {
        states.push_back(sample_state(browser, 100 + at));
        store->signins.put_state(states.back());
    }
    BOOST_TEST(!store->signins.find_state(states[0].state).has_value());
    BOOST_TEST(!store->signins.find_state(states[1].state).has_value());
    const auto found = store->signins.find_state(states[2].state);
    BOOST_REQUIRE(found.has_value());
    BOOST_TEST((found->browser == browser));
    BOOST_TEST(found->idp_version == 7);
    BOOST_TEST((found->flow == states[2].flow));
    BOOST_TEST((found->nonce == states[2].nonce));
    BOOST_TEST(found->verifier == states[2].verifier);
    BOOST_TEST((found->max_age == states[2].max_age));
    BOOST_TEST((found->trial == states[2].trial));
    BOOST_TEST(found->acr == "");
    BOOST_TEST(
        (store->signins.consume_state(states[2].state, states[2].expires_at) == Applied::no));
    BOOST_TEST((store->signins.consume_state(states[2].state, noon) == Applied::yes));
    BOOST_TEST((store->signins.consume_state(states[2].state, noon) == Applied::no));
}

// Statement by statement a process is killed while it signs somebody in who has a browser's earlier
// sign-in and an account in the flow. Another process can do it again.
STORE_CASE(a_process_that_is_killed_in_a_sign_in_leaves_everything_or_nothing, "SI23") {
    const auto store = database.open();
    const auto idp = put_sample_idp(*store);
    int killed = 0;
    for (bool whole = false; !whole; ++killed) {
        BOOST_TEST_REQUIRE(killed < 40);
        const auto ben = sample_person(idp);
        const auto before = sample_signin(ben);
        store->signins.finish(before, noon);
        const auto flow = put_sample_flow(*store);
        store->flows.choose_identity(flow.id, flow.revision, core::identity_of(ben), noon);
        store->accounts.connect_in_flow(flow.id, sample_token("notion"), noon);
        auto finished = sample_signin(sample_person(idp));
        finished.flow = store->flows.find(flow.id)->flow;
        finished.replaced = before.signin.cookie;
        const int end = in_child([&] {
            int statement = 0;
            const auto doomed = database.open([&](std::string_view) {
                if (statement++ == killed) raise(SIGKILL);
            });
            return doomed->signins.finish(finished, noon) == Applied::yes ? 0 : 1;
        });
        whole = end == 0;
        const bool known = store->people.find(finished.person.id).has_value();
        BOOST_TEST(store->signins.find(finished.signin.cookie).has_value() == known);
        BOOST_TEST(store->signins.find(before.signin.cookie)->signin.ended_at.has_value() == known);
        const auto& owner = known ? finished.person : ben;
        const auto found = store->flows.find(flow.id)->flow;
        BOOST_TEST((found.identity == core::identity_of(owner)));
        BOOST_TEST(store->accounts.list(core::Owner::of(flow.id)).empty() == known);
        BOOST_TEST((!whole || known));
        if (!known) BOOST_TEST((store->signins.finish(finished, noon) == Applied::yes));
    }
    BOOST_TEST(killed > 6); // a look, BEGIN, the flow, its accounts, the person, both sign-ins
}
