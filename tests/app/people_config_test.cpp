// Tests src/app/config_keys.cpp: the keys that say who comes in.
#include "configured.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_FIXTURE_TEST_SUITE(people_config, Configured)

BOOST_AUTO_TEST_CASE(who_comes_in_is_a_list_of_kinds_or_any, *label("XA1")) {
    const auto identities = [&](const std::string& value, const std::string& more = "") {
        return with("identities = " + value + more).policy.identities.text();
    };
    BOOST_TEST(identities("any") == "any");
    BOOST_TEST(identities("user_id") == "user_id");
    BOOST_TEST(identities("user_id  virtual_key user_id") == "virtual_key user_id");
    BOOST_TEST(identities("skipped user_id verified_user virtual_key") == "any");
    for (const auto* bad : {"", "all", "any user_id", "none", "Virtual_key", "virtual_key,user_id"})
        BOOST_TEST_CONTEXT(bad)
    BOOST_TEST(holds(problems_with("identities = " + std::string(bad)), "identities must be any"));
    // The older key is a word for "without skipped", wherever it stands.
    const std::string enforce = "\nenforce_auth_on_inference = true";
    BOOST_TEST(identities("any", enforce) == "virtual_key verified_user user_id");
    BOOST_TEST(
        with("enforce_auth_on_inference = true\nidentities = any").policy.identities.text() ==
        "virtual_key verified_user user_id");
    BOOST_TEST(identities("user_id", enforce) == "user_id");
    BOOST_TEST(identities("skipped", enforce) == "");
    BOOST_TEST(
        with("enforce_auth_on_inference = false").policy.identities.text() ==
        "virtual_key verified_user");
}

BOOST_AUTO_TEST_CASE(the_guarded_servers_are_published_unless_the_operator_says_no, *label("N2")) {
    BOOST_TEST(with("").policy.publish_resources);
    BOOST_TEST(with("publish_resources = on").policy.publish_resources);
    BOOST_TEST(!with("publish_resources = off").policy.publish_resources);
    BOOST_TEST(holds(problems_with("publish_resources = true"), "must be on or off"));
}

BOOST_AUTO_TEST_CASE(signing_in_lasts_as_long_as_the_operator_says, *label("SI11")) {
    const auto standard = with("").policy;
    BOOST_TEST((standard.signin_lifetime == core::Span(12 * 3600)));
    BOOST_TEST((standard.signin_max_age == core::Span(30 * 86400)));
    BOOST_TEST(!standard.signin_straight);
    BOOST_TEST(standard.access_contact == "");
    const auto changed = with("signin_hours = 1\nsignin_max_age_days = 7\nsignin_straight = yes\n"
                              "access_contact = Ask it@example.org")
                             .policy;
    BOOST_TEST((changed.signin_lifetime == core::Span(3600)));
    BOOST_TEST((changed.signin_max_age == core::Span(7 * 86400)));
    BOOST_TEST(changed.signin_straight);
    BOOST_TEST(changed.access_contact == "Ask it@example.org");
    BOOST_TEST(holds(problems_with("signin_hours = 0"), "signin_hours must be a number from 1"));
    BOOST_TEST(holds(problems_with("signin_max_age_days = 366"), "must be a number from 1 to 365"));
    BOOST_TEST(holds(problems_with("signin_straight = true"), "must be yes or no"));
    BOOST_TEST(holds(problems_with("access_contact = " + std::string(201, 'a')), "at most 200"));
}

BOOST_AUTO_TEST_CASE(a_consent_is_remembered_only_where_the_operator_says_so, *label("XA5")) {
    using core::RememberConsent;
    BOOST_TEST((with("").policy.remember_consent == RememberConsent::never));
    BOOST_TEST(
        (with("remember_consent = https").policy.remember_consent == RememberConsent::https));
    BOOST_TEST(
        (with("remember_consent = always").policy.remember_consent == RememberConsent::always));
    BOOST_TEST(holds(problems_with("remember_consent = true"), "must be never, https or always"));
}

BOOST_AUTO_TEST_SUITE_END()
