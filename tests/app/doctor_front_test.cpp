// The doctor's rules for what web servers do beside asking the gate.
#include "consentgate/app/doctor_front.h"

#include "consentgate/usecase/gate.h"
#include "consentgate/web/gate.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using app::Verdict;
using boost::unit_test::label;
using sys::HttpResponse;

namespace {

constexpr core::Instant noon{core::Span(1795867200)};

Verdict names_verdict(const std::string& authenticate, const std::string& body) {
    HttpResponse response;
    response.answered = true;
    response.status = 401;
    response.authenticate = authenticate;
    response.body = core::Secret(body);
    return app::check_names(core::GuardedResource{"https://tools.example.org/mcp"}, response)
        .verdict;
}

Verdict http2_verdict(const std::string& server, bool speaks = true) {
    return app::check_http2("https://tools.example.org", server, speaks).verdict;
}

Verdict length_verdict(std::size_t bytes, const std::string& server) {
    return app::check_token_length({"notion", bytes}, server).verdict;
}

} // namespace

BOOST_AUTO_TEST_SUITE(doctor_front)

BOOST_AUTO_TEST_CASE(
    the_gates_word_about_names_is_found_in_the_challenge_and_in_the_body, *label("XB2")) {
    const auto word = std::string(web::lax_names_message);
    BOOST_TEST((names_verdict("", "") == Verdict::ok));
    BOOST_TEST((names_verdict("Bearer error_description=\"" + word + "\"", "") == Verdict::broken));
    BOOST_TEST((names_verdict("", "{\"error_description\":\"" + word + "\"}") == Verdict::broken));
}

BOOST_AUTO_TEST_CASE(
    whoever_lacks_a_right_is_refused_with_words_and_is_not_sent_to_sign_in,
    *label("P19") * label("N11")) {
    const auto verdict = [](int status, const std::string& body, const std::string& challenge) {
        HttpResponse response;
        response.answered = status != 0;
        response.status = status;
        response.body = core::Secret(body);
        response.authenticate = challenge;
        return app::check_refusal(core::GuardedResource{"https://tools.example.org/mcp"}, response)
            .verdict;
    };
    const auto words = "{\"error_description\":\"" + std::string(usecase::probe_message) + "\"}";
    BOOST_TEST((verdict(403, words, "") == Verdict::ok));
    BOOST_TEST((verdict(200, words, "") == Verdict::broken));
    BOOST_TEST((verdict(202, "", "") == Verdict::broken));
    BOOST_TEST((verdict(403, "{\"error\":\"forbidden\"}", "") == Verdict::note));
    BOOST_TEST((verdict(401, words, "") == Verdict::note));
    BOOST_TEST((verdict(403, words, "Bearer error=\"invalid_token\"") == Verdict::note));
    BOOST_TEST((verdict(0, "", "") == Verdict::note));
}

BOOST_AUTO_TEST_CASE(http2_is_wrong_only_where_lighttpd_loses_its_bodies, *label("XB10")) {
    for (const auto* losing : {"lighttpd/1.4.69", "lighttpd/1.4.76", "lighttpd", "Lighttpd/1.4.5"})
        BOOST_TEST_CONTEXT(losing) BOOST_TEST((http2_verdict(losing) == Verdict::broken));
    for (const auto* sound :
         {"lighttpd/1.4.77", "lighttpd/1.4.100", "lighttpd/2.0.0", "nginx/1.22.1", "Apache", ""})
        BOOST_TEST_CONTEXT(sound) BOOST_TEST((http2_verdict(sound) == Verdict::ok));
    BOOST_TEST((http2_verdict("lighttpd/1.4.69", false) == Verdict::ok));
}

BOOST_AUTO_TEST_CASE(a_long_token_is_wrong_behind_the_web_server_that_refuses_it, *label("XB5")) {
    BOOST_TEST((length_verdict(8000, "Apache/2.4") == Verdict::ok));
    BOOST_TEST((length_verdict(8192, "Apache/2.4") == Verdict::broken));
    BOOST_TEST((length_verdict(8192, "nginx") == Verdict::note));
    BOOST_TEST((length_verdict(63000, "nginx") == Verdict::note));
    BOOST_TEST((length_verdict(65536, "nginx") == Verdict::broken));
    BOOST_TEST((length_verdict(65536, "lighttpd/1.4.69") == Verdict::broken));
    BOOST_TEST((app::check_token_length({"", 0}, "Apache").verdict == Verdict::ok));
}

BOOST_AUTO_TEST_CASE(it_says_whether_the_web_server_tells_what_becomes_of_calls, *label("M10")) {
    app::CallLogFacts facts{.socket = "/run/consentgate/calls.sock", .services = true};
    const auto verdict = [&] { return app::check_call_log(facts).verdict; };
    BOOST_TEST((verdict() == app::Verdict::ok));
    facts.problem = "No such file or directory";
    const auto gone = app::check_call_log(facts);
    BOOST_TEST((gone.verdict == app::Verdict::note));
    BOOST_TEST(gone.what.find("/run/consentgate/calls.sock: No such file") != std::string::npos);
    BOOST_TEST(gone.fix.find("call_log_failed") != std::string::npos);
    facts.problem.clear();
    facts.last_call = noon;
    const auto silent = app::check_call_log(facts);
    BOOST_TEST((silent.verdict == app::Verdict::note));
    BOOST_TEST(silent.fix.find("consentgate-admin call-log") != std::string::npos);
    facts.last_report = noon - core::Span(300);
    BOOST_TEST((verdict() == app::Verdict::ok));
    facts.last_report = noon - core::Span(301);
    BOOST_TEST((verdict() == app::Verdict::note));
    facts.services = false;
    BOOST_TEST((verdict() == app::Verdict::ok));
    facts.services = true;
    facts.socket.clear(); // under mod_fcgid
    BOOST_TEST((verdict() == app::Verdict::ok));
}

BOOST_AUTO_TEST_SUITE_END()
