// Every fault in every face: one place turns an Error into a response, and each of these must make sense.
#include "consentgate/web/answer.h"

#include "tests/support/house.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using core::Fault;
using web::Face;

namespace {

constexpr int last_fault = static_cast<int>(Fault::server_error);

std::vector<Fault> all_faults() {
    std::vector<Fault> faults;
    for (int i = 0; i <= last_fault; ++i) faults.push_back(static_cast<Fault>(i));
    return faults;
}

std::string name_of(Fault fault) { return std::string(core::traits(fault).name); }

// What a person can mend by themselves, on the identity page.
bool mendable(Fault fault) { return fault == Fault::identity_required || fault == Fault::invalid_virtual_key || fault == Fault::invalid_user_id; }

struct Asked {
    House house;
    web::Request request = House::post("/api/oauth/per-user/consent/submit", "flow_id=" + std::string(22, 'f'));

    web::Reply answer(Fault fault, Face face, const std::string& accept = "") {
        request.accept = accept;
        auto error = core::refuse(fault, core::Say{"said \"caf\u00e9\""}, core::Why{"the reason for the log"}, "param\u00e9");
        return web::answer(error, face, request, house.site, "oauth_consent_submit");
    }
};

// law: RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3.1, RFC 7591 section 3.2.2, RFC 8707 section 2, OpenID Connect Core section 3.1.2.6
const std::set<std::string> rfc_words{"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "unsupported_response_type",
                                      "invalid_scope", "invalid_target", "invalid_token", "invalid_redirect_uri", "invalid_client_metadata", "access_denied",
                                      "login_required", "request_not_supported", "request_uri_not_supported", "insufficient_scope", "server_error", "temporarily_unavailable", "interaction_required"};

} // namespace

BOOST_FIXTURE_TEST_SUITE(answer, Asked)

BOOST_AUTO_TEST_CASE(every_fault_has_its_own_name_and_an_error_status, *label("contract_2")) {
    std::set<std::string> names;
    for (const auto fault : all_faults()) {
        const auto& known = core::traits(fault);
        names.insert(std::string(known.name));
        BOOST_TEST_CONTEXT(known.name) {
            BOOST_TEST((known.status >= 400 && known.status < 600));
            BOOST_TEST(!known.type.empty());
            BOOST_TEST(rfc_words.contains(std::string(known.oauth_error)));
        }
    }
    BOOST_TEST(names.size() == static_cast<std::size_t>(last_fault) + 1);
}

BOOST_AUTO_TEST_CASE(the_statuses_are_those_of_the_contract, *label("contract_1")) {
    const std::vector<std::pair<Fault, int>> fixed{{Fault::missing_flow_id, 400},    {Fault::invalid_flow, 400},           {Fault::invalid_bearer, 401},
                                                   {Fault::browser_mismatch, 403},   {Fault::flow_already_submitted, 409}, {Fault::flow_expired, 410},
                                                   {Fault::store_unavailable, 503},  {Fault::too_large, 413},              {Fault::uri_too_long, 414},
                                                   {Fault::unsupported_media_type, 400}, {Fault::too_many_requests, 429},  {Fault::method_not_allowed, 405},
                                                   {Fault::not_found, 404},          {Fault::server_error, 500},           {Fault::invalid_grant, 400}};
    for (const auto& [fault, status] : fixed) {
        BOOST_TEST_CONTEXT(name_of(fault)) BOOST_TEST(answer(fault, Face::gateway).status == status);
    }
}

BOOST_AUTO_TEST_CASE(a_page_is_never_empty_and_always_guarded, *label("U1") * label("U2") * label("A31")) {
    for (const auto fault : all_faults()) {
        if (mendable(fault)) continue;
        const auto reply = answer(fault, Face::page, browser_accept);
        BOOST_TEST_CONTEXT(name_of(fault)) {
            BOOST_TEST((reply.status >= 400 && reply.status < 600));
            BOOST_TEST(header_of(reply, "Content-Type") == "text/html; charset=utf-8");
            BOOST_TEST(holds(header_of(reply, "Content-Security-Policy"), "default-src 'none'"));
            BOOST_TEST(holds(header_of(reply, "Content-Security-Policy"), "frame-ancestors 'none'"));
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

BOOST_AUTO_TEST_CASE(every_fault_a_person_can_meet_has_its_own_words, *label("contract_2")) {
    for (const auto* fault : {"invalid_request", "missing_flow_id", "invalid_flow", "browser_mismatch", "flow_already_submitted", "flow_expired", "invalid_bearer", "identity_required",
                              "invalid_client", "invalid_redirect_uri", "unsupported_response_type", "invalid_scope", "invalid_target", "unauthorized_client", "login_required",
                              "access_denied", "not_found", "method_not_allowed", "too_large", "uri_too_long", "unsupported_media_type", "too_many_requests", "store_unavailable",
                              "server_error"}) {
        for (const auto* part : {".title", ".what", ".next"}) {
            BOOST_TEST_CONTEXT(fault << part) BOOST_TEST(house.pages.message("en", std::string("error.") + fault + part).has_value());
        }
    }
}

BOOST_AUTO_TEST_CASE(the_gateway_shape_has_exactly_its_members_with_their_types, *label("contract_2")) {
    for (const auto fault : all_faults()) {
        if (mendable(fault)) continue;
        const auto reply = answer(fault, Face::gateway);
        const auto body = json_of(reply.body);
        BOOST_TEST_CONTEXT(reply.body) {
            BOOST_TEST(header_of(reply, "Content-Type") == "application/json");
            BOOST_TEST(header_of(reply, "Cache-Control") == "no-store");
            BOOST_TEST(members_of(*body) == "event_id type is_bifrost_error status_code error extra_fields");
            BOOST_TEST(member_of(*body, "event_id") == request.event_id);
            BOOST_TEST(member_of(*body, "type") == "error");
            BOOST_TEST(body->get("is_bifrost_error").isBoolean());
            BOOST_TEST(body->getValue<bool>("is_bifrost_error"));
            BOOST_TEST(body->getValue<int>("status_code") == reply.status);
            const auto error = body->getObject("error");
            BOOST_TEST(members_of(*error) == "type code message param event_id");
            BOOST_TEST(member_of(*error, "code") == name_of(fault));
            BOOST_TEST(member_of(*error, "message") == "said  caf   ");
            BOOST_TEST(member_of(*error, "param") == "param  ");
            BOOST_TEST(member_of(*error, "event_id") == request.event_id);
            const auto extra = body->getObject("extra_fields");
            BOOST_TEST(members_of(*extra) == "provider model_requested request_type");
            BOOST_TEST(member_of(*extra, "provider") == "");
            BOOST_TEST(member_of(*extra, "model_requested") == "");
            BOOST_TEST(member_of(*extra, "request_type") == "oauth_consent_submit");
            BOOST_TEST(!holds(reply.body, "null"));
            BOOST_TEST(!holds(reply.body, "the reason"));
        }
    }
}

BOOST_AUTO_TEST_CASE(an_error_with_nothing_to_say_still_has_texts_in_the_gateway_shape, *label("contract_2")) {
    const auto reply = web::answer(core::refuse(Fault::flow_expired, core::Say{}), Face::gateway, request, house.site, "x");
    const auto error = json_of(reply.body)->getObject("error");
    BOOST_TEST(member_of(*error, "message") == "");
    BOOST_TEST(member_of(*error, "param") == "");
}

BOOST_AUTO_TEST_CASE(a_browser_gets_the_page_with_the_same_status, *label("contract_2")) {
    for (const auto fault : all_faults()) {
        if (mendable(fault)) continue;
        const auto json = answer(fault, Face::gateway);
        const auto html = answer(fault, Face::gateway, browser_accept);
        BOOST_TEST_CONTEXT(name_of(fault)) {
            BOOST_TEST(html.status == json.status);
            BOOST_TEST(header_of(html, "Content-Type") == "text/html; charset=utf-8");
        }
    }
}

BOOST_AUTO_TEST_CASE(the_oauth_shape_has_only_rfc_words_and_is_never_cached, *label("T2") * label("T34") * label("R13") * label("A35")) {
    for (const auto fault : all_faults()) {
        if (mendable(fault)) continue;
        const auto reply = answer(fault, Face::oauth, browser_accept); // programs get JSON whatever they accept
        const auto body = json_of(reply.body);
        BOOST_TEST_CONTEXT(reply.body) {
            BOOST_TEST(reply.status == core::traits(fault).status);
            BOOST_TEST(members_of(*body) == "error error_description");
            BOOST_TEST(rfc_words.contains(member_of(*body, "error")));
            BOOST_TEST(member_of(*body, "error_description") == "said  caf   ");
            BOOST_TEST(header_of(reply, "Content-Type") == "application/json");
            BOOST_TEST(header_of(reply, "Cache-Control") == "no-store");
            BOOST_TEST(header_of(reply, "Pragma") == "no-cache");
        }
    }
}

BOOST_AUTO_TEST_CASE(the_bare_shape_names_the_fault, *label("D10")) {
    for (const auto fault : all_faults()) {
        if (mendable(fault)) continue;
        const auto reply = answer(fault, Face::json);
        BOOST_TEST_CONTEXT(reply.body) {
            BOOST_TEST(member_of(*json_of(reply.body), "error") == name_of(fault));
            BOOST_TEST(reply.status == core::traits(fault).status);
        }
    }
}

BOOST_AUTO_TEST_CASE(whoever_failed_by_basic_is_challenged_by_basic, *label("T9")) {
    BOOST_TEST(header_of(answer(Fault::invalid_client, Face::oauth), "WWW-Authenticate") == "(absent)");
    request.authorization = "Basic YTo=";
    BOOST_TEST(answer(Fault::invalid_client, Face::oauth).status == 401);
    BOOST_TEST(header_of(answer(Fault::invalid_client, Face::oauth), "WWW-Authenticate").starts_with("Basic "));
    BOOST_TEST(header_of(answer(Fault::invalid_grant, Face::oauth), "WWW-Authenticate") == "(absent)");
}

BOOST_AUTO_TEST_CASE(a_bad_bearer_is_challenged_by_bearer, *label("contract_2")) {
    BOOST_TEST(header_of(answer(Fault::invalid_bearer, Face::gateway), "WWW-Authenticate").starts_with("Bearer "));
    BOOST_TEST(header_of(answer(Fault::browser_mismatch, Face::gateway), "WWW-Authenticate") == "(absent)");
}

BOOST_AUTO_TEST_CASE(a_person_with_an_unknown_app_gets_400_and_a_program_401, *label("A3") * label("R18")) {
    BOOST_TEST(answer(Fault::invalid_client, Face::page, browser_accept).status == 400);
    BOOST_TEST(answer(Fault::invalid_client, Face::oauth).status == 401);
}

BOOST_AUTO_TEST_CASE(whoever_should_come_back_is_told_when, *label("contract_1") * label("T29")) {
    for (const auto face : {Face::page, Face::gateway, Face::oauth, Face::json}) {
        BOOST_TEST(header_of(answer(Fault::store_unavailable, face), "Retry-After") == "2");
        BOOST_TEST(header_of(answer(Fault::server_error, face), "Retry-After") == "(absent)");
        auto error = core::refuse(Fault::too_many_requests, core::Say{});
        error.retry_after_seconds = 17;
        BOOST_TEST(header_of(web::answer(error, face, request, house.site, "x"), "Retry-After") == "17");
    }
}

BOOST_AUTO_TEST_CASE(a_mistake_leads_back_to_the_page_with_a_word_of_a_closed_set, *label("contract_3")) {
    for (const auto fault : {Fault::identity_required, Fault::invalid_virtual_key, Fault::invalid_user_id}) {
        const auto reply = answer(fault, Face::gateway);
        BOOST_TEST_CONTEXT(name_of(fault)) {
            BOOST_TEST(reply.status == 302);
            BOOST_TEST(location_of(reply) == "/oauth/consent?flow_id=" + std::string(22, 'f') + "&error=" + name_of(fault));
            BOOST_TEST(reply.body.empty());
            BOOST_TEST(header_of(reply, "Cache-Control") == "no-store");
        }
    }
}

BOOST_AUTO_TEST_CASE(an_error_bounces_only_where_it_may_and_else_shows_a_link, *label("A26") * label("K10")) {
    const auto bounced = [&](const std::string& uri) {
        auto error = core::refuse(Fault::invalid_scope, core::Say{"none"}, {}, "scope");
        error.back = core::match_redirect(sample_client({uri}), uri, "s");
        request.accept = browser_accept;
        return web::answer(error, Face::page, request, house.site, "x");
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
    auto error = core::refuse(Fault::invalid_redirect_uri, core::Say{"no"});
    error.detail = "<script>alert(1)</script>\nhttps://c.example/\"onload=x\n\u202Egnp\n\xff";
    request.accept = browser_accept;
    const auto reply = web::answer(error, Face::page, request, house.site, "x");
    BOOST_TEST(!holds(reply.body, "<script"));
    BOOST_TEST(!holds(reply.body, "\"onload"));
    BOOST_TEST(!holds(reply.body, "\u202E"));
    BOOST_TEST(core::valid_utf8(reply.body));
    BOOST_TEST(holds(reply.body, "&lt;script&gt;"));
}

BOOST_AUTO_TEST_SUITE_END()
