// The operator reads why a service failed, and nothing of its words that must not be there.
#include "consentgate/core/upstream/service_failure.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

ServiceReply reply_of(
    int status, const std::string& body, const std::string& type = "application/json") {
    return {.answered = true, .status = status, .content_type = type, .body = Secret(body)};
}

std::string reason_of(
    int status, const std::string& body, const std::string& type = "application/json") {
    return failure_of(reply_of(status, body, type)).reason;
}

std::string words(const std::string& written, const std::vector<std::string>& sent = {}) {
    std::vector<Secret> secrets;
    for (const auto& one : sent) secrets.emplace_back(one);
    return words_for_log(written, secrets);
}

} // namespace

BOOST_AUTO_TEST_SUITE(service_failure, *label("XC13"))

BOOST_AUTO_TEST_CASE(every_cause_has_a_word_of_its_own_and_is_found_by_it) {
    for (const auto cause : all_failure_causes)
        BOOST_TEST((failure_cause_of(name_of(cause)) == cause), name_of(cause));
    BOOST_TEST(!failure_cause_of("nothing of the kind").has_value());
}

BOOST_AUTO_TEST_CASE(an_error_of_oauth_is_read_with_its_description) {
    const auto failure = failure_of(reply_of(
        400, R"({"error":"invalid_grant","error_description":"Token has been revoked."})"));
    BOOST_TEST((failure.cause == FailureCause::oauth_error));
    BOOST_TEST(failure.reason == "status 400, invalid_grant: Token has been revoked.");
    BOOST_TEST(
        reason_of(
            200, "error=bad_verification_code&error_description=The+code+is+over",
            "application/x-www-form-urlencoded") ==
        "status 200, bad_verification_code: The code is over");
    BOOST_TEST(
        reason_of(200, R"({"ok":false,"error":"token_revoked"})") == "status 200, token_revoked");
}

BOOST_AUTO_TEST_CASE(a_provider_s_own_members_are_read_and_are_no_error_of_oauth) {
    const auto hubspot =
        failure_of(reply_of(400, R"({"status":"BAD_REFRESH_TOKEN","message":"unknown token"})"));
    BOOST_TEST((hubspot.cause == FailureCause::http_status));
    BOOST_TEST(hubspot.reason == "status 400, BAD_REFRESH_TOKEN: unknown token");
    BOOST_TEST(
        reason_of(
            403, R"({"error":{"code":403,"status":"PERMISSION_DENIED","message":"API is off"}})") ==
        "status 403, PERMISSION_DENIED: API is off");
    BOOST_TEST(reason_of(502, "<html>Bad Gateway</html>", "text/html") == "status 502");
    BOOST_TEST(reason_of(401, "") == "status 401");
    BOOST_TEST(reason_of(500, R"({"code":500})") == "status 500");
}

BOOST_AUTO_TEST_CASE(a_success_is_no_failure_whatever_stands_beside_it) {
    for (const auto* body :
         {"", "{}", R"({"error":null})", R"({"error":""})", R"({"error":0})",
          R"({"error":false,"access_token":"x"})", R"({"message":"welcome"})"})
        BOOST_TEST((failure_of(reply_of(200, body)).cause == FailureCause::none), body);
}

BOOST_AUTO_TEST_CASE(a_connection_that_failed_has_the_reason_of_the_connection) {
    ServiceReply none{.cause = FailureCause::tls_expired, .reason = "its TLS certificate is over"};
    BOOST_TEST((failure_of(none).cause == FailureCause::tls_expired));
    BOOST_TEST(failure_of(none).reason == "its TLS certificate is over");
    none = {.timed_out = true};
    BOOST_TEST((failure_of(none).cause == FailureCause::timeout));
    BOOST_TEST(failure_of(none).reason == "no answer in time");
}

BOOST_AUTO_TEST_CASE(what_a_service_wrote_is_one_line_of_plain_text_and_bounded) {
    BOOST_TEST(words("a\r\nevent=audit\tb\x1b[2J\"c\\d") == "a event=audit b [2J c d");
    BOOST_TEST(words("\xc3\xa9t\xc3\xa9") == "t");
    std::string long_words;
    for (int i = 0; i < 100; ++i) long_words += "word ";
    BOOST_TEST(words(long_words).size() == 200U);
    BOOST_TEST(words(long_words).ends_with("..."));
    BOOST_TEST(words(std::string(1'000'000, ' ')) == "");
}

BOOST_AUTO_TEST_CASE(a_secret_that_was_sent_is_cut_out_in_every_spelling_and_a_word_is_not) {
    BOOST_TEST(words("code abcd is used", {"abcd"}) == "code [cut] is used");
    BOOST_TEST(words("token=a%2Fb%2Bc&x", {"a/b+c"}) == "token=[cut]&x");
    BOOST_TEST(words("abcdabcd abcd", {"abcd"}) == "[cut][cut] [cut]");
    BOOST_TEST(words("[cut] again", {"[cut]"}) == "[cut] again");
    BOOST_TEST(words("a and b", {"a", ""}) == "a and b"); // too short to be one
}

BOOST_AUTO_TEST_CASE(what_looks_like_a_token_is_cut_out_and_what_explains_is_not) {
    for (const auto* token :
         {"xoxe-1-My0xLTEyMzQ1", "ghr_1B4a2e77838347a7E420ce178F2E7c6912E1692",
          "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "0123456789abcdef",
          "8f14e45f-ceea-467a-9575-6f3d9c1b2a10", "abcdefghijklmnopqrstuvwxyzabcdef"})
        BOOST_TEST(words(std::string("bad ") + token + "!") == "bad [cut]!", token);
    for (const auto* plain :
         {"AADSTS70008: expired", "invalid_refresh_token", "2026-11-28", "0123456789abcde",
          "Proof Key for Code Exchange is required for cross-origin"})
        BOOST_TEST(words(plain) == plain);
}

BOOST_AUTO_TEST_CASE(the_secrets_of_a_request_are_its_tokens_its_code_and_our_own) {
    auto service = sample_service();
    const auto has = [](const std::vector<Secret>& all, const std::string& one) {
        return std::any_of(
            all.begin(), all.end(), [&](const Secret& each) { return each.reveal() == one; });
    };
    service.auth = ClientAuth::client_secret_post;
    const auto posted =
        secrets_in(refresh_request(service, Secret("s/e c"), Secret("the refresh+token")));
    BOOST_TEST(has(posted, "the refresh+token"));
    BOOST_TEST(has(posted, "s/e c"));
    BOOST_TEST(!has(posted, service.client_id));
    BOOST_TEST(!has(posted, "refresh_token"));
    service.auth = ClientAuth::client_secret_basic;
    const auto basic = secrets_in(code_request(
        service, Secret("s:e c"), Secret("the code"), Secret(rfc7636_verifier),
        "https://a.example/cb"));
    for (const auto* secret : {"the code", rfc7636_verifier, "s:e c"})
        BOOST_TEST(has(basic, secret), secret);
    BOOST_TEST(!has(basic, "https://a.example/cb"));
}

BOOST_AUTO_TEST_CASE(a_service_that_quotes_our_secrets_brings_none_of_them_into_the_log) {
    const auto request =
        refresh_request(sample_service(), Secret("our-secret"), Secret("their token 1"));
    auto reply = reply_of(
        400, R"({"error":"their token 1","error_description":"you sent their+token+1, )"
             R"(their%20token%201 and their token 1"})");
    reply.sent = secrets_in(request);
    const auto failure = failure_of(reply);
    BOOST_TEST(failure.reason.find("their token 1") == std::string::npos, failure.reason);
    BOOST_TEST(failure.reason.find("their%20token%201") == std::string::npos, failure.reason);
    BOOST_TEST(failure.reason.find("their+token+1") == std::string::npos, failure.reason);
}

BOOST_AUTO_TEST_SUITE_END()
