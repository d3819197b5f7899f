// The doctor's rules about answers that look right and are not, or look wrong and are right.
#include "consentgate/app/doctor.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using app::Cause;
using app::Verdict;
using boost::unit_test::label;
using sys::HttpResponse;

namespace {

const core::GuardedResource resource{"https://tools.example.org/mcp"};

HttpResponse answered(int status, std::string body = {}) {
    HttpResponse response;
    response.answered = true;
    response.status = status;
    response.body = core::Secret(std::move(body));
    return response;
}

HttpResponse failed(core::FailureCause cause, std::string reason = "why") {
    HttpResponse response;
    response.cause = cause;
    response.reason = std::move(reason);
    return response;
}

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(doctor_gate)

BOOST_AUTO_TEST_CASE(a_server_that_refuses_in_its_own_words_was_reached, *label("XF3")) {
    for (const auto& reached :
         {answered(200), answered(202), answered(406), answered(415), answered(422),
          answered(400, R"({"jsonrpc":"2.0","error":{"code":-32000}})"),
          answered(404, R"({"jsonrpc": "2.0"})")}) {
        BOOST_TEST(app::reached_server(reached), reached.status);
        BOOST_TEST(
            (app::check_spelling(resource, "https://h/MCP", reached, answered(404)).cause ==
             Cause::open_server));
        BOOST_TEST(!app::find_unserved(resource, reached, answered(404)));
    }
    for (const auto& not_reached :
         {answered(400, R"({"error":"invalid_request"})"), answered(401), answered(403),
          answered(404, "<html>"), answered(405), answered(301), answered(502),
          failed(core::FailureCause::connection_refused)})
        BOOST_TEST(!app::reached_server(not_reached), not_reached.status);
}

BOOST_AUTO_TEST_CASE(an_address_where_nothing_is_yet_is_a_note_and_no_more, *label("XF3")) {
    const auto unserved =
        app::find_unserved(resource, answered(404, "<html>Not Found</html>"), answered(404));
    BOOST_REQUIRE(unserved.has_value());
    BOOST_TEST((unserved->verdict == Verdict::note));
    BOOST_TEST(!app::find_unserved(
        resource, answered(404, R"({"error_description":"no"})"), answered(404)));
    BOOST_TEST(!app::find_unserved(resource, answered(401), answered(404)));
    BOOST_TEST(!app::find_unserved(resource, answered(502), answered(404)));
}

BOOST_AUTO_TEST_CASE(a_page_that_a_site_has_for_every_address_is_no_server_behind, *label("XF3")) {
    const auto of_type = [](const std::string& type, const std::string& body, int status = 200) {
        auto response = answered(status, body);
        response.content_type = type;
        return response;
    };
    const auto page = of_type("text/html", "<html>home</html>");
    const auto broken = [](const HttpResponse& response, const HttpResponse& elsewhere) {
        return app::check_spelling(resource, "https://h/MCP", response, elsewhere).verdict ==
               Verdict::broken;
    };
    BOOST_TEST(!broken(page, page));
    BOOST_TEST(
        app::find_unserved(resource, page, page)->what.find("answered 200") != std::string::npos);
    const auto served = of_type("application/json", R"({"jsonrpc":"2.0","id":1,"result":{}})");
    for (const auto& elsewhere :
         {answered(404), served, of_type("text/html", "<html>no</html>", 404), HttpResponse()}) {
        BOOST_TEST(broken(page, elsewhere));
        BOOST_TEST(!app::find_unserved(resource, page, elsewhere));
    }
    for (const auto& reached :
         {served, of_type("text/event-stream", "data: {}"), of_type("application/json", "{}"),
          of_type("text/html", R"({"jsonrpc":"2.0"})"), of_type("text/plain", "home")}) {
        BOOST_TEST(broken(reached, page));
        BOOST_TEST(broken(reached, reached), "an open server at every address");
    }
}

BOOST_AUTO_TEST_CASE(a_call_with_a_session_must_arrive, *label("XF3")) {
    const auto found = [](const HttpResponse& answer) { return app::check_call(resource, answer); };
    const std::string ours = R"({"error":"forbidden","error_description":"rules refuse it"})";
    BOOST_TEST((found(answered(200)).verdict == Verdict::ok));
    BOOST_TEST((found(answered(202)).verdict == Verdict::ok));
    BOOST_TEST((found(answered(403, ours)).verdict == Verdict::ok), "rules do not name the doctor");
    BOOST_TEST((found(answered(403, "<html>")).verdict == Verdict::note));
    BOOST_TEST((found(answered(404, "<html>")).cause == Cause::server_behind));
    BOOST_TEST((found(answered(502, "<html>")).verdict == Verdict::broken));
    BOOST_TEST((found(answered(502, "<html>")).cause == Cause::server_behind));
    BOOST_TEST((found(answered(503, ours)).cause == Cause::gate_fails));
    BOOST_TEST((found(answered(401, ours)).cause == Cause::challenge));
    BOOST_TEST(holds(found(answered(401, "")).fix, "a sign-in of its own"));
}

BOOST_AUTO_TEST_CASE(what_keeps_every_answer_away_is_named_by_its_check, *label("XF3")) {
    using Failure = core::FailureCause;
    const struct {
        HttpResponse answer;
        Cause cause;
        std::string fix;
    } table[] = {
        {failed(Failure::connection_refused), Cause::web_server, "nginx -t"},
        {failed(Failure::name_not_found), Cause::web_server, "/etc/hosts"},
        {failed(Failure::tls_expired), Cause::certificate, "certbot renew"},
        {failed(Failure::tls_wrong_name), Cause::certificate, "ServerName"},
        {failed(Failure::tls_unknown_authority), Cause::certificate, "service_ca"},
        {failed(Failure::tls_unknown_authority, std::string(sys::without_chain) + ", or"),
         Cause::certificate, "fullchain.pem"},
    };
    for (const auto& row : table) {
        const auto finding = app::check_document("https://h/x", row.answer, "{}");
        BOOST_TEST((finding.verdict == Verdict::broken));
        BOOST_TEST((finding.cause == row.cause), row.fix);
        BOOST_TEST(holds(finding.fix, row.fix), finding.fix);
    }
}

BOOST_AUTO_TEST_CASE(a_document_of_another_configuration_is_no_foreign_one, *label("XF3")) {
    const std::string here = R"({"issuer":"https://a.example","scopes_supported":["mcp"]})";
    const auto found = [&](const std::string& body) {
        return app::check_document("https://h/x", answered(200, body), here);
    };
    const auto other = found(R"({"issuer":"https://b.example"})");
    BOOST_TEST((other.cause == Cause::configuration));
    BOOST_TEST(holds(other.what, "of the issuer https://b.example"));
    BOOST_TEST((found(R"({"issuer":"https://a.example"})").cause == Cause::configuration));
    BOOST_TEST((found("<html>").cause == Cause::mount));
    BOOST_TEST((found("{}").cause == Cause::mount));
    // The resource is new, and the pages themselves say that they do not know it.
    auto unknown = answered(404, R"({"error":"not_found"})");
    const auto of = [&] {
        return app::check_resource_document(resource, "https://h/y", unknown, here);
    };
    BOOST_TEST((of().cause == Cause::mount), "a web server can say anything");
    unknown.content_type = "application/json";
    BOOST_TEST((of().cause == Cause::reload));
}

BOOST_AUTO_TEST_CASE(the_address_that_people_are_given_must_be_the_issuers, *label("XF3")) {
    const std::string issuer = "https://tools.example.org/team";
    const auto verdict = [&](const char* base) { return app::check_issuer(base, issuer).verdict; };
    BOOST_TEST((verdict("https://tools.example.org") == Verdict::ok));
    BOOST_TEST((verdict("https://www.example.org") == Verdict::broken));
    BOOST_TEST((verdict("https://tools.example.org:8443") == Verdict::broken));
    // Other ways to the one server, which the operator takes.
    for (const auto* inside :
         {"http://127.0.0.1:8080", "https://localhost", "https://10.0.0.7",
          "http://web-1.internal"})
        BOOST_TEST((verdict(inside) == Verdict::ok), inside);
}

BOOST_AUTO_TEST_CASE(an_answer_from_a_cache_is_seen_by_its_age_or_its_number, *label("XF3")) {
    const std::string page = "<p class=\"quiet event\">number <code>17</code></p>";
    const auto verdict = [](const HttpResponse& first, const HttpResponse& second) {
        return app::check_cached("https://h/oauth/consent", first, second).verdict;
    };
    BOOST_TEST((verdict(answered(400, page), answered(400, page)) == Verdict::broken));
    BOOST_TEST((verdict(answered(400, page), answered(400, page + "18")) == Verdict::ok));
    // A web server's own page about a sign-in is the same each time.
    BOOST_TEST((verdict(answered(401, "<html>"), answered(401, "<html>")) == Verdict::ok));
    auto aged = answered(400, page + "18");
    aged.age = "30";
    BOOST_TEST((verdict(answered(400, page), aged) == Verdict::ok), "it may be kept");
    aged.cache_control = "no-store";
    BOOST_TEST((verdict(answered(400, page), aged) == Verdict::broken));
}

BOOST_AUTO_TEST_CASE(a_redirect_keeps_the_method_or_is_noted, *label("XF3")) {
    const auto verdict = [](int status, const char* location) {
        auto answer = answered(status);
        answer.location = location;
        return app::check_redirect_method("http://h/api/oauth/per-user/token", answer).verdict;
    };
    for (const int losing : {301, 302, 303})
        BOOST_TEST((verdict(losing, "https://h/") == Verdict::note), losing);
    for (const int keeping : {307, 308})
        BOOST_TEST((verdict(keeping, "https://h/") == Verdict::ok), keeping);
    BOOST_TEST((verdict(301, "http://h/") == Verdict::ok)); // another check is about that
}

BOOST_AUTO_TEST_CASE(a_stream_is_late_only_where_its_server_is_not, *label("XF3")) {
    auto stream = answered(200);
    stream.content_type = "text/event-stream";
    const auto late = failed(core::FailureCause::timeout);
    BOOST_TEST((app::check_stream(resource, late, stream).verdict == Verdict::note));
    BOOST_TEST((app::check_stream(resource, stream, stream).verdict == Verdict::ok));
    BOOST_TEST((app::check_stream(resource, late, late).verdict == Verdict::ok));
    BOOST_TEST((app::check_stream(resource, late, answered(405)).verdict == Verdict::ok));
}

BOOST_AUTO_TEST_CASE(documents_of_clients_must_be_had, *label("XF3")) {
    const auto verdict = [](const HttpResponse& answer) {
        return app::check_client_document("https://app.example/client.json", answer).verdict;
    };
    BOOST_TEST((verdict(answered(200)) == Verdict::ok));
    BOOST_TEST((verdict(answered(403)) == Verdict::note));
    BOOST_TEST((verdict(failed(core::FailureCause::name_not_found)) == Verdict::note));
}

BOOST_AUTO_TEST_SUITE_END()
