#include "consentgate/core/upstream/account_doubt.h"

#include "consentgate/core/upstream/account_state.h"
#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

LinkedAccount sample_account() {
    LinkedAccount account;
    account.id = "A-account_id";
    account.access_token = "a";
    account.refresh_token = "r";
    account.expires_at = noon + Span(3600);
    account.updated_at = noon - Span(600);
    account.version = 3;
    return account;
}

Keyring keys(const std::string& first = "k1") {
    return Keyring({{KeyId(first), Secret(std::string(32, first.back()))}});
}

TokenRefusal refusal_in(const std::string& line) {
    const auto report = read_call_report(line);
    BOOST_REQUIRE_MESSAGE(report.has_value(), line);
    return token_refusal(*report);
}

// Its token is refused, and refreshed right after.
LinkedAccount refused_and_renewed(LinkedAccount account, Instant at) {
    account = after_refused_token(account, account.version, TokenRefusal::certain, at).value();
    account.doubted_at.reset(); // as AccountStore::save_refreshed writes it
    ++account.version;
    return account;
}

} // namespace

BOOST_AUTO_TEST_SUITE(account_doubt)

BOOST_AUTO_TEST_CASE(the_id_of_a_call_names_the_token_and_only_we_can_make_one, *label("P32")) {
    const auto keyring = keys();
    const CalledAccount called{"A-account_id", 3};
    const auto id = call_id(called, keyring);
    BOOST_TEST((read_call_id(id, keyring) == called));
    BOOST_TEST(call_id({"A-account_id", 4}, keyring) != id);
    // After a new key was added, ids under the old one are still ours.
    const Keyring both({keys().keys().front(), {KeyId("k2"), Secret(std::string(32, 'z'))}});
    BOOST_TEST((read_call_id(id, both) == called));
    const auto mark = id.substr(id.rfind('.'));
    for (const auto& forged : std::vector<std::string>{
             "", ".", "..", id + "x", id.substr(0, id.size() - 1), "B-account_id.3" + mark,
             "A-account_id.4" + mark, "A-account_id.03" + mark, "A-account_id.3.", "A-account_id.3",
             std::string(100, 'A') + ".3" + mark})
        BOOST_TEST_CONTEXT(forged) BOOST_TEST(!read_call_id(forged, keyring));
    BOOST_TEST(!read_call_id(id, keys("k9")));
}

BOOST_AUTO_TEST_CASE(the_line_of_each_web_server_says_what_became_of_the_call, *label("P32")) {
    const std::string nginx = R"(<190>Nov 28 12:00:00 consentgate: {"call":"A.3.m","status":"401",)"
                              R"("challenge":"Bearer resource_metadata=\"https://x.example/y\""})";
    const auto report = read_call_report(nginx);
    BOOST_REQUIRE(report.has_value());
    BOOST_TEST(report->call == "A.3.m");
    BOOST_TEST(report->status == 401);
    BOOST_TEST((token_refusal(*report) == TokenRefusal::certain));
    // lighttpd and Apache write - for no challenge.
    BOOST_TEST(
        (refusal_in(R"({"call":"A.3.m","status":"401","challenge":"-"})") == TokenRefusal::likely));
    BOOST_TEST(
        (refusal_in(R"({"call":"A.3.m","status":"401","challenge":"Basic realm=\"x\""})") ==
         TokenRefusal::likely));
    for (const auto* status : {"200", "403", "404", "500", "502"})
        BOOST_TEST(
            (refusal_in(
                 R"({"call":"A.3.m","status":")" + std::string(status) +
                 R"(","challenge":"Bearer"})") == TokenRefusal::none));
    // nginx asked several servers, and the last one answered.
    BOOST_TEST(
        (refusal_in(R"({"call":"A.3.m","status":"502, 401","challenge":"Bearer"})") ==
         TokenRefusal::certain));
    // A challenge that was cut off still says what it says.
    BOOST_TEST(
        (refusal_in(R"({"call":"A.3.m","status":"401","challenge":"Bearer re)") ==
         TokenRefusal::certain));
    // A server behind writes the challenge, and neither call nor status.
    const auto forged =
        read_call_report(R"({"call":"A.3.m","status":"200",)"
                         R"("challenge":"Bearer \",\"status\":\"401\",\"call\":\"B"})");
    BOOST_REQUIRE(forged.has_value());
    BOOST_TEST(forged->call == "A.3.m");
    BOOST_TEST(forged->status == 200);
    for (const auto* none :
         {"", "{}", R"({"call":"A.3.m"})", R"({"call":"A.3.m","status":"-"})",
          R"({"call":"A.3.m","status":"4x1"})", R"({"status":"401"})"})
        BOOST_TEST_CONTEXT(none) BOOST_TEST(!read_call_report(none));
}

BOOST_AUTO_TEST_CASE(a_refused_token_is_refreshed_before_it_is_handed_out_again, *label("M3")) {
    const auto account = sample_account();
    const auto doubted = after_refused_token(account, 3, TokenRefusal::likely, noon);
    BOOST_REQUIRE(doubted.has_value());
    BOOST_TEST((next_step(account, noon) == AccountStep::hand_out));
    BOOST_TEST((next_step(*doubted, noon) == AccountStep::refresh));
    auto leased = *doubted;
    leased.lease_until = noon + Span(20);
    BOOST_TEST((next_step(leased, noon) == AccountStep::wait));
    // A service that does not refresh may have been wrong about the token.
    auto paused = *doubted;
    paused.retry_at = noon + Span(5);
    BOOST_TEST((next_step(paused, noon) == AccountStep::hand_out));
    auto over = *doubted;
    over.expires_at = noon;
    BOOST_TEST((next_step(over, noon) == AccountStep::refresh));
}

BOOST_AUTO_TEST_CASE(a_refusal_counts_once_and_of_the_present_token_alone, *label("M3")) {
    const auto account = sample_account();
    const auto refused = [&](const LinkedAccount& of, std::int64_t version) {
        return after_refused_token(of, version, TokenRefusal::certain, noon).has_value();
    };
    BOOST_TEST(refused(account, 3));
    BOOST_TEST(!refused(account, 2));
    BOOST_TEST(!refused(account, 4));
    BOOST_TEST(!after_refused_token(account, 3, TokenRefusal::none, noon));
    BOOST_TEST(!refused(after_refused_token(account, 3, TokenRefusal::certain, noon).value(), 3));
    auto ended = account;
    ended.ended_at = noon;
    BOOST_TEST(!refused(ended, 3));
    auto broken = account;
    broken.broken_at = noon;
    BOOST_TEST(!refused(broken, 3));
}

BOOST_AUTO_TEST_CASE(
    without_a_refresh_token_a_certain_refusal_ends_the_connection_and_a_likely_one_comes_twice,
    *label("M3")) {
    auto account = sample_account();
    account.refresh_token.clear();
    const auto certain = after_refused_token(account, 3, TokenRefusal::certain, noon);
    BOOST_REQUIRE(certain.has_value());
    BOOST_TEST((certain->broken_at == noon));
    BOOST_TEST((next_step(*certain, noon) == AccountStep::connect_anew));
    const auto likely = after_refused_token(account, 3, TokenRefusal::likely, noon);
    BOOST_REQUIRE(likely.has_value());
    BOOST_TEST(!likely->broken_at);
    BOOST_TEST((next_step(*likely, noon) == AccountStep::hand_out)); // nothing can be tried
    const auto again = [&](Span after) {
        return after_refused_token(*likely, 3, TokenRefusal::likely, noon + after);
    };
    BOOST_TEST(!again(Span(9)));
    BOOST_REQUIRE(again(Span(10)).has_value());
    BOOST_TEST((again(Span(10))->broken_at == noon + Span(10)));
}

BOOST_AUTO_TEST_CASE(
    the_third_new_token_that_is_refused_within_ten_minutes_stops_it_for_ten, *label("M7")) {
    auto account = sample_account();
    for (int refused = 0; refused < 3; ++refused) {
        account = refused_and_renewed(account, noon + Span(refused * 199));
        BOOST_TEST(!braked_until(account, noon + Span(refused * 199)));
    }
    const auto at = noon + Span(599);
    const auto braked =
        after_refused_token(account, account.version, TokenRefusal::certain, at).value();
    BOOST_TEST((braked_until(braked, at) == at + Span(600)));
    BOOST_TEST((braked_until(braked, at + Span(599)) == at + Span(600)));
    BOOST_TEST(!braked_until(braked, at + Span(600)));
    BOOST_TEST((next_step(braked, at + Span(600)) == AccountStep::refresh));
    BOOST_TEST(!braked_until(braked, at - Span(1))); // a clock was set back
    // The same refusals over a longer time are no reason.
    const auto later =
        after_refused_token(account, account.version, TokenRefusal::certain, noon + Span(600))
            .value();
    BOOST_TEST(later.doubts == 1);
    BOOST_TEST(!braked_until(later, noon + Span(600)));
}

BOOST_AUTO_TEST_CASE(a_client_that_comes_early_is_believed_once_a_minute, *label("M4")) {
    const auto account = sample_account();
    BOOST_TEST(may_have_been_refused(account, noon));
    auto renewed = account;
    renewed.updated_at = noon - Span(59);
    BOOST_TEST(!may_have_been_refused(renewed, noon));
    BOOST_TEST(may_have_been_refused(renewed, noon + Span(1)));
    auto without = account;
    without.refresh_token.clear();
    BOOST_TEST(!may_have_been_refused(without, noon));
    auto broken = account;
    broken.broken_at = noon;
    BOOST_TEST(!may_have_been_refused(broken, noon));
    const auto doubted = after_refused_token(account, 3, TokenRefusal::likely, noon).value();
    BOOST_TEST(!may_have_been_refused(doubted, noon + Span(3600)));
}

BOOST_AUTO_TEST_SUITE_END()
