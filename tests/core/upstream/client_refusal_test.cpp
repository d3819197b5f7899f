#include "consentgate/core/upstream/client_refusal.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;
using Step = ClientRefusalStep;

namespace {

Service registered_service() {
    auto service = sample_service();
    service.registration = Registration::dynamic;
    service.registration_endpoint = "https://notion.example/register";
    return service;
}

Step step(const Service& service, Span after = Span(0)) {
    return step_after_client_refusal(service, noon + after);
}

} // namespace

BOOST_AUTO_TEST_SUITE(client_refusal)

BOOST_AUTO_TEST_CASE(a_refusal_of_us_must_come_again_after_a_pause, *label("XC5")) {
    const auto service = registered_service();
    BOOST_TEST((step(service) == Step::remember));
    const auto doubted = with_client_refused(service, noon);
    BOOST_TEST((step(doubted) == Step::wait));
    BOOST_TEST((step(doubted, Span(59)) == Step::wait));
    BOOST_TEST((step(doubted, Span(60)) == Step::ask));
    BOOST_TEST((step(with_client_known(doubted), Span(60)) == Step::remember));
    BOOST_TEST((step(doubted, Span(-1)) == Step::remember)); // a clock was set back
}

BOOST_AUTO_TEST_CASE(an_answer_about_a_made_up_code_says_whether_we_are_known, *label("XC5")) {
    const auto said = [](int status, const std::string& body) {
        return answer_about_us(read_token_reply(
            {.answered = true,
             .status = status,
             .content_type = "application/json",
             .body = Secret(body)}));
    };
    BOOST_TEST((said(403, R"({"error":"unauthorized_client"})") == UpstreamError::client_refused));
    BOOST_TEST((said(401, R"({"error":"invalid_client"})") == UpstreamError::client_refused));
    BOOST_TEST((said(400, R"({"error":"invalid_grant"})") == UpstreamError::refused));
    BOOST_TEST((said(403, "<h1>Forbidden</h1>") == UpstreamError::unavailable));
    // About a token it is a word that nobody is sure of.
    const auto token = read_token_reply(
        {.answered = true,
         .status = 400,
         .content_type = "application/json",
         .body = Secret(R"({"error":"unauthorized_client"})")});
    BOOST_TEST((token.error == UpstreamError::odd_refusal));
}

BOOST_AUTO_TEST_CASE(we_register_anew_once_an_hour_at_most, *label("XC5")) {
    const auto at = noon + Span(60);
    const auto service = with_registration_after(
        with_client_refused(registered_service(), noon), at + registers_every);
    BOOST_TEST((step(service, Span(60)) == Step::wait));
    BOOST_TEST((step(service, Span(60 + 3599)) == Step::wait));
    BOOST_TEST((step(service, Span(60 + 3600)) == Step::ask));
    // Written before the clock was set back by a day.
    const auto jumped = with_registration_after(service, noon + Span(86400));
    BOOST_TEST((step(jumped, Span(60)) == Step::ask));
}

BOOST_AUTO_TEST_CASE(a_client_that_we_cannot_replace_is_left_as_it_is, *label("XC5")) {
    for (const auto registration : {Registration::given, Registration::document}) {
        auto service = with_client_refused(registered_service(), noon);
        service.registration = registration;
        BOOST_TEST((step(service, Span(86400)) == Step::leave));
    }
    auto closed = with_client_refused(registered_service(), noon);
    closed.registration_endpoint.clear();
    BOOST_TEST((step(closed, Span(86400)) == Step::leave));
}

BOOST_AUTO_TEST_SUITE_END()
