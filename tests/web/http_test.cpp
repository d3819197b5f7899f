#include "consentgate/web/guard.h"

#include "tests/support/web_server.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

web::Request with_cookie(const std::string& cookie) {
    web::Request request;
    request.cookie = cookie;
    return request;
}

std::string secret_in(const std::string& cookie) {
    const auto secret = web::browser_secret(with_cookie(cookie), "b");
    return secret ? secret->reveal() : "(none)";
}

bool html_for(const std::string& accept) {
    web::Request request;
    request.accept = accept;
    return web::prefers_html(request);
}

const std::string value(43, 'x');

} // namespace

BOOST_AUTO_TEST_SUITE(http)

// ---- replies as bytes
BOOST_AUTO_TEST_CASE(a_reply_begins_with_its_status_and_states_its_length) {
    web::Reply reply{404, {{"Content-Type", "text/plain"}}, "gone"};
    BOOST_TEST(
        web::serialize(reply, true) ==
        "Status: 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\ngone");
    BOOST_TEST(
        web::serialize(reply, false) ==
        "Status: 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n");
}

// spec: RFC 9110 section 8.6
BOOST_AUTO_TEST_CASE(a_reply_without_content_has_no_length) {
    BOOST_TEST(web::serialize({204, {}, ""}, true) == "Status: 204 No Content\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(the_status_comes_first_whatever_the_headers_are, *label("C12")) {
    for (const int status :
         {200, 201, 302, 400, 401, 403, 404, 405, 409, 410, 413, 414, 429, 500, 503}) {
        web::Reply reply{status, {}, ""};
        reply.header("WWW-Authenticate", "Bearer").header("A", "b");
        const auto text = web::serialize(reply, true);
        BOOST_TEST_CONTEXT(status) {
            BOOST_TEST(text.starts_with("Status: " + std::to_string(status) + " "));
            BOOST_TEST(!holds(text, "???"));
        }
    }
}

BOOST_AUTO_TEST_CASE(no_value_can_open_another_header, *label("C12") * label("K29")) {
    for (const std::string hostile :
         {"a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1", "\r\n\r\n<script>", "\x7f"}) {
        web::Reply reply{302, {}, ""};
        reply.header("Location", hostile);
        const auto text = web::serialize(reply, true);
        BOOST_TEST_CONTEXT(core::to_hex(hostile)) {
            BOOST_TEST(
                core::split(text, '\n').size() == 4U); // status, location, length, the empty line
            BOOST_TEST(!holds(text, "\nX-Evil"));
            BOOST_TEST(text.ends_with("\r\nContent-Length: 0\r\n\r\n"));
        }
    }
}

// ---- cookies
BOOST_AUTO_TEST_CASE(the_browser_secret_is_found_among_other_cookies) {
    BOOST_TEST(secret_in("b=" + value) == value);
    BOOST_TEST(secret_in("a=1; b=" + value + "; c=2") == value);
    BOOST_TEST(secret_in("a=1;b=" + value) == value);
    BOOST_TEST(secret_in("  b=" + value + " ") == value);
}

BOOST_AUTO_TEST_CASE(a_secret_of_another_shape_is_none, *label("U3")) {
    for (const auto& bad :
         {std::string(), std::string("b="), std::string("b"), "b=" + std::string(42, 'x'),
          "b=" + std::string(44, 'x'), "b=" + std::string(42, 'x') + "=",
          "b=\"" + std::string(41, 'x') + "\"", "b=" + std::string(42, 'x') + "+", "B=" + value,
          "bb=" + value, "xb=" + value, "b =" + value, "b= " + value, "c=" + value,
          "b=" + value + ",x", "b=" + std::string(40, 'x') + "%41"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(secret_in(bad) == "(none)");
    }
    BOOST_TEST(!web::browser_secret(web::Request{}, "b"));
}

BOOST_AUTO_TEST_CASE(two_secrets_are_none_because_one_was_planted, *label("U3") * label("K44")) {
    BOOST_TEST(secret_in("b=" + value + "; b=" + std::string(43, 'y')) == "(none)");
    BOOST_TEST(secret_in("b=" + value + "; b=" + value) == "(none)");
    BOOST_TEST(secret_in("b=short; b=" + value) == "(none)");
    BOOST_TEST(secret_in("b=" + value + "; b=short") == "(none)");
}

BOOST_AUTO_TEST_CASE(
    the_cookie_is_kept_from_scripts_other_sites_and_other_hosts, *label("S6") * label("U11")) {
    TestServer secure;
    BOOST_TEST(secure.context.cookie_name == "__Host-consentgate_browser");
    BOOST_TEST(
        web::browser_cookie(core::Secret("s"), secure.context) ==
        "__Host-consentgate_browser=s; Path=/; HttpOnly; SameSite=Lax; Secure");
    auto policy = sample_policy();
    policy.issuer = "http://127.0.0.1:8080";
    TestServer local(policy);
    BOOST_TEST(
        web::browser_cookie(core::Secret("s"), local.context) ==
        "consentgate_browser=s; Path=/; HttpOnly; SameSite=Lax");
}

// ---- what the sender wants and sends
BOOST_AUTO_TEST_CASE(a_browser_gets_pages_and_a_program_gets_json, *label("S5")) {
    for (const auto* browser :
         {browser_accept, "text/html", "TEXT/HTML", "application/xhtml+xml",
          "text/html;q=0.9,application/json;q=0.8", "application/json;q=0.9, text/html",
          "text/html, application/json", "text/html;level=1;q=0.5"}) {
        BOOST_TEST_CONTEXT(browser) BOOST_TEST(html_for(browser));
    }
    for (const auto* program :
         {"", "*/*", "application/json", "application/json, text/plain, */*", "text/*",
          "text/html;q=0", "text/html;q=0.5,application/json", "text/htmlx",
          "application/json;q=0.9,text/html;q=0.8", "text/html;q=nonsense"}) {
        BOOST_TEST_CONTEXT(program) BOOST_TEST(!html_for(program));
    }
    BOOST_TEST(!web::prefers_html(web::Request{}));
}

BOOST_AUTO_TEST_CASE(an_absurd_quality_is_no_preference) {
    for (const auto* absurd :
         {"text/html;q=1e99", "text/html;q=-1", "text/html;q=nan", "text/html;q=inf",
          "text/html;q=-1e99"}) {
        BOOST_TEST_CONTEXT(absurd) BOOST_TEST(!html_for(absurd));
    }
    BOOST_TEST(html_for("text/html;q=1.000"));
    BOOST_TEST(html_for("text/html;q=0.001"));
}

BOOST_AUTO_TEST_CASE(
    a_type_is_read_without_parameters_and_case_and_may_stand_in_a_list, *label("XE6")) {
    const auto says_json = [](const std::string& text) {
        web::Request request;
        request.content_type = text;
        return web::says_type(request, "application/json");
    };
    for (const auto* good :
         {"application/json", "Application/JSON; charset=utf-8", " application/json ;x",
          "application/json, application/json", "text/plain,application/json",
          "application/json;charset=utf-8, text/plain",
          "text/plain; a=\"b\\\"\" , application/json", ", application/json",
          "text/plain; a=\",\",application/json"})
        BOOST_TEST_CONTEXT(good) BOOST_TEST(says_json(good));
    for (const auto* bad :
         {"", ";", ",", "text/plain", "text/plain, text/html", "application/jsonx",
          "application/json application/json", "text/plain; a=application/json",
          "text/plain; a=\"x, application/json\"", "text/plain; a=\"x\\\", application/json",
          "application/json+x, xapplication/json"})
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(!says_json(bad));
    BOOST_TEST(!web::says_type(web::Request{}, "application/json"));
}

BOOST_AUTO_TEST_SUITE_END()
