// Logouts of identity providers: each has its effect once, and nothing overtakes it.
#include "refresh_sample.h"
#include "signin_sample.h"

#include "tests/support/child.h"

using namespace consentgate;
using namespace consentgate::tests;
using core::LogoutEffect;
using store::Applied;

namespace {

store::Logout sample_logout(const core::IdpId& idp, LogoutEffect effect = LogoutEffect::sessions) {
    return {
        .use = fresh_digest(),
        .id = fresh_id(),
        .idp = idp,
        .effect = effect,
        .issued_at = noon,
        .forget_after = noon + core::Span(601)};
}

// A browser's sign-in, with the provider's name for it.
core::BrowserSignin sign_in(
    store::Store& store, const core::Person& person, const std::string& sid) {
    auto finished = sample_signin(person);
    finished.signin.provider_session = sid;
    BOOST_REQUIRE((store.signins.finish(finished, noon) == Applied::yes));
    return finished.signin;
}

core::Finalization consent(
    store::Store& store, const core::Person& person, const core::BrowserSignin& signin) {
    auto finalization = finalization_of(put_sample_flow(store), core::identity_of(person));
    finalization.session.signin = signin.id;
    return finalization;
}

core::SessionId make_session(
    store::Store& store, const core::Person& person, const core::BrowserSignin& signin) {
    const auto finalization = consent(store, person, signin);
    BOOST_REQUIRE((store.flows.finalize(finalization, {}) == Applied::yes));
    return finalization.session.id;
}

// Two browsers of one person with three sessions; in the first browser are two of them.
struct Office {
    core::IdpId idp;
    core::Person anna;
    core::BrowserSignin desk, phone;
    core::SessionId first, second, third;

    explicit Office(store::Store& store)
        : idp(put_sample_idp(store)),
          anna(sample_person(idp)),
          desk(sign_in(store, anna, "desk")),
          phone(sign_in(store, anna, "phone")),
          first(make_session(store, anna, desk)),
          second(make_session(store, anna, desk)),
          third(make_session(store, anna, phone)) {}

    core::Digest sid(const std::string& word) const { return core::hash_of_sid(idp, word); }
    // Which of the five live: desk, phone, first, second, third.
    std::string living(store::Store& store) const {
        std::string text;
        for (const auto* signin : {&desk, &phone})
            text += store.signins.find(signin->cookie)->signin.ended_at ? '-' : '+';
        for (const auto* session : {&first, &second, &third})
            text += store.sessions.find(*session)->session.revoked_at ? '-' : '+';
        return text;
    }
};

} // namespace

STORE_CASE(a_logout_of_one_sid_ends_its_sign_ins_and_all_their_sessions, "SI61") {
    const auto store = database.open();
    const Office office(*store);
    auto logout = sample_logout(office.idp);
    logout.sid = office.sid("desk");
    const auto ended = store->logouts.apply(logout, noon);
    BOOST_REQUIRE(ended.has_value());
    BOOST_TEST(ended->signins.size() == 1);
    BOOST_TEST(ended->sessions.size() == 2);
    BOOST_TEST(office.living(*store) == "-+--+");
    const auto found = store->signins.find(office.desk.cookie);
    BOOST_TEST((found->signin.ended_by == core::SigninEnd::logged_out));
}

STORE_CASE(a_sid_that_two_browsers_share_ends_both, "SI61") {
    const auto store = database.open();
    const Office office(*store);
    const auto again = sign_in(*store, office.anna, "desk");
    const auto session = make_session(*store, office.anna, again);
    auto logout = sample_logout(office.idp);
    logout.sid = office.sid("desk");
    BOOST_TEST(store->logouts.apply(logout, noon)->signins.size() == 2);
    BOOST_TEST(store->sessions.find(session)->session.revoked_at.has_value());
}

STORE_CASE(a_session_ends_although_its_sign_in_had_ended_before, "SI61") {
    const auto store = database.open();
    const Office office(*store);
    store->signins.end(office.desk.id, core::SigninEnd::signed_out, noon);
    auto logout = sample_logout(office.idp);
    logout.sid = office.sid("desk");
    const auto ended = store->logouts.apply(logout, noon);
    BOOST_TEST(ended->signins.empty());
    BOOST_TEST(ended->sessions.size() == 2);
    const auto found = store->signins.find(office.desk.cookie);
    BOOST_TEST((found->signin.ended_by == core::SigninEnd::signed_out));
}

STORE_CASE(the_operator_decides_how_far_a_logout_goes, "SI61") {
    const auto store = database.open();
    const std::tuple<LogoutEffect, bool, const char*> table[] = {
        {LogoutEffect::sessions, false, "-----"}, {LogoutEffect::person, true, "-----"},
        {LogoutEffect::person, false, "-----"},   {LogoutEffect::browser, true, "-++++"},
        {LogoutEffect::browser, false, "--+++"},
    };
    for (const auto& [effect, by_sid, living] : table) {
        const Office office(*store);
        auto logout = sample_logout(office.idp, effect);
        if (by_sid)
            logout.sid = office.sid("desk");
        else
            logout.person = office.anna.id;
        store->logouts.apply(logout, noon);
        BOOST_TEST(office.living(*store) == living, core::name_of(effect) << by_sid);
    }
}

STORE_CASE(a_logout_reaches_nobody_else, "SI60 SA24") {
    const auto store = database.open();
    const Office office(*store), other(*store);
    auto logout = sample_logout(other.idp);
    logout.sid = other.sid("desk");
    logout.person = office.anna.id; // of another provider
    const auto ended = store->logouts.apply(logout, noon);
    BOOST_REQUIRE(ended.has_value());
    BOOST_TEST(ended->signins.empty());
    BOOST_TEST(office.living(*store) == "+++++");
    BOOST_TEST(other.living(*store) == "+++++");
    auto unknown = sample_logout(other.idp, LogoutEffect::person);
    unknown.sid = other.sid("nobody's");
    BOOST_TEST(store->logouts.apply(unknown, noon)->sessions.empty());
}

STORE_CASE(a_logout_token_has_its_effect_once, "SI60 SA25") {
    const auto store = database.open();
    const Office office(*store);
    auto logout = sample_logout(office.idp);
    logout.person = office.anna.id;
    BOOST_TEST(store->logouts.apply(logout, noon).has_value());
    const auto again = sign_in(*store, office.anna, "new");
    const auto session = make_session(*store, office.anna, again);
    logout.id = fresh_id();
    BOOST_TEST(!store->logouts.apply(logout, noon).has_value());
    BOOST_TEST(!store->sessions.find(session)->session.revoked_at.has_value());
    BOOST_TEST(!store->signins.find(again.cookie)->signin.ended_at.has_value());
}

STORE_CASE(of_eight_processes_with_one_logout_token_one_has_the_effect, "SI60 SA25") {
    const auto store = database.open();
    std::vector<store::Logout> logouts;
    for (int i = 0; i < 10; ++i) {
        const Office office(*store);
        logouts.push_back(sample_logout(office.idp));
        logouts.back().person = office.anna.id;
    }
    const auto seen = race(8, [&](int, const auto& tell) {
        const auto mine = database.open();
        for (auto logout : logouts) {
            logout.id = fresh_id();
            tell(mine->logouts.apply(logout, noon).has_value());
        }
    });
    BOOST_TEST(seen.failed_processes == 0);
    BOOST_TEST(seen.won == 10);
}

STORE_CASE(no_session_comes_of_a_sign_in_whose_logout_is_under_way, "SI61") {
    const auto store = database.open();
    for (int round = 0; round < 25; ++round) {
        const Office office(*store);
        auto logout = sample_logout(office.idp);
        logout.sid = office.sid("desk");
        const auto finalization = consent(*store, office.anna, office.desk);
        Beside finisher([&](const auto&) { database.open()->flows.finalize(finalization, {}); });
        store::open_store(database.other_config())->logouts.apply(logout, noon);
        BOOST_TEST(finisher.end() == 0);
        BOOST_TEST(store->sessions.list_of_person(office.anna.id, noon).size() == 1);
    }
}

STORE_CASE(no_sign_in_stands_that_was_under_way_at_its_logout, "SI61") {
    const auto store = database.open();
    const auto idp = put_sample_idp(*store);
    for (int round = 0; round < 25; ++round) {
        const auto person = sample_person(idp);
        auto finished = sample_signin(person);
        finished.signin.provider_session = fresh_id();
        auto logout = sample_logout(idp);
        if (round % 2 == 0)
            logout.sid = core::hash_of_sid(idp, finished.signin.provider_session);
        else
            logout.person = person.id;
        Beside comer([&](const auto&) {
            const auto mine = database.open();
            mine->signins.finish(finished, noon);
            if (mine->logouts.came_meanwhile(finished.signin, person.snapshot_at))
                mine->signins.end(finished.signin.id, core::SigninEnd::logged_out, noon);
        });
        store::open_store(database.other_config())->logouts.apply(logout, noon);
        BOOST_TEST(comer.end() == 0);
        BOOST_TEST(store->signins.list_of_person(person.id, noon).empty());
    }
}

STORE_CASE(a_logout_is_remembered_for_sign_ins_that_began_before_it, "SI61") {
    const auto store = database.open();
    const auto idp = put_sample_idp(*store);
    const auto person = sample_person(idp);
    auto signin = sample_signin(person).signin;
    auto logout = sample_logout(idp);
    logout.person = person.id;
    store->logouts.apply(logout, noon);
    BOOST_TEST(store->logouts.came_meanwhile(signin, noon));
    BOOST_TEST(!store->logouts.came_meanwhile(signin, noon + core::Span(1)));
    auto of_sid = sample_logout(idp);
    of_sid.sid = core::hash_of_sid(idp, "one");
    store->logouts.apply(of_sid, noon);
    signin.provider_session = "one";
    signin.person = sample_person(idp).id;
    BOOST_TEST(store->logouts.came_meanwhile(signin, noon));
    BOOST_TEST(!store->logouts.came_meanwhile(signin, noon + core::Span(1)));
    signin.provider_session = "two";
    BOOST_TEST(!store->logouts.came_meanwhile(signin, noon));
}

STORE_CASE(a_used_logout_token_is_swept_after_its_time, "SI60") {
    const auto store = database.open();
    const Office office(*store);
    auto logout = sample_logout(office.idp);
    logout.sid = office.sid("none");
    store->logouts.apply(logout, noon);
    store->maintenance.sweep(logout.forget_after, noon, 1000);
    BOOST_TEST(!store->logouts.apply(logout, noon).has_value());
    store->maintenance.sweep(logout.forget_after + core::Span(1), noon, 1000);
    BOOST_TEST(store->logouts.apply(logout, noon).has_value());
}

STORE_CASE(all_of_a_person_end_together, "SI58") {
    const auto store = database.open();
    const Office office(*store), other(*store);
    const auto signins = store->signins.end_all(office.anna.id, core::SigninEnd::ended, noon);
    const auto ended =
        store->sessions.revoke_some({.person = office.anna.id}, "", noon, 100).sessions;
    BOOST_TEST(signins == 2U);
    BOOST_TEST(ended.size() == 3U);
    BOOST_TEST(office.living(*store) == "-----");
    BOOST_TEST(other.living(*store) == "+++++");
}

// A client refreshes as fast as it can, and the provider ends its person meanwhile: of whichever
// refresh comes last, nothing is good afterwards.
STORE_CASE(a_session_that_is_refreshed_while_its_logout_comes_gets_nothing_more, "SI61 SI60") {
    const auto store = database.open();
    const auto scope = *core::ScopeSet::parse("mcp");
    const auto rotation_of = [&](const core::RefreshToken& used) {
        return core::Rotation{
            used.hash,
            used.key_id,
            refresh_token_of(used.session_id, noon),
            {fresh_digest(), used.session_id, scope, noon + core::Span(3600)}};
    };
    const auto rotate = [](store::Store& by, const core::Rotation& rotation) {
        return by.tokens.rotate_refresh(rotation, noon) == Applied::yes;
    };
    int refreshed = 0;
    for (int round = 0; round < 15; ++round) {
        const Office office(*store);
        const auto finalization = consent(*store, office.anna, office.desk);
        BOOST_REQUIRE((store->flows.finalize(finalization, {}) == Applied::yes));
        const auto& session = finalization.session.id;
        const auto first = refresh_token_of(session, noon);
        store->codes.redeem(finalization.code.hash, fresh_id(), first, noon);
        std::vector<core::Rotation> rotations{rotation_of(first)};
        while (rotations.size() < 40) rotations.push_back(rotation_of(rotations.back().next));
        const bool waits = round % 2 == 1; // for an answer to the first, or only for its start
        Beside client([&](const auto& tell) {
            const auto mine = database.open();
            if (!waits) tell();
            for (const auto& rotation : rotations) {
                if (!rotate(*mine, rotation)) return;
                tell();
            }
        });
        auto logout = sample_logout(office.idp);
        logout.sid = office.sid("desk");
        const auto other = store::open_store(database.other_config());
        BOOST_TEST(client.has_begun());
        const auto ended = other->logouts.apply(logout, noon);
        const int signals = client.end();
        BOOST_REQUIRE(signals > 0);
        const auto done = static_cast<std::size_t>(waits ? signals : signals - 1);
        refreshed += signals - (waits ? 0 : 1);
        BOOST_TEST(ended->sessions.size() == 3);
        BOOST_TEST(store->sessions.find(session)->session.revoked_at.has_value());
        BOOST_TEST(!rotate(*store, rotation_of(done == 0 ? first : rotations[done - 1].next)));
        for (const auto& rotation : rotations) {
            const auto found = store->sessions.find(rotation.access.hash);
            BOOST_TEST((!found || found->session.revoked_at.has_value()));
        }
        BOOST_TEST(!store->sessions.find(office.third)->session.revoked_at.has_value(), "phone");
    }
    BOOST_TEST(refreshed > 0);
}
