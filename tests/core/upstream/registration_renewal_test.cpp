#include "consentgate/core/upstream/registration_renewal.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using core::SecretRenewal;
using core::Span;

namespace {

constexpr Span hour{3600}, day{86400};

core::Service registered() {
    auto service = sample_service();
    service.registration = core::Registration::dynamic;
    service.registration_endpoint = "https://notion.example/register";
    service.client_secret = "sealed";
    service.client_secret_expires_at = noon + 30 * day;
    return service;
}

core::Registered answer(const std::string& more) {
    return *core::read_registration(
        R"({"client_id":"c","client_secret":"s")" + more + "}",
        core::ClientAuth::client_secret_basic);
}

} // namespace

BOOST_AUTO_TEST_SUITE(registration_renewal)

BOOST_AUTO_TEST_CASE(
    a_secret_is_renewed_in_the_last_third_of_its_life_and_three_days_ahead_at_most, *label("XC8")) {
    BOOST_TEST(!core::renewal_time(std::nullopt, noon));
    BOOST_TEST((*core::renewal_time(noon + 30 * day, noon) == noon + 27 * day));
    BOOST_TEST((*core::renewal_time(noon + 3 * day, noon) == noon + 2 * day));
    BOOST_TEST((*core::renewal_time(noon + Span(60), noon) == noon + hour), "never all the time");
    BOOST_TEST((*core::renewal_time(noon - day, noon) == noon + hour), "it has ended before");
}

BOOST_AUTO_TEST_CASE(an_answer_says_when_its_secret_ends, *label("XC8")) {
    BOOST_TEST(!core::secret_end(answer("")));
    BOOST_TEST(!core::secret_end(answer(R"(,"client_secret_expires_at":0)")));
    BOOST_TEST(!core::secret_end(answer(R"(,"client_secret_expires_at":-5)")));
    BOOST_TEST(!core::secret_end(answer(R"(,"client_secret_expires_at":"soon")")));
    BOOST_TEST(!core::secret_end(answer(R"(,"client_secret_expires_at":9000000000000000)")));
    BOOST_TEST((
        *core::secret_end(answer(R"(,"client_secret_expires_at":1800000060)")) == noon + Span(60)));
}

BOOST_AUTO_TEST_CASE(a_registration_is_managed_only_where_it_was_made, *label("XC8")) {
    const auto managed = answer(R"(,"registration_client_uri":"https://notion.example/register/c",)"
                                R"("registration_access_token":"token")");
    BOOST_TEST(managed.client_uri == "https://notion.example/register/c");
    BOOST_TEST(managed.access_token.reveal() == "token");
    for (const auto* useless :
         {R"(,"registration_client_uri":"https://notion.example/register/c")",
          R"(,"registration_client_uri":"http://notion.example/c","registration_access_token":"t")",
          R"(,"registration_client_uri":"https://n.example/c","registration_access_token":"a b")",
          R"(,"registration_client_uri":7,"registration_access_token":"t")"})
        BOOST_TEST(answer(useless).client_uri.empty(), useless);
    const auto service = registered();
    BOOST_TEST(core::may_manage(service, "https://NOTION.example:443/other"));
    BOOST_TEST(!core::may_manage(service, "https://evil.example/register/c"));
    BOOST_TEST(!core::may_manage(service, ""));
    BOOST_TEST(!core::may_manage(sample_service(), "https://notion.example/c"));
}

BOOST_AUTO_TEST_CASE(an_update_names_the_client_and_all_of_its_registration, *label("XC8")) {
    auto service = registered();
    service.auth = core::ClientAuth::client_secret_post;
    const auto body = core::parse_json_object(
        core::renewal_request(sample_policy(), service, core::Secret("now")));
    BOOST_TEST(body->text("client_id").value() == "ours");
    BOOST_TEST(body->text("client_secret").value() == "now");
    BOOST_TEST(body->text("token_endpoint_auth_method").value() == "client_secret_post");
    BOOST_TEST(body->texts("redirect_uris")->size() == 1U);
    // RFC 7592 section 2.2: these must not be there.
    for (const auto* absent :
         {"registration_access_token", "registration_client_uri", "client_secret_expires_at",
          "client_id_issued_at"})
        BOOST_TEST(!body->has(absent), absent);
}

BOOST_AUTO_TEST_CASE(the_operator_reads_how_a_secret_is_renewed, *label("XC8")) {
    auto service = registered();
    BOOST_TEST((core::renewal_of(service) == SecretRenewal::anew));
    service.registration_client_uri = "https://notion.example/register/c";
    BOOST_TEST((core::renewal_of(service) == SecretRenewal::managed));
    service.registration = core::Registration::given;
    BOOST_TEST((core::renewal_of(service) == SecretRenewal::by_hand));
    service.client_secret_expires_at.reset();
    BOOST_TEST((core::renewal_of(service) == SecretRenewal::unneeded));
    service = registered();
    service.client_secret.clear();
    BOOST_TEST((core::renewal_of(service) == SecretRenewal::unneeded));
}

BOOST_AUTO_TEST_SUITE_END()
