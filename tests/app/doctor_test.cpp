// The doctor's rules.
#include "consentgate/app/doctor.h"

#include "consentgate/web/challenge.h"
#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using app::Verdict;
using boost::unit_test::label;
using sys::HttpResponse;

namespace {

const core::GuardedResource resource{"https://tools.example.org/mcp"};

HttpResponse answered(int status, std::string authenticate = {}, std::string body = {}) {
    HttpResponse response;
    response.answered = true;
    response.status = status;
    response.authenticate = std::move(authenticate);
    response.body = core::Secret(std::move(body));
    return response;
}
HttpResponse silence() {
    HttpResponse response;
    response.reason = "nothing listens there";
    return response;
}
std::string challenge() { return web::bearer_challenge(resource.url, scopes("mcp"), nullptr); }
bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(doctor)

BOOST_AUTO_TEST_CASE(the_doctor_warns_before_a_client_secret_ends, *label("XC8")) {
    constexpr core::Span day{86400};
    auto service = sample_service();
    service.client_secret = "sealed";
    const auto verdict = [&](core::Span left) {
        service.client_secret_expires_at = noon + left;
        return app::check_client_secret(service, noon);
    };
    BOOST_TEST((app::check_client_secret(service, noon).verdict == Verdict::ok), "it has no end");
    // The operator's own.
    BOOST_TEST((verdict(31 * day).verdict == Verdict::ok));
    BOOST_TEST((verdict(30 * day).verdict == Verdict::note));
    BOOST_TEST(holds(verdict(9 * day).what, "ends in 9 days"));
    BOOST_TEST(holds(verdict(9 * day).fix, "service set notion --client-secret-file"));
    BOOST_TEST((verdict(-day).verdict == Verdict::broken));
    // Our own registration is renewed by a worker, and only a failure is reported.
    service.registration = core::Registration::dynamic;
    service.renew_at = noon + 20 * day;
    BOOST_TEST((verdict(23 * day).verdict == Verdict::ok));
    service.renew_at = noon + core::Span(1800); // a try failed
    BOOST_TEST((verdict(3 * day).verdict == Verdict::ok), "there is time");
    BOOST_TEST((verdict(day).verdict == Verdict::note));
    BOOST_TEST(holds(verdict(day).fix, "event=registration_renewal service=notion"));
    service.renew_at = noon - day; // no worker runs
    BOOST_TEST((verdict(day).verdict == Verdict::note));
    BOOST_TEST((verdict(-day).verdict == Verdict::broken));
}

BOOST_AUTO_TEST_CASE(
    a_document_is_ours_to_the_letter_or_something_elses, *label("D1") * label("D12")) {
    BOOST_TEST(
        (app::check_document("https://h/x", answered(200, {}, "{}"), "{}").verdict == Verdict::ok));
    for (const auto& other :
         {answered(200, {}, "{} "), answered(200, {}, "<html>"), answered(404, {}, "{}"),
          answered(301), silence()}) {
        const auto finding = app::check_document("https://h/x", other, "{}");
        BOOST_TEST((finding.verdict == Verdict::broken));
        BOOST_TEST(!finding.fix.empty());
    }
}

BOOST_AUTO_TEST_CASE(
    whoever_passes_without_a_token_is_the_worst_there_is, *label("RS11") * label("C1")) {
    const auto policy = sample_policy();
    const auto valid = [&](const HttpResponse& answer) {
        return app::check_without_token("GET", resource, answer, policy);
    };
    BOOST_TEST((valid(answered(401, challenge())).verdict == Verdict::ok));
    for (const int status : {200, 202, 204, 206}) {
        BOOST_TEST((valid(answered(status)).verdict == Verdict::broken));
        BOOST_TEST(holds(valid(answered(status)).what, "ANYONE"));
        BOOST_TEST(holds(valid(answered(status)).fix, "mod_fastcgi before mod_proxy"));
    }
    for (const auto& other :
         {answered(401), answered(401, "Basic realm=\"x\""),
          answered(401, challenge() + ", error=\"x\""), answered(403, challenge()), answered(404),
          answered(302), answered(500), silence()}) {
        BOOST_TEST((valid(other).verdict == Verdict::broken));
        BOOST_TEST(!holds(valid(other).what, "ANYONE"));
    }
    BOOST_TEST(holds(valid(silence()).fix, "does the web server run"));
    BOOST_TEST(holds(valid(answered(500)).fix, "is the gate running"));
}

BOOST_AUTO_TEST_CASE(nothing_is_served_without_tls_and_no_redirect_forgets_it, *label("D15")) {
    const auto sent_to = [](int status, std::string location) {
        auto response = answered(status);
        response.location = std::move(location);
        return response;
    };
    for (const auto& good :
         {silence(), sent_to(301, "https://tools.example.org/oauth/sessions"),
          sent_to(308, "HTTPS://tools.example.org/")}) {
        BOOST_TEST(
            (app::check_without_tls("http://tools.example.org/oauth/sessions", good).verdict ==
             Verdict::ok));
    }
    for (const auto& bad :
         {answered(200), answered(404), answered(401), sent_to(301, "http://tools.example.org/"),
          sent_to(302, "/oauth"), sent_to(200, "https://tools.example.org/")}) {
        const auto finding = app::check_without_tls("http://tools.example.org/oauth/sessions", bad);
        BOOST_TEST((finding.verdict == Verdict::broken));
        BOOST_TEST(holds(finding.fix, "RewriteRule ^ https://"));
    }
    BOOST_TEST(holds(
        app::check_document("https://h/x", sent_to(301, "http://h/x/"), "{}").what, "without TLS"));
    BOOST_TEST(!holds(
        app::check_document("https://h/x", sent_to(301, "https://h/x/"), "{}").what,
        "without TLS"));
    BOOST_TEST(!holds(
        app::check_document("http://127.0.0.1/x", sent_to(301, "http://127.0.0.1/x/"), "{}").what,
        "without TLS"));
    BOOST_TEST(holds(
        app::check_without_token(
            "POST", resource, sent_to(301, "http://tools.example.org/mcp/"), sample_policy())
            .fix,
        "ServerName https"));
}

BOOST_AUTO_TEST_CASE(a_token_that_is_not_seen_means_that_authorization_is_kept_back, *label("C5")) {
    const auto error = core::make_error(core::ErrorCode::invalid_bearer, core::PublicMessage{"no"});
    BOOST_TEST(
        (app::check_false_token(
             resource, answered(401, web::bearer_challenge(resource.url, scopes("mcp"), &error)))
             .verdict == Verdict::ok));
    BOOST_TEST(
        holds(app::check_false_token(resource, answered(401, challenge())).fix, "CGIPassAuth On"));
    BOOST_TEST(holds(app::check_false_token(resource, answered(200)).what, "ANYONE"));
    BOOST_TEST((app::check_false_token(resource, answered(500)).verdict == Verdict::broken));
    BOOST_TEST(
        (app::check_false_secret("https://h/i", answered(401, "Basic realm=\"consentgate\""))
             .verdict == Verdict::ok));
    BOOST_TEST(holds(app::check_false_secret("https://h/i", answered(401)).fix, "CGIPassAuth On"));
    BOOST_TEST((app::check_false_secret("https://h/i", answered(404)).verdict == Verdict::broken));
}

BOOST_AUTO_TEST_CASE(
    another_spelling_may_lead_anywhere_but_through, *label("RS8") * label("RS11")) {
    const auto verdict = [](const HttpResponse& answer) {
        return app::check_spelling(resource, "https://h//mcp", answer, answered(404)).verdict;
    };
    for (const int status : {400, 401, 403, 404, 500, 301})
        BOOST_TEST((verdict(answered(status)) == Verdict::ok));
    BOOST_TEST((verdict(answered(200)) == Verdict::broken));
}

BOOST_AUTO_TEST_CASE(where_users_are_verified_a_page_is_the_web_servers_to_refuse, *label("K45")) {
    const auto valid = [](const HttpResponse& answer) {
        return app::check_sign_in("https://h/oauth/sessions", "without a sign-in", answer);
    };
    for (const auto& asked :
         {answered(401, "Basic realm=\"Sign in\""), answered(302), answered(303)})
        BOOST_TEST((valid(asked).verdict == Verdict::ok));
    for (const auto& wrong :
         {answered(200), answered(403), answered(404), answered(500), silence()})
        BOOST_TEST((valid(wrong).verdict == Verdict::broken));
    BOOST_TEST(holds(valid(answered(200)).what, "ANYONE can be any user"));
    BOOST_TEST(holds(valid(answered(403)).fix, "REMOTE_USER"));
}

BOOST_AUTO_TEST_CASE(a_clock_may_be_half_a_minute_off_and_no_more, *label("D12")) {
    const auto here = core::from_epoch(1'800'000'000);
    const auto valid = [&](std::int64_t off) {
        auto answer = answered(200);
        answer.date = here + core::Span(off);
        return app::check_clock("https://h", answer, here);
    };
    for (const auto off : {0, 30, -30}) BOOST_TEST((valid(off).verdict == Verdict::ok));
    BOOST_TEST(holds(valid(31).what, "31 seconds behind"));
    BOOST_TEST(holds(valid(-31).what, "31 seconds ahead of"));
    BOOST_TEST((valid(31).verdict == Verdict::broken));
    BOOST_TEST(
        (app::check_clock("https://h", answered(200), here).verdict ==
         Verdict::ok)); // it does not say
}

BOOST_AUTO_TEST_CASE(a_preflight_passes_with_both_headers_only, *label("D10")) {
    const auto valid = [](int status, const std::string& origin, const std::string& headers) {
        auto answer = answered(status);
        answer.access_control_allow_origin = origin, answer.access_control_allow_headers = headers;
        return app::check_preflight("https://h/token", answer, Verdict::broken);
    };
    BOOST_TEST(
        (valid(204, "*", "Content-Type, Authorization, MCP-Protocol-Version").verdict ==
         Verdict::ok));
    for (const auto& wrong :
         {valid(403, "*", "MCP-Protocol-Version"), valid(204, "", "MCP-Protocol-Version"),
          valid(204, "https://h", "MCP-Protocol-Version"), valid(200, "*", "Content-Type")}) {
        BOOST_TEST((wrong.verdict == Verdict::broken));
        BOOST_TEST(!wrong.fix.empty());
    }
    BOOST_TEST(
        (app::check_preflight("https://h/mcp", answered(405), Verdict::note).verdict ==
         Verdict::note));
}

BOOST_AUTO_TEST_CASE(a_body_is_ours_to_take_or_to_refuse, *label("K36")) {
    const auto ours =
        R"({"error":"invalid_request","error_description":"the body is larger than 64 KiB"})";
    BOOST_TEST(
        (app::check_small_body(
             "https://h/token", answered(400, {}, R"({"error":"unsupported_grant_type"})"))
             .verdict == Verdict::ok));
    BOOST_TEST(
        (app::check_large_body("https://h/token", answered(413, {}, ours)).verdict == Verdict::ok));
    for (const auto& other :
         {answered(413, {}, "<html>"), answered(200), answered(502), silence()}) {
        BOOST_TEST((app::check_small_body("https://h/token", other).verdict == Verdict::broken));
        BOOST_TEST((app::check_large_body("https://h/token", other).verdict == Verdict::broken));
    }
    BOOST_TEST(
        holds(app::check_small_body("https://h/token", answered(413)).fix, "client_max_body_size"));
}

BOOST_AUTO_TEST_CASE(who_can_come_in_is_a_finding_with_its_remedy, *label("XA2")) {
    auto policy = sample_policy();
    const auto found = [&](std::size_t keys) {
        return app::check_admission(core::who_can_come_in(policy, keys));
    };
    BOOST_TEST((found(0).verdict == Verdict::note));
    BOOST_TEST(holds(found(0).what, "Anyone who can open the pages"));
    BOOST_TEST(holds(found(0).fix, "identities = virtual_key verified_user"));
    policy.identities = core::Policy().identities;
    BOOST_TEST((found(0).verdict == Verdict::broken));
    BOOST_TEST(found(0).fix == "consentgate-admin key add NAME");
    BOOST_TEST((found(1).verdict == Verdict::ok));
    BOOST_TEST((app::check_shut_out({}).verdict == Verdict::ok));
    const auto refused =
        app::check_shut_out({{core::IdentityKind::skipped, 2}, {core::IdentityKind::user_id, 1}});
    BOOST_TEST((refused.verdict == Verdict::note));
    BOOST_TEST(holds(refused.what, "2 skipped, 1 user_id"));
}

BOOST_AUTO_TEST_CASE(how_far_a_stranger_gets_is_said_for_every_end, *label("XA2")) {
    using End = app::StrangerWalk::End;
    auto policy = sample_policy();
    const auto found = [&](End end, int status = 302, bool named = false) {
        return app::check_stranger(
            {.end = end, .named = named, .last = answered(status)}, resource, policy);
    };
    const auto inside = found(End::signed_in);
    BOOST_TEST((inside.verdict == Verdict::note));
    BOOST_TEST(holds(
        inside.what, "anyone on the Internet can call https://tools.example.org/mcp: identities = "
                     "any; a stranger got a session token without saying who they are"));
    BOOST_TEST(holds(found(End::signed_in, 302, true).what, "under a name that they typed"));
    for (const auto end : {End::sent_to_sign_in, End::asked_for_key, End::nobody_offered}) {
        BOOST_TEST((found(end).verdict == Verdict::ok));
        BOOST_TEST(!holds(found(end).what, "anyone"));
    }
    BOOST_TEST((found(End::refused, 500).verdict == Verdict::note));
    BOOST_TEST(holds(found(End::refused, 500).what, "answered 500"));
    BOOST_TEST((found(End::not_registered, 429).verdict == Verdict::note));
    BOOST_TEST((found(End::not_registered, 400).verdict == Verdict::ok)); // by the operator's rule
    policy.registration_enabled = false;
    BOOST_TEST((found(End::not_registered, 404).verdict == Verdict::ok));
}

BOOST_AUTO_TEST_CASE(callers_must_not_all_have_the_address_of_a_proxy, *label("XD3")) {
    const auto verdict = [](std::size_t callers, std::size_t clients, bool any_public) {
        return app::check_callers(
                   {.callers = callers, .clients = clients, .any_public = any_public})
            .verdict;
    };
    BOOST_TEST((verdict(1, 5, false) == Verdict::note));
    BOOST_TEST((verdict(1, 20, true) == Verdict::note));
    for (const bool any_public : {false, true}) {
        BOOST_TEST((verdict(0, 0, any_public) == Verdict::ok));
        BOOST_TEST((verdict(1, 4, any_public) == Verdict::ok));
        BOOST_TEST((verdict(2, 100, any_public) == Verdict::ok));
    }
    BOOST_TEST((verdict(1, 19, true) == Verdict::ok));
    BOOST_TEST(holds(app::check_callers({.callers = 1, .clients = 9}).fix, "mod_remoteip"));
}

BOOST_AUTO_TEST_CASE(
    the_doctor_says_for_what_requests_found_no_worker_that_was_free, *label("XC2")) {
    const std::string text =
        "# TYPE consentgate_places_held gauge\nconsentgate_places_held{role=\"gate\"} 1\n";
    BOOST_TEST((app::check_places(text).verdict == Verdict::ok));
    const auto finding = app::check_places(
        text + "consentgate_places_refused_total{role=\"gate\",kind=\"refresh\"} 7\n");
    BOOST_TEST((finding.verdict == Verdict::note));
    BOOST_TEST(finding.what.ends_with(": {role=\"gate\",kind=\"refresh\"} 7"));
}

BOOST_AUTO_TEST_CASE(two_services_that_send_people_back_to_one_address_are_named, *label("XC1")) {
    auto one = sample_service("notion"), two = sample_service("github"),
         three = sample_service("linear");
    const auto checked = [&] { return app::check_callbacks({one, two, three}); };
    BOOST_TEST((checked().verdict == Verdict::ok));
    one.callback = core::CallbackAddress::shared;
    BOOST_TEST((checked().verdict == Verdict::ok));
    three.callback = core::CallbackAddress::shared;
    const auto warned = checked();
    BOOST_TEST((warned.verdict == Verdict::note));
    BOOST_TEST(warned.what.starts_with("notion, linear send people back to one address"));
    BOOST_TEST(warned.fix.starts_with("consentgate-admin service set notion --callback own"));
    three.active = false; // nobody is sent there
    BOOST_TEST((checked().verdict == Verdict::ok));
}

BOOST_AUTO_TEST_SUITE_END()
