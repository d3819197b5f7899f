// Tests src/web/answer.cpp: error pages tell the cure, and an error for a program on the person's
// own computer is seen before the browser goes on.
#include "tests/support/web_server.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using core::ErrorCode;
using web::ErrorFormat;

namespace {

struct Visited {
    TestServer server;
    web::Request request = TestServer::get("/api/oauth/per-user/authorize?client_id=x");
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(cures, Visited)

// The browser may be on another computer than the client: then nothing answers at its address.
BOOST_AUTO_TEST_CASE(
    an_error_for_a_program_on_this_computer_is_seen_before_the_browser_goes_on, *label("XE7")) {
    const auto error_for = [](const core::Client& client, const std::string& uri) {
        auto error =
            core::make_error(ErrorCode::invalid_scope, core::PublicMessage{"none"}, {}, "scope");
        error.back = core::match_redirect(client, uri, "s", {});
        return error;
    };
    request.accept = browser_accept;
    const std::string local = "http://127.0.0.1:53111/cb";
    const auto shown = [&](const core::Error& error, const std::optional<std::string>& mode) {
        request.fetch_mode = mode;
        return web::answer(error, ErrorFormat::page, request, server.context, "x");
    };
    const auto error = error_for(sample_client({local}), local);
    const auto page = shown(error, "navigate");
    BOOST_TEST(page.status == 400);
    BOOST_TEST(location_of(page) == "(absent)");
    const auto refresh = header_of(page, "Refresh");
    BOOST_TEST(refresh.starts_with("5; url=" + local + "?error=invalid_scope"));
    BOOST_TEST(query_value(refresh, "state") == "s");
    BOOST_TEST(holds(page.body, "href=\"" + local + "?error=invalid_scope"));
    BOOST_TEST(holds(page.body, ">Continue</a>"));
    BOOST_TEST(holds(page.body, "your app runs on another computer"));
    for (const auto& mode :
         {std::optional<std::string>(), std::optional<std::string>("cors"),
          std::optional<std::string>("")})
        BOOST_TEST(shown(error, mode).status == 302);
    // An operator vouched for it, and it is not on this computer.
    auto vouched = sample_client({"https://c.example/cb"});
    vouched.by_operator = true;
    BOOST_TEST(shown(error_for(vouched, "https://c.example/cb"), "navigate").status == 302);
    // Nobody vouched for it: nothing goes on by itself.
    const auto stays = shown(
        error_for(sample_client({"https://c.example/cb"}), "https://c.example/cb"), "navigate");
    BOOST_TEST(stays.status == 400);
    BOOST_TEST(header_of(stays, "Refresh") == "(absent)");
}

BOOST_AUTO_TEST_CASE(pages_tell_the_cure, *label("XE7")) {
    const auto page = [&](ErrorCode code, web::Request asked, core::ErrorDetails details = {}) {
        asked.accept = browser_accept;
        auto error = core::make_error(code, core::PublicMessage{"no"});
        error.details = std::move(details);
        return web::answer(error, ErrorFormat::page, asked, server.context, "x").body;
    };
    const std::string authorize = "/api/oauth/per-user/authorize?";
    const auto whole = TestServer::get(authorize + sample_authorize().text());
    const char* again = "copy the link again";
    const char* anew = "Remove this server from your app and add it again";
    const char* cookie = "needs a cookie";

    for (const auto& body :
         {page(ErrorCode::invalid_client, whole),
          page(
              ErrorCode::invalid_redirect_uri, whole,
              core::RedirectMismatch{"https://old.example/cb", {"https://c.example/cb"}})}) {
        BOOST_TEST(holds(body, anew));
        BOOST_TEST(!holds(body, again));
    }
    for (const auto& body :
         {page(ErrorCode::invalid_client, TestServer::get(authorize + "response_type=code")),
          page(ErrorCode::invalid_request, TestServer::get(authorize + "client_id=%")),
          page(
              ErrorCode::invalid_redirect_uri, whole,
              core::RedirectMismatch{"https://c.example/", {"https://c.example/cb"}}),
          page(
              ErrorCode::invalid_flow,
              TestServer::get("/oauth/consent?flow_id=" + std::string(21, 'f')))})
        BOOST_TEST(holds(body, again));
    for (const auto& body :
         {page(
              ErrorCode::invalid_flow,
              TestServer::get("/oauth/consent?flow_id=" + std::string(22, 'f'))),
          page(ErrorCode::too_many_requests, TestServer::get(authorize + "client_id=%"))})
        BOOST_TEST(!holds(body, again));

    auto visit = TestServer::get("/oauth/consent?flow_id=" + std::string(22, 'f'));
    visit.fetch_site = "cross-site"; // it came from the app, by way of authorize
    BOOST_TEST(holds(page(ErrorCode::browser_mismatch, visit), cookie));
    auto form = TestServer::post("/api/oauth/per-user/consent/client", "request=x");
    form.fetch_site = "same-origin";
    BOOST_TEST(holds(page(ErrorCode::browser_mismatch, form), cookie));
    form.fetch_site = "cross-site"; // SameSite kept the cookie away
    BOOST_TEST(!holds(page(ErrorCode::browser_mismatch, form), cookie));
    visit.cookie = "__Host-consentgate_browser=" + std::string(43, 'e');
    BOOST_TEST(holds(page(ErrorCode::browser_mismatch, visit), "belongs to another browser"));
}

// A page with a form of ours lets browsers say where the form comes from, to us alone.
BOOST_AUTO_TEST_CASE(
    only_pages_with_a_form_of_ours_tell_us_their_address_and_none_tells_others, *label("XE6")) {
    using web::Forms;
    const auto referrer = [](Forms forms) {
        return header_of(web::answer_html(200, "", forms), "Referrer-Policy");
    };
    const auto policy = [](Forms forms) {
        return header_of(web::answer_html(200, "", forms), "Content-Security-Policy");
    };
    BOOST_TEST(referrer(Forms::none) == "no-referrer");
    BOOST_TEST(referrer(Forms::ours) == "same-origin");
    BOOST_TEST(referrer(Forms::leading_on) == "same-origin");
    BOOST_TEST(holds(policy(Forms::none), "; form-action 'none';"));
    BOOST_TEST(holds(policy(Forms::ours), "; form-action 'self';"));
    BOOST_TEST(!holds(policy(Forms::leading_on), "form-action"));
    for (const int status : {302, 303})
        BOOST_TEST(
            header_of(web::answer_redirect("/x", status), "Referrer-Policy") == "no-referrer");
}

BOOST_AUTO_TEST_SUITE_END()
