// An operator stops people and lets them go on: whoever asks next sees it, through whatever node.
#include "signin_sample.h"

#include <algorithm>

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

namespace {

const core::Span half_a_year{180 * 86400};

core::Person put_person(store::Store& store, const core::IdpId& idp, core::Instant at = noon) {
    auto person = sample_person(idp);
    person.first_signin = person.last_signin = person.checked_at = person.snapshot_at = at;
    BOOST_REQUIRE((store.people.put(person) == Applied::yes));
    return person;
}

core::BrowserSignin put_signin(store::Store& store, const core::Person& person) {
    const auto finished = sample_signin(person);
    BOOST_REQUIRE((store.signins.finish(finished, noon) == Applied::yes));
    return finished.signin;
}

// As the use-case finalizes: with the versions that it read.
core::Finalization finalization_by(store::Store& store, const core::Person& person) {
    const auto identity = core::identity_of(person);
    const auto flow = put_sample_flow(store);
    BOOST_REQUIRE(
        (store.flows.choose_identity(flow.id, flow.revision, identity, noon) == Applied::yes));
    auto finalization = finalization_of(store.flows.find(flow.id)->flow, identity);
    finalization.policy_version = store.access.version();
    finalization.person = {person.id, store.people.find(person.id)->version};
    return finalization;
}

core::Session put_session(store::Store& store, const core::Person& person) {
    const auto finalization = finalization_by(store, person);
    BOOST_REQUIRE((finalize(store, finalization) == Applied::yes));
    return finalization.session;
}

core::LinkedAccount connect(
    store::Store& store, const core::Session& session, const core::Owner& owner) {
    auto account = sample_token(fresh_id());
    account.owner = owner;
    BOOST_REQUIRE((store.accounts.connect_in_session(session.id, account, noon) == Applied::yes));
    return *store.accounts.find(owner, account.service);
}

core::Owner owner_of(const core::Person& person) {
    return core::identity_of(person).owner(core::SessionId());
}

std::optional<core::PersonMark> mark_of(store::Store& store, const core::Session& session) {
    return store.sessions.find(session.token)->standing.person;
}

bool is_idle(store::Store& store, const core::Person& person, core::Instant since) {
    const auto idle = store.people.list_idle(since, "", 100000);
    return std::any_of(
        idle.begin(), idle.end(), [&](const auto& one) { return one.id == person.id; });
}

} // namespace

STORE_CASE(whom_an_operator_disables_is_so_for_the_next_request_through_any_node, "SI59 SI68") {
    const auto here = database.open();
    const auto there = store::open_store(database.other_config());
    const auto person = put_person(*here, put_sample_idp(*here));
    const auto session = put_session(*here, person);
    const auto open = finalization_by(*here, person);
    BOOST_TEST(mark_of(*there, session)->stands());
    const auto before = mark_of(*there, session)->version;

    BOOST_TEST((here->people.disable(person.id, noon) == Applied::yes));
    BOOST_TEST(!mark_of(*there, session)->stands());
    BOOST_TEST(mark_of(*there, session)->version > before);
    BOOST_TEST((there->people.disable(person.id, noon + core::Span(5)) == Applied::no));
    BOOST_TEST((there->people.find(person.id)->disabled_at == noon));
    BOOST_TEST((finalize(*there, open) == Applied::no)); // a page 2 that was open
    BOOST_TEST((finalize(*there, finalization_by(*there, person)) == Applied::no));
    put_signin(*there, person); // a snapshot takes nothing back
    BOOST_TEST(there->people.find(person.id)->disabled_at.has_value());

    BOOST_TEST((there->people.enable(person.id) == Applied::yes));
    BOOST_TEST(mark_of(*here, session)->stands());
    BOOST_TEST((here->people.enable(person.id) == Applied::no));
    BOOST_TEST((finalize(*here, finalization_by(*here, person)) == Applied::yes));
    BOOST_TEST((here->people.disable(core::PersonId("x"), noon) == Applied::no));
}

STORE_CASE(sessions_are_found_by_their_person_and_by_a_name_together, "SI82 XA4") {
    const auto store = database.open();
    const auto idp = put_sample_idp(*store);
    const auto anna = put_person(*store, idp), ben = put_person(*store, idp);
    const auto of_anna = put_session(*store, anna), of_ben = put_session(*store, ben);
    const auto name = "anna " + fresh_id();
    const auto typed =
        finalization_of(put_sample_flow(*store), {core::IdentityKind::user_id, name});
    BOOST_REQUIRE((finalize(*store, typed) == Applied::yes));
    const auto ids = [&](const core::SessionFilter& filter) {
        std::vector<std::string> found;
        for (const auto& view : store->sessions.list(noon, filter, 1000))
            found.push_back(view.session.id.text);
        std::sort(found.begin(), found.end());
        return found;
    };
    const auto sorted = [](std::vector<std::string> all) {
        std::sort(all.begin(), all.end());
        return all;
    };
    BOOST_TEST(ids({.person = anna.id}) == std::vector{of_anna.id.text});
    BOOST_TEST(
        ids({.user = name, .person = anna.id}) == sorted({of_anna.id.text, typed.session.id.text}));
    BOOST_TEST(ids({.client = of_ben.client_id, .person = anna.id}).empty());
    const auto ended = store->sessions.revoke_some(
        {.user = name, .person = anna.id}, "", noon + core::Span(1), 10);
    BOOST_TEST(ended.sessions.size() == 2U);
    BOOST_TEST(ids({.person = ben.id}) == std::vector{of_ben.id.text});
}

STORE_CASE(all_sign_ins_of_a_person_end_together, "SI82") {
    const auto store = database.open();
    const auto idp = put_sample_idp(*store);
    const auto anna = put_person(*store, idp), ben = put_person(*store, idp);
    const auto first = put_signin(*store, anna), second = put_signin(*store, anna);
    const auto other = put_signin(*store, ben);
    BOOST_TEST(store->signins.is_of(first.id, anna.id));
    BOOST_TEST(!store->signins.is_of(first.id, ben.id));
    BOOST_TEST(store->signins.end_all(anna.id, core::SigninEnd::ended, noon) == 2U);
    BOOST_TEST(store->signins.end_all(anna.id, core::SigninEnd::ended, noon) == 0U);
    for (const auto& one : {first, second}) {
        const auto found = store->signins.find(one.cookie);
        BOOST_TEST(!core::stands(*found, noon));
        BOOST_TEST((found->signin.ended_by == core::SigninEnd::ended));
    }
    BOOST_TEST(core::stands(*store->signins.find(other.cookie), noon));
}

STORE_CASE(an_account_is_given_to_whoever_has_none_at_its_service, "SI56") {
    const auto store = database.open();
    const auto idp = put_sample_idp(*store);
    const auto anna = put_person(*store, idp), ben = put_person(*store, idp);
    const auto old_name = core::Owner::verified_user(fresh_id());
    const auto session = put_session(*store, anna);
    const auto account = connect(*store, session, old_name);
    auto given = account;
    given.owner = owner_of(ben);
    given.access_token = "sealed for Ben";
    given.seal = core::current_seal;
    auto stale = given;
    --stale.version;
    BOOST_TEST((store->accounts.give(stale, noon) == Applied::no));
    BOOST_REQUIRE(
        (store->accounts.claim_refresh(
             account.id, account.version, "lease", noon + core::Span(20), noon) == Applied::yes));
    const auto leased = *store->accounts.find_by_id(account.id);
    given.version = leased.version;
    BOOST_TEST((store->accounts.give(given, noon) == Applied::no)); // a worker refreshes it
    BOOST_TEST((store->accounts.give(given, noon + core::Span(21)) == Applied::yes));
    BOOST_TEST(store->accounts.list(old_name).empty());
    BOOST_REQUIRE(store->accounts.find(owner_of(ben), account.service).has_value());
    BOOST_TEST(
        store->accounts.find(owner_of(ben), account.service)->access_token == "sealed for Ben");

    auto second = sample_token(account.service.text);
    second.owner = core::Owner::verified_user(fresh_id());
    BOOST_REQUIRE((store->accounts.connect_in_session(session.id, second, noon) == Applied::yes));
    auto wanted = *store->accounts.find(second.owner, account.service);
    wanted.owner = owner_of(ben);
    BOOST_TEST((store->accounts.give(wanted, noon) == Applied::no)); // Ben has one there
    BOOST_TEST(
        store->accounts.find(owner_of(ben), account.service)->access_token == "sealed for Ben");
}

STORE_CASE(names_of_the_web_server_are_listed_once_and_without_people_of_providers, "SI56") {
    const auto store = database.open();
    const auto name = "S\xC3\xB6ren@" + fresh_id();
    for (int i = 0; i < 2; ++i) {
        const auto finalization =
            finalization_of(put_sample_flow(*store), {core::IdentityKind::verified_user, name});
        BOOST_REQUIRE((finalize(*store, finalization) == Applied::yes));
    }
    const auto person = put_person(*store, put_sample_idp(*store));
    put_session(*store, person);
    const auto names = store->people.list_remote_names();
    BOOST_TEST(std::count(names.begin(), names.end(), name) == 1);
    for (const auto& one : names) BOOST_TEST(one.find('\n') == std::string::npos);
}

STORE_CASE(who_was_not_seen_for_long_and_has_nothing_is_idle, "SI84") {
    const auto store = database.open();
    const auto idp = put_sample_idp(*store);
    const auto since = noon - half_a_year;
    const auto long_ago = since - core::Span(1);
    const auto idle = put_person(*store, idp, long_ago);
    const auto fresh = put_person(*store, idp, since);
    const auto disabled = put_person(*store, idp, long_ago);
    store->people.disable(disabled.id, noon);
    const auto with_session = put_person(*store, idp, long_ago);
    const auto session = put_session(*store, with_session);
    const auto with_account = put_person(*store, idp, long_ago);
    connect(*store, session, owner_of(with_account));
    BOOST_TEST(is_idle(*store, idle, since));
    for (const auto* one : {&fresh, &disabled, &with_session, &with_account}) {
        BOOST_TEST(!is_idle(*store, *one, since));
        BOOST_TEST((store->people.remove_idle(one->id, since) == Applied::no));
    }
    BOOST_TEST((store->people.remove_idle(idle.id, since) == Applied::yes));
    BOOST_TEST(!store->people.find(idle.id).has_value());
    BOOST_TEST(store->people.find(fresh.id).has_value());
}

STORE_CASE(the_latest_sign_ins_of_a_provider_come_first, "SI13") {
    const auto store = database.open();
    const auto idp = put_sample_idp(*store);
    const auto older = put_person(*store, idp, noon - core::Span(10));
    const auto newer = put_person(*store, idp, noon);
    put_person(*store, put_sample_idp(*store), noon + core::Span(10));
    const auto latest = store->people.list_latest(idp, 20);
    BOOST_REQUIRE_EQUAL(latest.size(), 2U);
    BOOST_TEST(latest[0].id.text == newer.id.text);
    BOOST_TEST(latest[1].id.text == older.id.text);
    BOOST_TEST(store->people.list_latest(idp, 1).size() == 1U);
    BOOST_TEST((store->people.put(newer) == Applied::no));
}
