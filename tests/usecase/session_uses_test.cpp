// Tests src/usecase/session_uses.cpp: what a worker notes of the calls it answers.
#include "dependencies_fixture.h"

#include "consentgate/usecase/session_uses.h"

#include <filesystem>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

struct UsesFixture : DependenciesFixture {
    usecase::SessionUses uses{4};

    core::SessionId sign_in() {
        const auto submitted = usecase::submit_consent(deps, {.flow = begin()}, person, noon);
        BOOST_REQUIRE_EQUAL(code_of(submitted), "ok");
        return submitted->session.id;
    }
    core::Session session(const core::SessionId& id) { return store->sessions.find(id)->session; }
};

core::Session session_of(const std::string& id) {
    core::Session session;
    session.id = core::SessionId(id);
    return session;
}
const auto anna = session_of("anna");

} // namespace

BOOST_FIXTURE_TEST_SUITE(session_uses, UsesFixture)

BOOST_AUTO_TEST_CASE(
    a_session_is_noted_once_an_hour_with_the_network_of_its_client, *label("XA4")) {
    const auto hour = std::chrono::floor<std::chrono::hours>(noon);
    for (int second = 0; second < 100; ++second)
        uses.note(anna, "192.0.2.77", hour + core::Span(second));
    const auto noted = uses.unwritten(10);
    BOOST_REQUIRE(noted.size() == 1U);
    BOOST_TEST((noted[0].session == anna.id));
    BOOST_TEST((noted[0].at == hour));
    BOOST_TEST(noted[0].from == "192.0.2.0/24");
    uses.mark_written(1);
    uses.note(anna, "192.0.2.77", hour + core::Span(3599));
    BOOST_TEST(uses.empty());
    uses.note(anna, "198.51.100.9", hour + core::Span(3600));
    BOOST_REQUIRE(uses.unwritten(10).size() == 1U);
    BOOST_TEST(uses.unwritten(10)[0].from == "198.51.100.0/24");
}

BOOST_AUTO_TEST_CASE(
    a_server_that_asks_about_a_token_does_not_hide_where_the_client_is, *label("XA4")) {
    uses.note(anna, "", noon);
    uses.note(anna, "192.0.2.77", noon);
    BOOST_REQUIRE(uses.unwritten(10).size() == 1U);
    BOOST_TEST(uses.unwritten(10)[0].from == "192.0.2.0/24");
}

BOOST_AUTO_TEST_CASE(
    what_another_worker_has_written_is_written_again_an_hour_later, *label("XA4")) {
    const auto hour = std::chrono::floor<std::chrono::hours>(noon);
    auto written = anna;
    written.last_used_at = hour;
    uses.note(written, "192.0.2.77", hour + core::Span(3599));
    BOOST_TEST(uses.empty());
    uses.note(written, "192.0.2.77", hour + core::Span(3600));
    BOOST_TEST(uses.unwritten(10).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_note_of_an_hour_that_was_not_written_gives_way_to_the_next, *label("XA4")) {
    uses.note(anna, "192.0.2.77", noon);
    uses.note(anna, "198.51.100.9", noon + core::Span(7200));
    const auto noted = uses.unwritten(10);
    BOOST_REQUIRE(noted.size() == 1U);
    BOOST_TEST(noted[0].from == "198.51.100.0/24");
    uses.mark_written(5);
    BOOST_TEST(uses.empty());
}

BOOST_AUTO_TEST_CASE(the_notes_of_a_worker_are_bounded_and_none_is_lost_for_good, *label("XA4")) {
    for (int i = 0; i < 1000; ++i)
        uses.note(session_of("s" + std::to_string(i)), "192.0.2.77", noon);
    BOOST_TEST(uses.unwritten(1000).size() == 4U);
    uses.mark_written(2);
    uses.note(session_of("s999"), "192.0.2.77", noon);
    uses.note(session_of("s998"), "192.0.2.77", noon);
    uses.note(session_of("s997"), "192.0.2.77", noon);
    BOOST_TEST(uses.unwritten(1000).size() == 4U);
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_full_forgets_what_it_wrote_first_and_no_more, *label("XA4")) {
    for (const auto* id : {"a", "b", "c", "d"}) uses.note(session_of(id), "192.0.2.77", noon);
    uses.mark_written(4);
    uses.note(session_of("e"), "192.0.2.77", noon);
    uses.note(session_of("b"), "192.0.2.77", noon);
    const auto noted = uses.unwritten(10);
    BOOST_REQUIRE(noted.size() == 1U);
    BOOST_TEST(noted[0].session.text == "e");
    uses.note(session_of("b"), "192.0.2.77", noon + core::Span(3600));
    uses.note(session_of("a"), "192.0.2.77", noon);
    BOOST_TEST(uses.unwritten(10).size() == 3U);
    BOOST_TEST(uses.unwritten(10)[1].session.text == "b");
}

BOOST_AUTO_TEST_CASE(
    notes_are_written_in_batches_and_stay_when_the_database_is_away, *label("XA4")) {
    usecase::SessionUses many;
    const auto known = sign_in(), second = sign_in();
    for (int i = 0; i < 150; ++i)
        many.note(session_of("s" + std::to_string(i)), "192.0.2.77", noon);
    many.note(session(known), "2001:db8:7::1", noon);
    many.note(session(second), "", noon);
    BOOST_TEST(usecase::write_session_uses(deps, many));
    BOOST_TEST(!session(known).last_used_at.has_value());
    const auto aside = config.path + ".aside";
    std::filesystem::rename(config.path, aside);
    const auto away = store::open_store(config);
    auto& without = with(*away);
    BOOST_CHECK_THROW(usecase::write_session_uses(without, many), store::StoreFailure);
    std::filesystem::rename(aside, config.path);
    BOOST_TEST(!usecase::write_session_uses(deps, many));
    BOOST_TEST((session(known).last_used_at == std::chrono::floor<std::chrono::hours>(noon)));
    BOOST_TEST(session(known).last_used_from == "2001:db8:7::/48");
    BOOST_TEST(session(second).last_used_at.has_value());
    BOOST_TEST(session(second).last_used_from == "");
}

BOOST_AUTO_TEST_SUITE_END()
