// The four sentences that a person reads about an account, and which one is true when.
#include "consentgate/core/upstream/account_standing.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

LinkedAccount account_ending(Span after_noon) {
    LinkedAccount account;
    account.refresh_token = "sealed";
    account.updated_at = noon - Span(3600);
    account.expires_at = noon + after_noon;
    return account;
}

std::string said(const std::optional<LinkedAccount>& account, bool rests = false) {
    return std::string(name_of(standing_of(account, rests, noon)));
}

} // namespace

BOOST_AUTO_TEST_SUITE(account_standing, *label("S7"))

BOOST_AUTO_TEST_CASE(who_has_linked_none_or_ended_it_is_not_connected) {
    BOOST_TEST(said(std::nullopt) == "not_connected");
    auto ended = account_ending(Span(600));
    ended.ended_at = noon;
    BOOST_TEST(said(ended) == "not_connected");
}

BOOST_AUTO_TEST_CASE(a_token_that_is_good_is_connected_though_its_service_fails_or_rests) {
    auto account = account_ending(Span(600));
    BOOST_TEST(said(account) == "connected");
    BOOST_TEST(said(account, true) == "connected");
    account.failures = 3;
    account.retry_at = noon + Span(5);
    BOOST_TEST(said(account) == "connected");
}

BOOST_AUTO_TEST_CASE(a_token_that_is_over_is_connected_until_refreshing_it_fails) {
    auto account = account_ending(Span(-1));
    BOOST_TEST(said(account) == "connected");
    BOOST_TEST(said(account, true) == "not_answering");
    account.failures = 1;
    BOOST_TEST(said(account) == "not_answering");
}

BOOST_AUTO_TEST_CASE(what_the_service_refused_needs_the_person_and_nothing_else_helps) {
    auto account = account_ending(Span(600));
    account.broken_at = noon;
    BOOST_TEST(said(account) == "needs_person");
    BOOST_TEST(said(account, true) == "needs_person");
    auto spent = account_ending(Span(-1));
    spent.refresh_token.clear();
    BOOST_TEST(said(spent) == "needs_person");
}

BOOST_AUTO_TEST_SUITE_END()
