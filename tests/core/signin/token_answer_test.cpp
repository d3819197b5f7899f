#include "consentgate/core/signin/token_answer.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

JsonObject answer() {
    JsonObject body;
    body.set("access_token", "at").set("token_type", "Bearer").set("id_token", "aa.bb.cc");
    return body.set("expires_in", 60);
}

ServiceReply reply(const std::string& body, int status = 200) {
    return {
        .answered = true,
        .status = status,
        .content_type = "application/json",
        .body = Secret(body)};
}
Result<ProviderTokens> read(const JsonObject& body) {
    return read_provider_tokens(reply(json_string(body)));
}
std::string wrong(const JsonObject& body) {
    const auto tokens = read(body);
    return tokens ? "ok" : tokens.error().param;
}
JsonObject with(const std::string& name, Json value) {
    return answer().set(name, std::move(value));
}

} // namespace

BOOST_AUTO_TEST_SUITE(token_answer)

BOOST_AUTO_TEST_CASE(the_tokens_are_read_from_the_answer, *label("SI36")) {
    const auto tokens = read(with("refresh_token", "rt"));
    BOOST_REQUIRE(static_cast<bool>(tokens));
    BOOST_TEST(tokens->access_token.reveal() == "at");
    BOOST_TEST(tokens->id_token.reveal() == "aa.bb.cc");
    BOOST_TEST(tokens->refresh_token->reveal() == "rt");
    BOOST_TEST(!read(answer())->refresh_token);
    BOOST_TEST(!read(with("refresh_token", ""))->refresh_token);
    for (const auto* type : {"Bearer", "bearer", "BEARER"})
        BOOST_TEST(wrong(with("token_type", type)) == "ok");
    BOOST_TEST(wrong(with("error", nullptr)) == "ok");
    BOOST_TEST(wrong(with("error", "invalid_grant")) == "error"); // tokens beside it do not count
}

BOOST_AUTO_TEST_CASE(each_token_that_is_needed_is_there, *label("SI36")) {
    BOOST_TEST(wrong(with("access_token", nullptr)) == "access_token");
    BOOST_TEST(wrong(with("access_token", "")) == "access_token");
    BOOST_TEST(wrong(with("access_token", "a\nb")) == "access_token");
    BOOST_TEST(wrong(with("token_type", nullptr)) == "token_type");
    BOOST_TEST(wrong(with("token_type", "DPoP")) == "token_type");
    BOOST_TEST(wrong(with("id_token", nullptr)) == "id_token");
    BOOST_TEST(wrong(with("id_token", 5)) == "id_token");
    BOOST_TEST(wrong(with("id_token", "aa.bb")) == "id_token");
    BOOST_TEST(wrong(with("id_token", "aa.b b.cc")) == "id_token");
    BOOST_TEST(read(with("id_token", nullptr)).error().reason.find("openid") != std::string::npos);
    BOOST_TEST(
        read(with("id_token", "aa.bb.cc.dd.ee")).error().reason ==
        "the ID token is encrypted: turn encryption off at the provider");
    BOOST_TEST(wrong(with("id_token", "aa.bb." + std::string(128 * 1024 - 6, 'c'))) == "ok");
    BOOST_TEST(wrong(with("id_token", "aa.bb." + std::string(128 * 1024 - 5, 'c'))) == "id_token");
    BOOST_TEST(!read_provider_tokens(reply("access_token=at&token_type=bearer")));
    BOOST_TEST(!read_provider_tokens(reply("<html>")));
}

BOOST_AUTO_TEST_CASE(
    a_provider_that_is_away_is_another_case_than_one_that_refuses, *label("SI36") * label("SI33")) {
    const auto code = [](const ServiceReply& sent) { return code_of(read_provider_tokens(sent)); };
    BOOST_TEST(code(reply(json_string(answer()))) == "ok");
    BOOST_TEST(code({.answered = false, .reason = "refused"}) == "service_unavailable");
    for (const int status : {429, 500, 502, 503})
        BOOST_TEST(code(reply(json_string(answer()), status)) == "service_unavailable");
    for (const int status : {302, 400, 401, 404})
        BOOST_TEST(code(reply(json_string(answer()), status)) == "access_denied");
    BOOST_TEST(code(reply(R"({"error":"invalid_grant"})")) == "access_denied"); // with 200
    auto later = reply("", 503);
    later.retry_after = Span(7);
    BOOST_TEST(read_provider_tokens(later).error().retry_after_seconds() == 7);
}

BOOST_AUTO_TEST_CASE(
    the_log_gets_the_word_of_an_error_and_nothing_of_a_person, *label("SI36") * label("SI16")) {
    const auto reason = [](const std::string& body) {
        return read_provider_tokens(reply(body, 400)).error().reason;
    };
    BOOST_TEST(reason(R"({"error":"invalid_grant"})") == "status 400, invalid_grant");
    BOOST_TEST(
        reason(R"({"error":"invalid_client",)"
               R"("error_description":"AADSTS7000215: Invalid secret for anna@example.org"})") ==
        "status 400, invalid_client, AADSTS7000215");
    BOOST_TEST(reason(R"({"error":"anna@example.org"})") == "status 400, an error of its own");
    BOOST_TEST(reason(R"({"error":{"code":5}})") == "status 400, an error of its own");
    BOOST_TEST(reason("<html>anna</html>") == "status 400");
}

BOOST_AUTO_TEST_SUITE_END()
