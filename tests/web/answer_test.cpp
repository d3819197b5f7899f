// Every error code in every format: one place turns an Error into a response, and each of these
// must make sense.
#include "consentgate/web/answer.h"

#include "tests/support/web_server.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using core::ErrorCode;
using web::ErrorFormat;

namespace {

constexpr int last_code = static_cast<int>(ErrorCode::server_error);

std::vector<ErrorCode> all_codes() {
    std::vector<ErrorCode> codes;
    for (int i = 0; i <= last_code; ++i) codes.push_back(static_cast<ErrorCode>(i));
    return codes;
}

std::string name_of(ErrorCode code) { return std::string(core::traits(code).name); }

// The errors that a person can correct, on the identity page.
bool fixable(ErrorCode code) {
    return code == ErrorCode::resource_required || code == ErrorCode::identity_required ||
           code == ErrorCode::identity_not_allowed || code == ErrorCode::invalid_virtual_key ||
           code == ErrorCode::invalid_user_id;
}

struct Asked {
    TestServer server;
    web::Request request =
        TestServer::post("/api/oauth/per-user/consent/submit", "flow_id=" + std::string(22, 'f'));

    web::Reply answer(ErrorCode code, ErrorFormat format, const std::string& accept = "") {
        request.accept = accept;
        auto error = core::make_error(
            code, core::PublicMessage{"said \"caf\u00e9\""},
            core::LogDetail{"the reason for the log"}, "param\u00e9");
        return web::answer(error, format, request, server.context, "oauth_consent_submit");
    }
};

// spec: RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3.1, RFC 7591 section 3.2.2, RFC 8707
//       section 2, OpenID Connect Core section 3.1.2.6
const std::set<std::string> rfc_words{
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
    "invalid_scope",
    "invalid_target",
    "invalid_token",
    "invalid_redirect_uri",
    "invalid_client_metadata",
    "access_denied",
    "login_required",
    "request_not_supported",
    "request_uri_not_supported",
    "insufficient_scope",
    "server_error",
    "temporarily_unavailable",
    "interaction_required"};

} // namespace

BOOST_FIXTURE_TEST_SUITE(answer, Asked)

BOOST_AUTO_TEST_CASE(every_code_has_its_own_name_and_an_error_status, *label("S5")) {
    std::set<std::string> names;
    for (const auto code : all_codes()) {
        const auto& known = core::traits(code);
        names.insert(std::string(known.name));
        BOOST_TEST_CONTEXT(known.name) {
            BOOST_TEST((known.status >= 400 && known.status < 600));
            BOOST_TEST(!known.type.empty());
            BOOST_TEST(rfc_words.contains(std::string(known.oauth_error)));
        }
    }
    BOOST_TEST(names.size() == static_cast<std::size_t>(last_code) + 1);
}

BOOST_AUTO_TEST_CASE(the_statuses_are_those_of_the_contract, *label("S2")) {
    const std::vector<std::pair<ErrorCode, int>> fixed{
        {ErrorCode::missing_flow_id, 400},
        {ErrorCode::invalid_flow, 400},
        {ErrorCode::invalid_bearer, 401},
        {ErrorCode::browser_mismatch, 403},
        {ErrorCode::flow_already_submitted, 409},
        {ErrorCode::flow_expired, 410},
        {ErrorCode::store_unavailable, 503},
        {ErrorCode::too_large, 413},
        {ErrorCode::uri_too_long, 414},
        {ErrorCode::unsupported_media_type, 400},
        {ErrorCode::too_many_requests, 429},
        {ErrorCode::method_not_allowed, 405},
        {ErrorCode::not_found, 404},
        {ErrorCode::server_error, 500},
        {ErrorCode::invalid_grant, 400}};
    for (const auto& [code, status] : fixed) {
        BOOST_TEST_CONTEXT(name_of(code))
        BOOST_TEST(answer(code, ErrorFormat::gateway).status == status);
    }
}

BOOST_AUTO_TEST_CASE(
    a_page_is_never_empty_and_always_guarded, *label("U1") * label("U2") * label("A31")) {
    for (const auto code : all_codes()) {
        if (fixable(code)) continue;
        const auto reply = answer(code, ErrorFormat::page, browser_accept);
        BOOST_TEST_CONTEXT(name_of(code)) {
            BOOST_TEST((reply.status >= 400 && reply.status < 600));
            BOOST_TEST(header_of(reply, "Content-Type") == "text/html; charset=utf-8");
            BOOST_TEST(holds(header_of(reply, "Content-Security-Policy"), "default-src 'none'"));
            BOOST_TEST(
                holds(header_of(reply, "Content-Security-Policy"), "frame-ancestors 'none'"));
            BOOST_TEST(header_of(reply, "X-Frame-Options") == "DENY");
            BOOST_TEST(header_of(reply, "Cache-Control") == "no-store");
            BOOST_TEST(header_of(reply, "Referrer-Policy") == "no-referrer");
            BOOST_TEST(holds(reply.body, "<h1>"));
            BOOST_TEST(!holds(reply.body, "<h1></h1>"));
            BOOST_TEST(!holds(reply.body, "<p></p>"));
            BOOST_TEST(holds(reply.body, request.event_id));
            BOOST_TEST(!holds(reply.body, "the reason for the log"));
        }
    }
}

BOOST_AUTO_TEST_CASE(every_error_a_person_can_meet_has_its_own_words, *label("S5")) {
    for (const auto* code :
         {"invalid_request",
          "missing_flow_id",
          "invalid_flow",
          "browser_mismatch",
          "no_cookie",
          "cut_link",
          "flow_already_submitted",
          "flow_expired",
          "invalid_bearer",
          "resource_required",
          "identity_required",
          "invalid_client",
          "invalid_redirect_uri",
          "unsupported_response_type",
          "invalid_scope",
          "invalid_target",
          "unauthorized_client",
          "login_required",
          "access_denied",
          "not_found",
          "method_not_allowed",
          "too_large",
          "uri_too_long",
          "unsupported_media_type",
          "too_many_requests",
          "store_unavailable",
          "server_error"}) {
        for (const auto* part : {".title", ".what", ".next"}) {
            BOOST_TEST_CONTEXT(code << part)
            BOOST_TEST(server.pages.message("en", std::string("error.") + code + part).has_value());
        }
    }
}

BOOST_AUTO_TEST_CASE(the_gateway_shape_has_exactly_its_members_with_their_types, *label("S5")) {
    for (const auto code : all_codes()) {
        if (fixable(code)) continue;
        const auto reply = answer(code, ErrorFormat::gateway);
        const auto body = json_of(reply.body);
        BOOST_TEST_CONTEXT(reply.body) {
            BOOST_TEST(header_of(reply, "Content-Type") == "application/json");
            BOOST_TEST(header_of(reply, "Cache-Control") == "no-store");
            BOOST_TEST(
                members_of(*body) ==
                "event_id type is_bifrost_error status_code error extra_fields");
            BOOST_TEST(member_of(*body, "event_id") == request.event_id);
            BOOST_TEST(member_of(*body, "type") == "error");
            BOOST_TEST(body->flag("is_bifrost_error").value());
            BOOST_TEST(body->integer("status_code").value() == reply.status);
            const auto error = body->object("error");
            BOOST_TEST(members_of(*error) == "type code message param event_id");
            BOOST_TEST(member_of(*error, "code") == name_of(code));
            BOOST_TEST(member_of(*error, "message") == "said  caf   ");
            BOOST_TEST(member_of(*error, "param") == "param  ");
            BOOST_TEST(member_of(*error, "event_id") == request.event_id);
            const auto extra = body->object("extra_fields");
            BOOST_TEST(members_of(*extra) == "provider model_requested request_type");
            BOOST_TEST(member_of(*extra, "provider") == "");
            BOOST_TEST(member_of(*extra, "model_requested") == "");
            BOOST_TEST(member_of(*extra, "request_type") == "oauth_consent_submit");
            BOOST_TEST(!holds(reply.body, "null"));
            BOOST_TEST(!holds(reply.body, "the reason"));
        }
    }
}

BOOST_AUTO_TEST_CASE(
    an_error_with_nothing_to_say_still_has_texts_in_the_gateway_shape, *label("S5")) {
    const auto reply = web::answer(
        core::make_error(ErrorCode::flow_expired, core::PublicMessage{}), ErrorFormat::gateway,
        request, server.context, "x");
    const auto body = json_of(reply.body);
    const auto* error = body->object("error");
    BOOST_TEST(member_of(*error, "message") == "");
    BOOST_TEST(member_of(*error, "param") == "");
}

BOOST_AUTO_TEST_CASE(a_browser_gets_the_page_with_the_same_status, *label("S5")) {
    for (const auto code : all_codes()) {
        if (fixable(code)) continue;
        const auto json = answer(code, ErrorFormat::gateway);
        const auto html = answer(code, ErrorFormat::gateway, browser_accept);
        BOOST_TEST_CONTEXT(name_of(code)) {
            BOOST_TEST(html.status == json.status);
            BOOST_TEST(header_of(html, "Content-Type") == "text/html; charset=utf-8");
        }
    }
}

BOOST_AUTO_TEST_CASE(
    the_oauth_shape_has_only_rfc_words_and_is_never_cached,
    *label("T2") * label("T34") * label("R13") * label("A35")) {
    for (const auto code : all_codes()) {
        if (fixable(code)) continue;
        const auto reply = answer(
            code, ErrorFormat::oauth, browser_accept); // programs get JSON whatever they accept
        const auto body = json_of(reply.body);
        BOOST_TEST_CONTEXT(reply.body) {
            BOOST_TEST(reply.status == core::traits(code).status);
            BOOST_TEST(members_of(*body) == "error error_description");
            BOOST_TEST(rfc_words.contains(member_of(*body, "error")));
            BOOST_TEST(member_of(*body, "error_description") == "said  caf   ");
            BOOST_TEST(header_of(reply, "Content-Type") == "application/json");
            BOOST_TEST(header_of(reply, "Cache-Control") == "no-store");
            BOOST_TEST(header_of(reply, "Pragma") == "no-cache");
        }
    }
}

BOOST_AUTO_TEST_CASE(the_bare_shape_names_the_error, *label("D10")) {
    for (const auto code : all_codes()) {
        if (fixable(code)) continue;
        const auto reply = answer(code, ErrorFormat::json);
        BOOST_TEST_CONTEXT(reply.body) {
            BOOST_TEST(member_of(*json_of(reply.body), "error") == name_of(code));
            BOOST_TEST(reply.status == core::traits(code).status);
        }
    }
}

BOOST_AUTO_TEST_CASE(whoever_failed_by_basic_is_challenged_by_basic, *label("T9")) {
    BOOST_TEST(
        header_of(answer(ErrorCode::invalid_client, ErrorFormat::oauth), "WWW-Authenticate") ==
        "(absent)");
    request.authorization = "Basic YTo=";
    BOOST_TEST(answer(ErrorCode::invalid_client, ErrorFormat::oauth).status == 401);
    BOOST_TEST(header_of(answer(ErrorCode::invalid_client, ErrorFormat::oauth), "WWW-Authenticate")
                   .starts_with("Basic "));
    BOOST_TEST(
        header_of(answer(ErrorCode::invalid_grant, ErrorFormat::oauth), "WWW-Authenticate") ==
        "(absent)");
}

BOOST_AUTO_TEST_CASE(a_bad_bearer_is_challenged_by_bearer, *label("S5")) {
    BOOST_TEST(
        header_of(answer(ErrorCode::invalid_bearer, ErrorFormat::gateway), "WWW-Authenticate")
            .starts_with("Bearer "));
    BOOST_TEST(
        header_of(answer(ErrorCode::browser_mismatch, ErrorFormat::gateway), "WWW-Authenticate") ==
        "(absent)");
}

BOOST_AUTO_TEST_CASE(
    a_person_with_an_unknown_app_gets_400_and_a_program_401, *label("A3") * label("R18")) {
    BOOST_TEST(answer(ErrorCode::invalid_client, ErrorFormat::page, browser_accept).status == 400);
    BOOST_TEST(answer(ErrorCode::invalid_client, ErrorFormat::oauth).status == 401);
}

BOOST_AUTO_TEST_CASE(a_client_that_should_retry_gets_retry_after, *label("S2") * label("T29")) {
    for (const auto format :
         {ErrorFormat::page, ErrorFormat::gateway, ErrorFormat::oauth, ErrorFormat::json}) {
        BOOST_TEST(header_of(answer(ErrorCode::store_unavailable, format), "Retry-After") == "2");
        BOOST_TEST(header_of(answer(ErrorCode::server_error, format), "Retry-After") == "(absent)");
        auto error = core::make_error(ErrorCode::too_many_requests, core::PublicMessage{});
        error.details = core::RetryAfter{17};
        BOOST_TEST(
            header_of(web::answer(error, format, request, server.context, "x"), "Retry-After") ==
            "17");
    }
}

BOOST_AUTO_TEST_CASE(a_mistake_leads_back_to_the_page_with_a_word_of_a_closed_set, *label("S6")) {
    for (const auto code :
         {ErrorCode::resource_required, ErrorCode::identity_required,
          ErrorCode::invalid_virtual_key, ErrorCode::invalid_user_id}) {
        const auto reply = answer(code, ErrorFormat::gateway);
        BOOST_TEST_CONTEXT(name_of(code)) {
            BOOST_TEST(reply.status == 302);
            BOOST_TEST(
                location_of(reply) ==
                "/oauth/consent?flow_id=" + std::string(22, 'f') + "&error=" + name_of(code));
            BOOST_TEST(reply.body.empty());
            BOOST_TEST(header_of(reply, "Cache-Control") == "no-store");
        }
    }
}

BOOST_AUTO_TEST_CASE(
    an_error_bounces_only_where_it_may_and_else_shows_a_link, *label("A26") * label("K10")) {
    const auto bounced = [&](const std::string& uri) {
        auto error =
            core::make_error(ErrorCode::invalid_scope, core::PublicMessage{"none"}, {}, "scope");
        error.back = core::match_redirect(sample_client({uri}), uri, "s", {});
        request.accept = browser_accept;
        return web::answer(error, ErrorFormat::page, request, server.context, "x");
    };
    const auto local = bounced("http://127.0.0.1/cb");
    BOOST_TEST(local.status == 302);
    BOOST_TEST(query_value(location_of(local), "error") == "invalid_scope");
    BOOST_TEST(query_value(location_of(local), "iss") == "https://auth.example.org");
    for (const auto* uri : {"https://c.example/cb", "cursor://x/cb"}) {
        const auto shown = bounced(uri);
        BOOST_TEST_CONTEXT(uri) {
            BOOST_TEST(shown.status == 400);
            BOOST_TEST(location_of(shown) == "(absent)");
            BOOST_TEST(holds(shown.body, std::string("href=\"") + uri + "?error=invalid_scope"));
            BOOST_TEST(holds(shown.body, "state=s&amp;iss="));
        }
    }
}

BOOST_AUTO_TEST_CASE(hostile_details_are_shown_as_text, *label("K29") * label("U6")) {
    auto error = core::make_error(ErrorCode::invalid_redirect_uri, core::PublicMessage{"no"});
    error.details = core::RedirectMismatch{
        "<script>alert(1)</script>", {"https://c.example/\"onload=x", "\u202Egnp", "\xff"}};
    request.accept = browser_accept;
    const auto reply = web::answer(error, ErrorFormat::page, request, server.context, "x");
    BOOST_TEST(!holds(reply.body, "<script"));
    BOOST_TEST(!holds(reply.body, "\"onload"));
    BOOST_TEST(!holds(reply.body, "\u202E"));
    BOOST_TEST(core::valid_utf8(reply.body));
    BOOST_TEST(holds(reply.body, "&lt;script&gt;"));
}

BOOST_AUTO_TEST_CASE(
    what_a_page_quotes_is_one_short_line_marked_as_the_apps, *label("XD6") * label("U6")) {
    auto error = core::make_error(ErrorCode::invalid_redirect_uri, core::PublicMessage{"no"});
    error.details = core::RedirectMismatch{
        "https://evil.test/\nYour account is locked. Call \u2028 0800 1234 \"now\" " +
            std::string(300, 'x'),
        {"https://c.example/" + std::string(300, 'y')}};
    request.accept = browser_accept;
    const auto reply = web::answer(error, ErrorFormat::page, request, server.context, "x");
    BOOST_TEST(holds(
        reply.body,
        "The app asked to be answered at: \u201Chttps://evil.test/%0AYour%20account%20is%20locked."
        "%20Call%20%E2%80%A8%200800%201234%20%22now%22%20x"));
    BOOST_TEST(holds(reply.body, "xx\u2026\u201D"));
    BOOST_TEST(!holds(reply.body, std::string(101, 'x')));
    BOOST_TEST(holds(reply.body, "The app registered: \u201Chttps://c.example/y"));
    BOOST_TEST(!holds(reply.body, std::string(101, 'y')));
}

BOOST_AUTO_TEST_SUITE_END()
