#include "consentgate/web/guard.h"

#include "tests/support/web_server.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

struct Sender {
    const char* origin; // null: not sent
    const char* fetch_site;
};

std::string reading(TestServer& server, const Sender& client_request) {
    auto request = TestServer::post("/api/oauth/per-user/consent/skip", "flow_id=x");
    if (client_request.origin != nullptr) request.origin = client_request.origin;
    if (client_request.fetch_site != nullptr) request.fetch_site = client_request.fetch_site;
    return code_of(web::read_own_form(request, server.context));
}

} // namespace

BOOST_AUTO_TEST_SUITE(guard)

BOOST_AUTO_TEST_CASE(a_form_of_our_own_page_is_read, *label("S2") * label("K44")) {
    TestServer server;
    for (const auto& own :
         {Sender{nullptr, nullptr}, Sender{"https://auth.example.org", nullptr},
          Sender{"https://auth.example.org", "same-origin"}, Sender{"null", "same-origin"},
          Sender{nullptr, "same-origin"}}) {
        BOOST_TEST(reading(server, own) == "ok");
    }
}

BOOST_AUTO_TEST_CASE(a_form_of_another_page_is_refused, *label("S2") * label("K44")) {
    TestServer server;
    for (const auto& foreign :
         {Sender{"https://evil.test", nullptr}, Sender{"https://evil.test", "cross-site"},
          Sender{"https://evil.test", "same-origin"}, Sender{"null", nullptr},
          Sender{"null", "cross-site"}, Sender{"null", "same-site"}, Sender{"null", "none"},
          Sender{"", nullptr}, Sender{nullptr, "cross-site"}, Sender{nullptr, "same-site"},
          Sender{"https://auth.example.org", "cross-site"},
          Sender{"http://auth.example.org", nullptr},
          Sender{"https://auth.example.org:8443", nullptr},
          Sender{"https://auth.example.org/", nullptr},
          Sender{"https://auth.example.org.evil.test", nullptr},
          Sender{"https://evil.test, https://auth.example.org", nullptr},
          Sender{"https://other.example.org", "same-site"}, Sender{"null", ""},
          Sender{"null", "Same-Origin, same-origin"}}) {
        BOOST_TEST_CONTEXT(
            (foreign.origin ? foreign.origin : "-")
            << " " << (foreign.fetch_site ? foreign.fetch_site : "-")) {
            BOOST_TEST(reading(server, foreign) == "browser_mismatch");
        }
    }
}

BOOST_AUTO_TEST_CASE(our_origin_is_the_issuers_without_its_path, *label("S2")) {
    auto policy = sample_policy();
    policy.issuer = "https://auth.example.org/t1";
    TestServer server(policy);
    BOOST_TEST(reading(server, {"https://auth.example.org", nullptr}) == "ok");
    BOOST_TEST(reading(server, {"https://auth.example.org/t1", nullptr}) == "browser_mismatch");
}

BOOST_AUTO_TEST_CASE(only_a_form_is_read_as_a_form, *label("T1")) {
    const auto reading_as = [](const std::optional<std::string>& type, const std::string& body) {
        auto request = TestServer::post("/api/oauth/per-user/token", body);
        request.content_type = type;
        return code_of(web::read_form(request));
    };
    BOOST_TEST(reading_as("application/x-www-form-urlencoded", "a=1") == "ok");
    BOOST_TEST(reading_as("Application/X-WWW-Form-Urlencoded; charset=UTF-8", "a=1") == "ok");
    BOOST_TEST(reading_as("text/plain, application/x-www-form-urlencoded", "a=1") == "ok");
    for (const auto& type :
         {std::optional<std::string>(), std::optional<std::string>(""),
          std::optional<std::string>("text/plain, application/json"),
          std::optional<std::string>("application/json"),
          std::optional<std::string>("multipart/form-data; boundary=x"),
          std::optional<std::string>("text/plain"),
          std::optional<std::string>("application/x-www-form-urlencodedx")}) {
        BOOST_TEST(reading_as(type, "a=1") == "unsupported_media_type");
    }
    BOOST_TEST(reading_as(form_type, "a=%") == "invalid_request");
    BOOST_TEST(reading_as(form_type, "a=\xff") == "invalid_request");
}

BOOST_AUTO_TEST_CASE(an_own_form_that_cannot_be_read_names_no_flow, *label("S2")) {
    TestServer server;
    const auto reading_own = [&](const std::string& type, const std::string& body) {
        return code_of(web::read_own_form(TestServer::post("/x", body, type), server.context));
    };
    BOOST_TEST(reading_own("application/json", "{}") == "missing_flow_id");
    BOOST_TEST(reading_own(form_type, "flow_id=%") == "invalid_flow");
}

BOOST_AUTO_TEST_CASE(a_browser_is_known_by_the_digest_of_its_cookie, *label("S6")) {
    TestServer server;
    auto request = TestServer::get("/");
    BOOST_TEST(!web::browser_context_of(request, server.context).browser);
    request.cookie = server.context.cookie_name + "=" + std::string(43, 'x');
    const auto browser_context = web::browser_context_of(request, server.context);
    BOOST_TEST((browser_context.browser == core::sha256(std::string(43, 'x'))));
    BOOST_TEST(browser_context.secret->reveal() == std::string(43, 'x'));
    request.cookie =
        "consentgate_browser=" + std::string(43, 'x'); // the name of another deployment
    BOOST_TEST(!web::browser_context_of(request, server.context).browser);
}

BOOST_AUTO_TEST_CASE(
    too_many_from_one_address_learn_how_long_to_wait, *label("R17") * label("T29")) {
    TestServer server;
    const auto request = TestServer::get("/");
    BOOST_TEST(code_of(web::admit(request, server.context, "x", 1)) == "ok");
    const auto refused = web::admit(request, server.context, "x", 1);
    BOOST_TEST(code_of(refused) == "too_many_requests");
    BOOST_TEST(refused.error().retry_after_seconds() == 60);
    auto other = request;
    other.remote_addr = "192.0.2.200";
    BOOST_TEST(code_of(web::admit(other, server.context, "x", 1)) == "ok");
}

BOOST_AUTO_TEST_SUITE_END()
