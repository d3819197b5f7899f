// src/core/upstream/upstream_reply.cpp and what it uses: token endpoints answer as providers,
// gateways and errors make them, in place of what the RFCs say.
#include "consentgate/core/upstream/upstream.h"

#include "tests/support/requests.h"
#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

constexpr auto refused = UpstreamError::refused, odd = UpstreamError::odd_refusal,
               client = UpstreamError::client_refused, target = UpstreamError::resource_refused,
               away = UpstreamError::unavailable;

struct Refusal {
    UpstreamError meaning;
    int status;
    const char* body;
    const char* type = "application/json";
};

TokenReply replied(const std::string& body, int status, const std::string& type) {
    return read_token_reply({true, status, type, Secret(body)});
}

TokenReply granted(const std::string& members, int status = 200) {
    return replied(R"({"access_token":"at")" + members + "}", status, "application/json");
}

// A token of that payload, with a signature that nobody looks at.
std::string jwt(const std::string& payload) {
    return to_base64url(R"({"alg":"RS256"})") + "." + to_base64url(payload) + "." +
           to_base64url("signature");
}

std::optional<Span> life_of(const std::string& access, const std::string& members = "") {
    const auto reply =
        replied(R"({"access_token":")" + access + "\"" + members + "}", 200, "application/json");
    const auto ends = expiry_of(reply.tokens.value(), noon);
    return ends ? std::optional(*ends - noon) : std::nullopt;
}

constexpr const char* html = "<html><h1>Attention Required!</h1></html>";

const Refusal somebody_between_us[] = {
    {away, 401, html, "text/html"},
    {away, 401, "", ""},
    {away, 401, R"({"message":"Unauthorized"})"},
    {away, 401, R"({"error":"Unauthorized","status":401,"path":"/token"})"},
    {away, 401, R"({"error":"invalid_token"})"},
    {away, 401, R"({"error":{"code":401,"status":"UNAUTHENTICATED"}})"},
    {away, 403, html, "text/html"},
    {away, 403, "", ""},
    {away, 403, R"({"message":"Forbidden"})"},
    {away, 403, "error code: 1020", "text/plain"},
    {away, 407, "", ""},
    {away, 408, "", ""},
    {away, 425, "", ""},
    {away, 429, R"({"error":"too_many"})"},
    {away, 429, html, "text/html"},
    {away, 500, R"({"error":"what"})"},
    {away, 502, html, "text/html"},
    {away, 503, R"({"error":"invalid_client"})"},
    {away, 504, "", ""},
    {away, 302, "", ""},
    {away, 404, html, "text/html"},
    {away, 405, "", ""},
    {away, 200, html, "text/html"},
    {away, 200, "", ""},
    {away, 200, "{}"},
    {away, 200, R"({"error":false})"},
    {away, 200, R"({"ok":false,"error":"ratelimited"})"},
    {away, 400, R"({"error":"temporarily_unavailable"})"},
    {away, 400, R"({"error":"server_error"})"}};

const Refusal dead_in_other_words[] = {
    {refused, 400, R"({"error":"invalid_grant"})"},
    {refused, 401, R"({"error":"invalid_grant"})"},
    {refused, 403, R"({"error":"invalid_grant"})"},
    {refused, 400, R"({"error":"INVALID_GRANT"})"},
    {refused, 400, R"({"error":" invalid_grant "})"},
    {refused, 400, "\xef\xbb\xbf{\"error\":\"invalid_grant\"}"},
    {refused, 400, "error=invalid_grant", "application/x-www-form-urlencoded"},
    {refused, 200, R"({"ok":false,"error":"invalid_refresh_token"})"},
    {refused, 200, R"({"ok":false,"error":"token_revoked"})"},
    {refused, 200, R"({"ok":false,"error":"token_expired"})"},
    {refused, 200, R"({"ok":false,"error":"account_inactive"})"},
    {refused, 400, R"({"status":"BAD_REFRESH_TOKEN","message":"unknown refresh token"})"},
    {refused, 400, R"({"error":"bad","status":"BAD_REFRESH_TOKEN"})"},
    {refused, 400, R"({"status":"BAD_AUTH_CODE"})"},
    {refused, 200, R"({"error":"bad_refresh_token"})"},
    {refused, 400, R"({"error":"interaction_required"})"},
    {refused, 400, R"({"error":"login_required"})"},
    {refused, 400, R"({"error":"consent_required"})"},
    {refused, 400, R"({"error":"inactive_user"})"},
    {refused, 400, R"({"error":{"type":"x","code":"invalid_grant"}})"},
    {refused, 400, R"({"error":["invalid_grant"]})"},
    {refused, 400, "", ""},
    {refused, 400, " \n", "text/html"}};

const Refusal dead_in_words_that_nobody_knows[] = {
    {odd, 400, R"({"error":"refresh_token_gone"})"},
    {odd, 400, R"({"message":"no such token"})"},
    {odd, 400, R"({"error":{"message":"no such token"}})"},
    {odd, 400, R"({"error":true})"},
    {odd, 400, R"({"error":1})"},
    {odd, 400, html, "text/html"},
    {odd, 400, "Bad token", "text/plain"},
    {odd, 422, R"({"message":"Unprocessable"})"},
    {odd, 409, "", ""},
    {odd, 410, "", ""},
    {odd, 404, R"({"error":"token_not_found"})"},
    {odd, 200, R"({"ok":false,"error":"no_such_thing"})"},
    {odd, 400, R"({"error":"invalid_request"})"},
    {odd, 401, R"({"error":"invalid_request","reason":"Invalid Token!"})"},
    {odd, 400, R"({"error":"invalid_scope"})"},
    {odd, 400, R"({"error":"unsupported_grant_type"})"},
    {odd, 403, R"({"error":"unauthorized_client","error_description":"refresh_token is invalid"})"},
    {odd, 403, R"({"error":"access_denied"})"},
    {odd, 500, R"({"error":"invalid_grant"})"},
    {odd, 429, R"({"error":"invalid_grant"})"}};

const Refusal about_us_or_the_resource[] = {
    {client, 401, R"({"error":"invalid_client"})"},
    {client, 400, R"({"error":"invalid_client"})"},
    {client, 403, R"({"error":"invalid_client"})"},
    {client, 200, R"({"error":"incorrect_client_credentials"})"},
    {client, 200, R"({"ok":false,"error":"bad_client_secret"})"},
    {client, 400, R"({"status":"BAD_CLIENT_ID"})"},
    {client, 400, R"({"error":"invalid_client_id"})"},
    {target, 400, R"({"error":"invalid_target"})"},
    {target, 400, R"({"error":"invalid_resource"})"},
    {target, 400,
     R"({"error":"invalid_request","error_description":"The 'Resource' parameter is unknown."})"},
    {odd, 400,
     R"({"error":"invalid_request","error_description":"The resource owner is unknown."})"}};

void check(const Refusal& refusal) {
    const auto reply = replied(refusal.body, refusal.status, refusal.type);
    BOOST_TEST_CONTEXT(refusal.status << ' ' << refusal.type << ' ' << refusal.body) {
        BOOST_TEST(!reply.tokens.has_value());
        BOOST_TEST((reply.error == refusal.meaning));
        BOOST_TEST(!reply.reason.empty());
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(token_replies)

BOOST_AUTO_TEST_CASE(who_stands_between_us_and_a_service_ends_nothing, *label("XC5")) {
    for (const auto& one : somebody_between_us) check(one);
}

BOOST_AUTO_TEST_CASE(a_dead_token_is_known_by_the_words_of_providers, *label("XC6")) {
    for (const auto& one : dead_in_other_words) check(one);
}

BOOST_AUTO_TEST_CASE(words_that_nobody_knows_must_come_again, *label("XC6")) {
    for (const auto& one : dead_in_words_that_nobody_knows) check(one);
}

BOOST_AUTO_TEST_CASE(
    what_is_said_of_us_or_of_the_resource_is_not_said_of_the_token, *label("XC10")) {
    for (const auto& one : about_us_or_the_resource) check(one);
}

BOOST_AUTO_TEST_CASE(tokens_come_however_oddly_they_are_wrapped, *label("XC11")) {
    for (const auto* members :
         {R"(,"token_type":"Bearer")",
          R"(,"token_type":"BEARER ")",
          R"(,"token_type":"bot")",
          R"(,"token_type":"user")",
          R"(,"token_type":"access_token")",
          R"(,"token_type":"")",
          R"(,"token_type":null)",
          R"(,"token_type":7)",
          R"(,"token_type":{})",
          "",
          R"(,"error":0)",
          R"(,"error":false)",
          R"(,"error":null)",
          R"(,"error":"")",
          R"(,"error":[])",
          R"(,"error":{})",
          R"(,"error":"0")",
          R"(,"error":"None")",
          R"(,"expires_in":"never")",
          R"(,"expires_in":{})",
          R"(,"expires_in":-1)",
          R"(,"expires_in":1e30)",
          R"(,"scope":7)",
          R"(,"scope":null)",
          R"(,"scope":{"a":1})",
          R"(,"refresh_token":null)",
          R"(,"refresh_token":"")",
          R"(,"refresh_token":{})",
          R"(,"id_token":[1])",
          R"(,"status":"error","code":"invalid_grant")"}) {
        BOOST_TEST_CONTEXT(members)
        BOOST_TEST(granted(members).tokens.has_value());
    }
    for (const int status : {200, 201, 202, 203})
        BOOST_TEST(granted("", status).tokens.has_value(), status);
    for (const int status : {199, 300, 400, 500})
        BOOST_TEST(!granted("", status).tokens.has_value(), status);
    BOOST_TEST(
        replied("\xef\xbb\xbf{\"access_token\":\"at\"}", 200, "text/html").tokens.has_value());
    BOOST_TEST(replied("\r\n {\"access_token\":\"at\"}\n", 200, "").tokens.has_value());
    BOOST_TEST(granted(R"(,"scope":["a","b"])").tokens->scope == "a b");
    for (const auto* bound : {"mac", "DPoP", "pop"}) {
        const auto reply = granted(std::string(R"(,"token_type":")") + bound + "\"");
        BOOST_TEST(!reply.tokens.has_value(), bound);
        BOOST_TEST((reply.error == away));
    }
    BOOST_TEST(!granted(R"(,"error":"no")").tokens.has_value());
}

BOOST_AUTO_TEST_CASE(
    a_refresh_token_that_was_rotated_is_kept_whatever_came_with_it, *label("XC11")) {
    const auto rotated = [](const std::string& members, int status = 200) {
        const auto reply =
            replied(R"({"refresh_token":"next")" + members + "}", status, "application/json");
        if (reply.tokens) return reply.tokens->refresh_token.value().reveal();
        return reply.rotated ? reply.rotated->reveal() : std::string();
    };
    for (const auto* members :
         {R"(,"access_token":"at")", R"(,"access_token":"at","expires_in":[],"scope":3)", "",
          R"(,"access_token":"")", R"(,"access_token":null)", R"(,"access_token":"two words")",
          R"(,"access_token":"at","token_type":"dpop")"})
        BOOST_TEST(rotated(members) == "next", members);
    // A token beside an error was not given to us.
    BOOST_TEST(rotated(R"(,"error":"invalid_grant")") == "");
    BOOST_TEST(rotated("", 400) == "");
    BOOST_TEST(rotated("", 500) == "");
}

BOOST_AUTO_TEST_CASE(a_token_ends_when_the_service_or_the_token_says, *label("XC7")) {
    const auto at = [](std::int64_t after) { return std::to_string(epoch(noon) + after); };
    BOOST_TEST((life_of("opaque", R"(,"expires_in":60)") == Span(60)));
    BOOST_TEST((life_of("opaque", R"(,"expires_in":" 60 ")") == Span(60)));
    BOOST_TEST((life_of("opaque", R"(,"expires_in":60.9)") == Span(60)));
    BOOST_TEST(!life_of("opaque").has_value());
    BOOST_TEST(!life_of("opaque", R"(,"expires_in":0)").has_value());
    BOOST_TEST((life_of(jwt(R"({"exp":)" + at(600) + "}")) == Span(600)));
    BOOST_TEST((life_of(jwt(R"({"exp":)" + at(600) + ".5}")) == Span(600)));
    BOOST_TEST((life_of(jwt(R"({"exp":)" + at(600) + "}"), R"(,"expires_in":0)") == Span(600)));
    BOOST_TEST((life_of(jwt(R"({"exp":)" + at(600) + "}"), R"(,"expires_in":60)") == Span(60)));
    for (const auto& odd_token :
         {jwt(R"({"exp":)" + at(0) + "}"), jwt(R"({"exp":)" + at(-9) + "}"),
          jwt(R"({"exp":"soon"})"), jwt(R"({"exp":9223372036854775807})"), jwt(R"({"exp":1e300})"),
          jwt(R"({"exp":-9223372036854775807})"), jwt("{}"), jwt("[]"), jwt(""),
          std::string("ey.!!.x"), std::string("a.b.c"), std::string("ey..")})
        BOOST_TEST(!life_of(odd_token).has_value(), odd_token);
}

BOOST_AUTO_TEST_CASE(a_revocation_that_did_not_arrive_is_tried_again, *label("XC5")) {
    const auto read = [](int status, const std::string& body = "") {
        return read_revocation_reply({true, status, "application/json", Secret(body)});
    };
    for (const int status : {200, 202, 204})
        BOOST_TEST((read(status) == Revocation::revoked), status);
    for (const int status : {401, 403, 408, 425, 429, 500, 502, 503})
        BOOST_TEST((read(status) == Revocation::unavailable), status);
    for (const int status : {400, 404, 405})
        BOOST_TEST((read(status) == Revocation::refused), status);
    BOOST_TEST((read(401, R"({"error":"invalid_client"})") == Revocation::refused));
    BOOST_TEST((read(403, "<html>") == Revocation::unavailable));
    BOOST_TEST((read_revocation_reply({}) == Revocation::unavailable));
}

BOOST_AUTO_TEST_CASE(a_service_that_refuses_resource_is_not_sent_it_again, *label("XC10")) {
    auto service = sample_service();
    service.resource = service.url;
    const auto sent = [&](const ServiceRequest& request) {
        return form_of(request.form.reveal()).count("resource");
    };
    const auto code = [&] {
        return code_request(service, Secret("s"), Secret("c"), Secret("v"), "https://a.example");
    };
    BOOST_TEST(sent(refresh_request(service, Secret("s"), Secret("r"))) == 1U);
    BOOST_TEST(sent(code()) == 1U);
    service.resource_refused = true;
    BOOST_TEST(sent(refresh_request(service, Secret("s"), Secret("r"))) == 0U);
    BOOST_TEST(sent(code()) == 0U);
    // Where people are sent it stays: there are services whose tokens are good for nothing without.
    const auto url =
        upstream_authorize_url(service, Secret("s"), Secret(rfc7636_verifier), sample_policy());
    BOOST_TEST(url.reveal().find("resource=") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
