#include "consentgate/core/upstream/service_options.h"

#include "consentgate/core/upstream/service_discovery.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using core::KeyTrial;
using Texts = std::vector<std::string>;

namespace {

core::ServiceReply reply(const std::string& body, int status = 200) {
    return {
        .answered = true,
        .status = status,
        .content_type = "application/json",
        .body = core::Secret(body),
        .retry_after = {},
        .timed_out = false};
}

// The access token that is read, or the reason why there is none.
std::string token_of(const std::string& body, const std::string& path) {
    const auto read = core::read_token_reply(core::tokens_at_path(reply(body), path));
    return read.tokens ? read.tokens->access_token.reveal() : "none: " + read.reason;
}

} // namespace

BOOST_AUTO_TEST_SUITE(service_options)

BOOST_AUTO_TEST_CASE(a_parameter_of_the_operator_replaces_nothing_that_we_send, *label("XC9")) {
    for (const auto* good :
         {"access_type=offline", "prompt=consent", "user_scope=a,b", "audience=https://x/?y=z",
          "empty=", "acr.values=1"})
        BOOST_TEST(static_cast<bool>(core::check_authorize_parameter(good)), good);
    for (const auto* bad :
         {"access_type", "=x", "", "state=x", "redirect_uri=https://evil.example", "client_id=x",
          "response_type=token", "code_challenge=x", "code_challenge_method=plain", "scope=x",
          "resource=x", "nonce=x", "request=x", "request_uri=x", "response_mode=fragment", "a b=x",
          "a&b=x", "a%62=x", "a=b\nc"})
        BOOST_TEST(!core::check_authorize_parameter(bad), bad);
    BOOST_TEST(!core::check_authorize_parameter("a=" + std::string(1023, 'x')));
    BOOST_TEST(static_cast<bool>(core::check_authorize_parameter("a=" + std::string(1022, 'x'))));
}

BOOST_AUTO_TEST_CASE(a_parameter_that_is_named_again_is_replaced, *label("XC9")) {
    const Texts preset{"access_type=offline", "prompt=consent"};
    BOOST_TEST(
        core::merge_authorize_parameters(preset, {"prompt=none", "hd=x.example"}) ==
        (Texts{"access_type=offline", "prompt=none", "hd=x.example"}));
    BOOST_TEST(
        core::merge_authorize_parameters(preset, {"prompt="}) == (Texts{"access_type=offline"}));
    BOOST_TEST(core::merge_authorize_parameters(preset, {"promp=x"}).size() == 3U);
    BOOST_TEST(core::merge_authorize_parameters(preset, {}) == preset);
}

BOOST_AUTO_TEST_CASE(a_person_is_sent_with_the_operators_parameters, *label("XC9")) {
    auto service = sample_service();
    service.authorize_parameters = {"access_type=offline", "user_scope=a,b c"};
    const auto address =
        core::upstream_authorize_url(service, core::Secret("s"), core::Secret("v"), sample_policy())
            .reveal();
    BOOST_TEST(query_value(address, "access_type") == "offline");
    BOOST_TEST(query_value(address, "user_scope") == "a,b c");
    BOOST_TEST(query_value(address, "state") == "s");
}

BOOST_AUTO_TEST_CASE(tokens_are_read_inside_of_the_object_that_holds_them, *label("XC9")) {
    const std::string slack =
        R"({"ok":true,"access_token":"bot","token_type":"bot","authed_user":)"
        R"({"id":"U1","scope":"a","access_token":"person","token_type":"Bearer"}})";
    BOOST_TEST(token_of(slack, "authed_user") == "person");
    BOOST_TEST(
        token_of(R"({"a":{"b":{"access_token":"deep","token_type":"bearer"}}})", "a.b") == "deep");
    // A refresh is answered at the top.
    BOOST_TEST(token_of(R"({"access_token":"top","token_type":"bearer"})", "authed_user") == "top");
    // The bot's token alone is nobody's.
    BOOST_TEST(
        token_of(
            R"({"ok":true,"access_token":"bot","token_type":"bot","authed_user":{"id":"U1"}})",
            "authed_user")
            .starts_with("none"));
    BOOST_TEST(
        token_of(R"({"error":"invalid_grant","authed_user":{"access_token":"x"}})", "authed_user")
            .starts_with("none"));
    BOOST_TEST(
        token_of(R"({"authed_user":"x","access_token":"top"})", "authed_user") == "top",
        "an odd member is no object");
    BOOST_TEST(token_of("access_token=form&token_type=bearer", "authed_user").starts_with("none"));
}

BOOST_AUTO_TEST_CASE(a_path_is_names_with_dots_between, *label("XC9")) {
    for (const auto* good : {"authed_user", "a.b", "data.token-set"})
        BOOST_TEST(static_cast<bool>(core::check_token_path(good)), good);
    for (const auto* bad : {"", ".", "a.", ".a", "a..b", "a b", "a[0]", "a/b"})
        BOOST_TEST(!core::check_token_path(bad), bad);
}

BOOST_AUTO_TEST_CASE(a_keys_header_has_no_other_meaning, *label("XC9")) {
    for (const auto* good : {"X-API-Key", "api-key", "Authorization", "X-Auth-Token", "DD-API-KEY"})
        BOOST_TEST(static_cast<bool>(core::check_key_header(good)), good);
    for (const auto* bad :
         {"", "X_API_Key", "X API", "X-Key:", "Host", "cookie", "Content-Length", "Connection",
          "Consentgate-Key", "MCP-Session-Id", "Transfer-Encoding", "Sec-Fetch-Site",
          "X-Forwarded-For", "Access-Control-Allow-Origin", "Content-Type"})
        BOOST_TEST(!core::check_key_header(bad), bad);
    BOOST_TEST(!core::check_key_header(std::string(65, 'x')));
}

BOOST_AUTO_TEST_CASE(what_a_person_pastes_is_a_key_when_it_fits_into_a_header, *label("XC9")) {
    BOOST_TEST(core::read_api_key(" sk-123\n")->reveal() == "sk-123");
    BOOST_TEST(core::read_api_key(std::string(4096, 'k')).has_value());
    for (const auto& bad :
         {std::string(), std::string("  "), std::string("a b"), std::string("a\r\nX-Evil: 1"),
          std::string("schl\xc3\xbcssel"), std::string(4097, 'k')})
        BOOST_TEST(!core::read_api_key(bad), bad);
    auto service = sample_service();
    service.key_header = "X-API-Key";
    BOOST_TEST(core::key_header_value(service, core::Secret("k")).reveal() == "k");
    service.key_header = "authorization";
    BOOST_TEST(core::key_header_value(service, core::Secret("k")).reveal() == "Bearer k");
}

BOOST_AUTO_TEST_CASE(only_a_plain_yes_or_no_decides_about_a_key, *label("XC9")) {
    for (const int status : {200, 202, 204})
        BOOST_TEST((core::read_key_trial(reply("", status)) == KeyTrial::good), status);
    for (const int status : {401, 403})
        BOOST_TEST((core::read_key_trial(reply("", status)) == KeyTrial::refused), status);
    for (const int status : {301, 302, 400, 404, 405, 406, 408, 429, 500, 502, 503})
        BOOST_TEST((core::read_key_trial(reply("", status)) == KeyTrial::unknown), status);
    BOOST_TEST((core::read_key_trial({}) == KeyTrial::unknown));
}

BOOST_AUTO_TEST_CASE(for_a_key_a_person_is_sent_to_our_own_page, *label("XC9")) {
    auto service = sample_service();
    service.key_header = "X-API-Key";
    BOOST_TEST(
        core::upstream_authorize_url(service, core::Secret("s"), core::Secret("v"), sample_policy())
            .reveal() == "https://auth.example.org/oauth/consent/key?state=s");
}

BOOST_AUTO_TEST_CASE(a_service_with_keys_has_no_codes_that_could_be_mixed_up, *label("XC9")) {
    const auto good = sample_service("good");
    auto keys = sample_service("keys");
    keys.key_header = "X-API-Key";
    keys.authorization_endpoint = good.authorization_endpoint;
    BOOST_TEST(static_cast<bool>(core::check_origins(keys, {good})));
    BOOST_TEST(static_cast<bool>(core::check_origins(good, {keys})));
}

BOOST_AUTO_TEST_SUITE_END()
