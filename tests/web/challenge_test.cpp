// The challenge of a refused call.
#include "consentgate/web/challenge.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_AUTO_TEST_CASE(
    a_challenge_says_where_and_for_what_and_an_error_only_to_who_came_with_a_token,
    *label("C2") * label("C3") * label("C4") * label("C5")) {
    BOOST_TEST(
        web::bearer_challenge("https://h/mcp", scopes("mcp profile"), nullptr) ==
        "Bearer resource_metadata=\"https://h/.well-known/oauth-protected-resource/mcp\", "
        "scope=\"mcp profile\"");
    const auto error = core::make_error(
        core::ErrorCode::invalid_bearer, core::PublicMessage{"not \"valid\"\r\nX: y"});
    const auto challenge = web::bearer_challenge("https://h/mcp", scopes("mcp"), &error);
    BOOST_TEST(
        challenge ==
        "Bearer resource_metadata=\"https://h/.well-known/oauth-protected-resource/mcp\", "
        "scope=\"mcp\", error=\"invalid_token\", error_description=\"not  valid   X: y\"");
}

BOOST_AUTO_TEST_CASE(who_must_connect_an_account_is_sent_to_sign_in_anew, *label("C5")) {
    const auto error = core::make_error(
        core::ErrorCode::interaction_required, core::PublicMessage{"connect first"});
    BOOST_TEST(web::gate_status(error) == 401);
    BOOST_TEST(
        web::bearer_challenge("https://h/mcp", scopes("mcp"), &error)
            .find("error=\"invalid_token\"") != std::string::npos);
}
