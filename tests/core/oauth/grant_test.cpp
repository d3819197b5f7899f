#include "consentgate/core/oauth/grant.h"

#include "tests/support/requests.h"
#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

// A code and its session, as stored, and a request that fits them; a case spoils some of it.
struct Presented {
    Parameters form = sample_exchange();
    std::optional<IssuedCode> code = sample_finalization().code;
    std::optional<Session> session = sample_finalization().session;
    Policy policy = sample_policy();
    Instant now = noon;

    Result<Exchange> valid() const {
        const auto request = parse_code_request(
            web::read_token_request(form.form()), ClientId(form.value("client_id")));
        return request ? validate_code_request(*request, code, session, policy, now)
                       : Result<Exchange>(request.error());
    }
    std::string verdict() const {
        const auto result = valid();
        if (!result) return code_of(result);
        return *result == Exchange::redeem   ? "redeem"
               : *result == Exchange::repeat ? "repeat"
                                             : "replay";
    }
    std::string reason() const { return valid().error().reason; }
};

std::string parsed(const Parameters& form) {
    if (const auto grant = parse_grant_type(web::read_token_request(form.form()), sample_policy());
        !grant)
        return code_of(grant);
    return code_of(
        parse_code_request(web::read_token_request(form.form()), ClientId("cgc_sample")));
}

} // namespace

BOOST_AUTO_TEST_SUITE(grant)

// ---- the request in form
BOOST_AUTO_TEST_CASE(
    the_grant_is_an_authorization_code_or_the_right_error, *label("T4") * label("T35")) {
    BOOST_TEST(parsed(sample_exchange()) == "ok");
    BOOST_TEST(parsed(sample_exchange().without("grant_type")) == "invalid_request");
    BOOST_TEST(parsed(sample_exchange().with("grant_type", "")) == "invalid_request");
    for (const auto* grant :
         {"foo", "password", "client_credentials", "implicit", "Authorization_Code"}) {
        BOOST_TEST_CONTEXT(grant)
        BOOST_TEST(parsed(sample_exchange().with("grant_type", grant)) == "unsupported_grant_type");
    }
}

BOOST_AUTO_TEST_CASE(
    a_repeated_parameter_is_refused_and_an_unknown_one_ignored, *label("T5") * label("K46")) {
    for (const auto* name : {"grant_type", "code", "client_id", "code_verifier", "redirect_uri"}) {
        BOOST_TEST_CONTEXT(name)
        BOOST_TEST(parsed(sample_exchange().with(name, "x").also(name, "x")) == "invalid_request");
    }
    BOOST_TEST(
        parsed(sample_exchange().also("foo", "bar").also("foo", "baz").also("scope", "")) == "ok");
}

BOOST_AUTO_TEST_CASE(code_client_and_verifier_are_required, *label("T6") * label("T14")) {
    BOOST_TEST(parsed(sample_exchange().without("code")) == "invalid_request");
    BOOST_TEST(parsed(sample_exchange().with("code", "")) == "invalid_request");
    BOOST_TEST(parsed(sample_exchange().without("code_verifier")) == "invalid_grant");
}

BOOST_AUTO_TEST_CASE(a_verifier_out_of_shape_is_refused, *label("T14")) {
    for (const auto& [verifier, verdict] : std::vector<std::pair<std::string, std::string>>{
             {std::string(42, 'a'), "invalid_grant"},
             {std::string(43, 'a'), "ok"},
             {std::string(128, 'a'), "ok"},
             {std::string(129, 'a'), "invalid_grant"},
             {std::string(43, 'a') + "=", "invalid_grant"}}) {
        BOOST_TEST_CONTEXT(verifier)
        BOOST_TEST(parsed(sample_exchange().with("code_verifier", verifier)) == verdict);
    }
}

BOOST_AUTO_TEST_CASE(two_resources_cannot_be_named_at_once, *label("T18") * label("A21")) {
    BOOST_TEST(
        parsed(sample_exchange()
                   .also("resource", "https://a.example")
                   .also("resource", "https://b.example")) == "invalid_target");
}

// ---- the code
BOOST_AUTO_TEST_CASE(everything_right_redeems, *label("T12") * label("T15")) {
    Presented it;
    BOOST_TEST(it.verdict() == "redeem");
    it.form = it.form.with("redirect_uri", "http://127.0.0.1:53111/callback");
    BOOST_TEST(it.verdict() == "redeem");
    it.form = it.form.with("resource", "https://tools.example.org/mcp");
    BOOST_TEST(it.verdict() == "redeem");
}

BOOST_AUTO_TEST_CASE(each_single_defect_is_an_invalid_grant, *label("T13")) {
    Presented unknown;
    unknown.code.reset();
    unknown.session.reset();
    Presented foreign;
    foreign.form = foreign.form.with("client_id", "cgc_other");
    Presented elsewhere;
    elsewhere.form = elsewhere.form.with("redirect_uri", "http://127.0.0.1:53112/callback");
    Presented unproven;
    unproven.form = unproven.form.with("code_verifier", std::string(43, 'x'));
    Presented revoked;
    revoked.session->revoked_at = noon;
    for (const auto* bad : {&unknown, &foreign, &elsewhere, &unproven, &revoked}) {
        BOOST_TEST_CONTEXT(bad->reason()) BOOST_TEST(bad->verdict() == "invalid_grant");
    }
}

BOOST_AUTO_TEST_CASE(the_refusals_do_not_tell_what_was_wrong, *label("T13") * label("K39")) {
    Presented unknown;
    unknown.code.reset();
    Presented foreign;
    foreign.form = foreign.form.with("client_id", "cgc_other");
    Presented unproven;
    unproven.form = unproven.form.with("code_verifier", std::string(43, 'x'));
    BOOST_TEST(unknown.valid().error().message == foreign.valid().error().message);
    BOOST_TEST(unknown.valid().error().message == unproven.valid().error().message);
}

BOOST_AUTO_TEST_CASE(a_code_is_good_until_its_last_second, *label("A24") * label("T13")) {
    Presented it;
    it.now = noon + Span(299);
    BOOST_TEST(it.verdict() == "redeem");
    it.now = noon + Span(300);
    BOOST_TEST(it.verdict() == "invalid_grant");
}

BOOST_AUTO_TEST_CASE(a_session_that_ended_first_gives_no_token, *label("T13")) {
    Presented it;
    it.session->expires_at = noon;
    BOOST_TEST(it.verdict() == "invalid_grant");
    it.session->expires_at = noon + Span(1);
    BOOST_TEST(it.verdict() == "redeem");
}

BOOST_AUTO_TEST_CASE(
    another_resource_is_an_invalid_target_that_keeps_the_code,
    *label("T18") * label("K37") * label("XE5")) {
    Presented it;
    it.form = sample_exchange().with("resource", "https://tools.example.org/other");
    BOOST_TEST(it.verdict() == "invalid_target");
    for (const auto* spelling :
         {"https://TOOLS.example.org/mcp", "https://tools.example.org/mcp/",
          "https://tools.example.org", "https://tools.example.org/mcp?x"}) {
        it.form = sample_exchange().with("resource", spelling);
        BOOST_TEST_CONTEXT(spelling) BOOST_TEST(it.verdict() == "redeem");
    }
    it.form = sample_exchange().with("resource", "https://tools.example.org/mcp/x");
    BOOST_TEST(it.verdict() == "invalid_target");
}

// Each step spoils one thing more, from the last check to the first: the earlier check must speak.
BOOST_AUTO_TEST_CASE(the_checks_come_in_the_order_of_t12, *label("T12")) {
    Presented it;
    it.form = it.form.with("resource", "https://other.example");
    BOOST_TEST(it.verdict() == "invalid_target");
    it.form = it.form.with("code_verifier", std::string(43, 'x'));
    BOOST_TEST(it.reason() == "the verifier does not match");
    it.form = it.form.with("redirect_uri", "https://other.example/cb");
    BOOST_TEST(it.reason() == "another redirect_uri");
    it.now = noon + Span(300);
    BOOST_TEST(it.reason() == "expired");
    it.form = it.form.with("client_id", "cgc_other");
    BOOST_TEST(it.reason() == "another client's code");
    it.code.reset();
    BOOST_TEST(it.reason() == "unknown code");
}

BOOST_AUTO_TEST_CASE(
    a_spent_code_with_everything_right_is_a_repeat_for_half_a_minute_and_then_a_replay,
    *label("T16") * label("K18") * label("XE4")) {
    Presented it;
    it.code->redeemed_at = noon;
    for (const int since : {-5, 0, 29}) {
        it.now = noon + Span(since);
        BOOST_TEST_CONTEXT(since) BOOST_TEST(it.verdict() == "repeat");
    }
    it.now = noon + Span(30);
    BOOST_TEST(it.verdict() == "replay");
    it.now = noon + Span(3600);
    BOOST_TEST(it.verdict() == "replay");
    it.session->revoked_at = noon;
    BOOST_TEST(it.verdict() == "replay");
}

BOOST_AUTO_TEST_CASE(a_spent_code_with_anything_wrong_revokes_nothing, *label("T16")) {
    Presented spent;
    spent.code->redeemed_at = noon;
    auto unproven = spent;
    unproven.form = unproven.form.with("code_verifier", std::string(43, 'x'));
    auto foreign = spent;
    foreign.form = foreign.form.with("client_id", "cgc_other");
    auto elsewhere = spent;
    elsewhere.form = elsewhere.form.with("redirect_uri", "https://other.example/cb");
    for (const auto* bad : {&unproven, &foreign, &elsewhere}) {
        BOOST_TEST_CONTEXT(bad->reason()) BOOST_TEST(bad->verdict() == "invalid_grant");
    }
}

BOOST_AUTO_TEST_CASE(the_token_document_has_its_four_members_with_their_types, *label("T3")) {
    const auto document = json_of(token_response(
        {Secret("cgs_x"), std::nullopt, sample_finalization().session}, noon + Span(10)));
    BOOST_TEST(members_of(*document) == "access_token token_type expires_in scope");
    BOOST_TEST(member_of(*document, "access_token") == "cgs_x");
    BOOST_TEST(member_of(*document, "token_type") == "Bearer");
    BOOST_TEST(document->integer("expires_in").value() == 86390);
    BOOST_TEST(member_of(*document, "scope") == "mcp");
    const auto refreshable = json_of(
        token_response({Secret("cgs_x"), Secret("cgr_y"), sample_finalization().session}, noon));
    BOOST_TEST(
        members_of(*refreshable) == "access_token token_type expires_in refresh_token scope");
    BOOST_TEST(member_of(*refreshable, "refresh_token") == "cgr_y");
}

BOOST_AUTO_TEST_SUITE_END()
