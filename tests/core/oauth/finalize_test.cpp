// Tests src/core/oauth/consent.cpp: the rows that finishing a consent writes, and its redirect.
#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

std::string location_of(const Flow& flow) {
    return finalize(
               flow, {IdentityKind::skipped, {}}, sample_fresh(), sample_keyring(), sample_policy(),
               noon)
        .location.reveal();
}

} // namespace

BOOST_AUTO_TEST_SUITE(finalizing)

BOOST_AUTO_TEST_CASE(the_session_is_what_the_flow_was, *label("S1")) {
    auto flow = sample_flow();
    flow.revision = 7;
    const auto finalized_flow = finalize(
        flow, {IdentityKind::user_id, "anna"}, sample_fresh(), sample_keyring(), sample_policy(),
        noon);
    BOOST_TEST(finalized_flow.flow_id.text == flow.id.text);
    BOOST_TEST(finalized_flow.revision == 7);
    BOOST_TEST((finalized_flow.now == noon));
    const auto& session = finalized_flow.session;
    BOOST_TEST(session.id.text == "session_sample");
    BOOST_TEST(session.flow_id.text == flow.id.text);
    BOOST_TEST((session.browser == flow.browser));
    BOOST_TEST(session.client_id.text == "cgc_sample");
    BOOST_TEST((session.identity == Identity{IdentityKind::user_id, "anna"}));
    BOOST_TEST(session.scope.text() == "mcp");
    BOOST_TEST(session.resource == flow.resource);
    BOOST_TEST((session.created_at == noon));
    BOOST_TEST((session.expires_at - noon).count() == 86400);
    BOOST_TEST(!session.revoked_at);
}

BOOST_AUTO_TEST_CASE(the_code_is_bound_to_everything_the_flow_proved, *label("A24")) {
    const auto finalized_flow = sample_finalization();
    BOOST_TEST(finalized_flow.code.client_id.text == "cgc_sample");
    BOOST_TEST(finalized_flow.code.redirect_uri == "http://127.0.0.1:53111/callback");
    BOOST_TEST(finalized_flow.code.code_challenge == rfc7636_challenge);
    BOOST_TEST(finalized_flow.code.session_id.text == finalized_flow.session.id.text);
    BOOST_TEST(finalized_flow.code.key_id.text == "k1");
    BOOST_TEST((finalized_flow.code.expires_at - noon).count() == 300);
    BOOST_TEST(!finalized_flow.code.redeemed_at);
}

BOOST_AUTO_TEST_CASE(
    only_digests_of_the_code_and_the_token_are_written, *label("S12") * label("A24")) {
    const auto finalized_flow = sample_finalization();
    BOOST_TEST((finalized_flow.code.hash == sha256(sample_fresh().code)));
    BOOST_TEST(
        (finalized_flow.session.token ==
         sha256(*sample_keyring().session_token(KeyId("k1"), sample_fresh().code))));
    BOOST_TEST(!(finalized_flow.session.token == finalized_flow.code.hash));
}

BOOST_AUTO_TEST_CASE(lifetimes_are_the_policys, *label("S14")) {
    auto policy = sample_policy();
    policy.code_lifetime = Span(2);
    policy.session_lifetime = Span(60);
    const auto finalized_flow =
        finalize(sample_flow(), {}, sample_fresh(), sample_keyring(), policy, noon);
    BOOST_TEST((finalized_flow.code.expires_at - noon).count() == 2);
    BOOST_TEST((finalized_flow.session.expires_at - noon).count() == 60);
}

BOOST_AUTO_TEST_CASE(
    upstream_tokens_go_from_the_flow_to_the_sessions_owner, *label("S1") * label("S11")) {
    BOOST_TEST(sample_finalization().flow_owner.text() == "flow:" + sample_flow().id.text);
    BOOST_TEST(sample_finalization().session_owner.text() == "session:session_sample");
    BOOST_TEST(
        sample_finalization({IdentityKind::virtual_key, "vk_sample"}).session_owner.text() ==
        "key:vk_sample");
    BOOST_TEST(
        sample_finalization({IdentityKind::user_id, "anna"}).session_owner.text() ==
        "session:session_sample");
}

BOOST_AUTO_TEST_CASE(
    the_location_carries_code_state_and_issuer_once_each,
    *label("A8") * label("A22") * label("A23") * label("K3")) {
    const auto location = location_of(sample_flow());
    BOOST_TEST(
        location == "http://127.0.0.1:53111/callback?code=" + std::string(43, 'c') +
                        "&state=a%20state&iss=https%3A%2F%2Fauth.example.org");
}

BOOST_AUTO_TEST_CASE(the_redirect_uris_own_query_stays_in_front, *label("A9")) {
    auto flow = sample_flow();
    flow.redirect_uri = "https://c.example/cb?x=1&y=%2F";
    BOOST_TEST(location_of(flow).starts_with("https://c.example/cb?x=1&y=%2F&code="));
    BOOST_TEST(location_of(flow).find('#') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_state_comes_back_byte_by_byte_and_only_when_it_was_sent, *label("A22")) {
    auto flow = sample_flow();
    for (const auto* state : {"&=+%20\u00e9", " ", "#?/\\\"'<>", "%00", "state=x&code=y"}) {
        flow.state = state;
        BOOST_TEST_CONTEXT(state) {
            BOOST_TEST(query_value(location_of(flow), "state") == state);
            BOOST_TEST(query_value(location_of(flow), "code") == std::string(43, 'c'));
        }
    }
    flow.state.reset();
    BOOST_TEST(query_value(location_of(flow), "state") == "(absent)");
}

BOOST_AUTO_TEST_CASE(
    a_denial_says_access_denied_with_state_and_issuer, *label("A27") * label("A23")) {
    const auto location = denial_location(sample_flow(), sample_policy());
    BOOST_TEST(location.starts_with("http://127.0.0.1:53111/callback?"));
    BOOST_TEST(query_value(location, "error") == "access_denied");
    BOOST_TEST(query_value(location, "state") == "a state");
    BOOST_TEST(query_value(location, "iss") == "https://auth.example.org");
    BOOST_TEST(query_value(location, "code") == "(absent)");
}

BOOST_AUTO_TEST_CASE(
    an_error_by_redirect_carries_issuer_and_state_once_and_plain_ascii,
    *label("A22") * label("A23") * label("A35")) {
    const auto back = match_redirect(sample_client(), "http://127.0.0.1:5/callback", "s", {});
    const auto location =
        error_location(*back, "invalid_scope", "caf\u00e9 \"x\" \\", sample_policy());
    BOOST_TEST(query_value(location, "error") == "invalid_scope");
    BOOST_TEST(query_value(location, "state") == "s");
    BOOST_TEST(query_value(location, "iss") == "https://auth.example.org");
    BOOST_TEST(query_value(location, "error_description") == "caf    x   ");
    const auto bare =
        match_redirect(sample_client(), "http://127.0.0.1:5/callback", std::nullopt, {});
    BOOST_TEST(
        query_value(error_location(*bare, "server_error", "", sample_policy()), "state") ==
        "(absent)");
    BOOST_TEST(
        query_value(
            error_location(*bare, "server_error", "", sample_policy()), "error_description") ==
        "(absent)");
}

BOOST_AUTO_TEST_SUITE_END()
