// One consent through the use-cases, on SQLite: who may act, what a flow answers at each point of
// its life.
#include "dependencies_fixture.h"

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_FIXTURE_TEST_SUITE(consent, DependenciesFixture)

BOOST_AUTO_TEST_CASE(
    a_finished_flow_answers_already_submitted_to_its_browser_and_mismatch_to_others, *label("S2")) {
    const auto flow = begin();
    BOOST_TEST(code_of(usecase::submit_consent(deps, {flow}, person, noon)) == "ok");
    BOOST_TEST(
        code_of(usecase::submit_consent(deps, {flow}, person, noon)) == "flow_already_submitted");
    BOOST_TEST(
        code_of(usecase::submit_consent(deps, {flow}, stranger, noon)) == "browser_mismatch");
    BOOST_TEST(code_of(usecase::open_flow(deps, flow, person, noon)) == "flow_already_submitted");
    BOOST_TEST(
        code_of(usecase::choose_user_id(deps, flow, "anna", person, noon)) ==
        "flow_already_submitted");
}

BOOST_AUTO_TEST_CASE(an_unknown_flow_is_invalid_and_an_expired_one_says_so, *label("S2")) {
    BOOST_TEST(
        code_of(usecase::submit_consent(
            deps, {core::FlowId(std::string(22, 'x'))}, person, noon)) == "invalid_flow");
    const auto flow = begin();
    BOOST_TEST(
        code_of(usecase::submit_consent(deps, {flow}, person, noon + core::Span(900))) ==
        "flow_expired");
    BOOST_TEST(
        code_of(usecase::submit_consent(deps, {flow}, person, noon + core::Span(899))) == "ok");
}

BOOST_AUTO_TEST_CASE(a_missing_or_foreign_cookie_is_a_mismatch_and_changes_nothing, *label("S2")) {
    const auto flow = begin();
    BOOST_TEST(
        code_of(usecase::submit_consent(deps, {flow}, usecase::BrowserContext{}, noon)) ==
        "browser_mismatch");
    BOOST_TEST(code_of(usecase::deny_consent(deps, flow, stranger, noon)) == "browser_mismatch");
    BOOST_TEST(code_of(usecase::skip_identity(deps, flow, stranger, noon)) == "browser_mismatch");
    BOOST_TEST(code_of(usecase::submit_consent(deps, {flow}, person, noon)) == "ok");
}

BOOST_AUTO_TEST_CASE(a_flow_of_a_disabled_client_is_invalid, *label("A3")) {
    const auto flow = begin();
    store->clients.disable(core::ClientId("cgc_sample"));
    BOOST_TEST(code_of(usecase::submit_consent(deps, {flow}, person, noon)) == "invalid_flow");
}

BOOST_AUTO_TEST_CASE(the_session_has_the_identity_that_was_chosen_last, *label("S2")) {
    const auto key = put_key("sk-bf-anna", "vk_anna");
    const auto flow = begin();
    BOOST_TEST(code_of(usecase::choose_user_id(deps, flow, " anna ", person, noon)) == "ok");
    BOOST_TEST(
        code_of(usecase::choose_virtual_key(
            deps, flow, core::Secret("sk-bf-anna"), person, noon)) == "ok");
    BOOST_TEST(
        code_of(usecase::choose_virtual_key(
            deps, flow, core::Secret("sk-bf-wrong"), person, noon)) == "invalid_virtual_key");
    BOOST_REQUIRE(usecase::submit_consent(deps, {flow}, person, noon));
    const auto sessions = store->sessions.list(noon);
    BOOST_REQUIRE(sessions.size() == 1U);
    BOOST_TEST(
        (sessions[0].session.identity ==
         core::Identity{core::IdentityKind::virtual_key, key.id.text}));
}

BOOST_AUTO_TEST_CASE(where_an_identity_is_enforced_it_cannot_be_skipped, *label("S2")) {
    policy.identities = policy.identities.without(core::IdentityKind::skipped);
    const auto flow = begin();
    BOOST_TEST(code_of(usecase::skip_identity(deps, flow, person, noon)) == "identity_required");
    BOOST_TEST(code_of(usecase::submit_consent(deps, {flow}, person, noon)) == "identity_required");
    BOOST_TEST(code_of(usecase::choose_user_id(deps, flow, "anna", person, noon)) == "ok");
    BOOST_TEST(code_of(usecase::submit_consent(deps, {flow}, person, noon)) == "ok");
}

BOOST_AUTO_TEST_CASE(a_raw_key_as_bearer_becomes_the_identity_of_a_flow_without_one, *label("S4")) {
    put_key("sk-bf-anna", "vk_anna");
    BOOST_TEST(
        code_of(usecase::submit_consent(
            deps, {begin(), core::Secret("sk-bf-anna")}, person, noon)) == "ok");
    BOOST_TEST(store->sessions.list(noon).front().session.identity.value == "vk_anna");
    BOOST_TEST(
        code_of(usecase::submit_consent(
            deps, {begin(), core::Secret("sk-bf-unknown")}, person, noon)) == "invalid_bearer");
}

BOOST_AUTO_TEST_CASE(a_bearer_for_another_identity_is_refused_and_the_flow_goes_on, *label("S4")) {
    put_key("sk-bf-anna", "vk_anna");
    put_key("sk-bf-ben", "vk_ben");
    const auto flow = begin();
    BOOST_REQUIRE(
        usecase::choose_virtual_key(deps, flow, core::Secret("sk-bf-anna"), person, noon));
    BOOST_TEST(
        code_of(usecase::submit_consent(deps, {flow, core::Secret("sk-bf-ben")}, person, noon)) ==
        "invalid_bearer");
    BOOST_TEST(
        code_of(usecase::submit_consent(deps, {flow, core::Secret("sk-bf-anna")}, person, noon)) ==
        "ok");

    const auto typed = begin();
    BOOST_REQUIRE(usecase::choose_user_id(deps, typed, "anna", person, noon));
    BOOST_TEST(
        code_of(usecase::submit_consent(deps, {typed, core::Secret("sk-bf-anna")}, person, noon)) ==
        "invalid_bearer");
}

BOOST_AUTO_TEST_CASE(a_virtual_key_bearer_does_not_replace_the_cookie, *label("S4")) {
    put_key("sk-bf-anna", "vk_anna");
    BOOST_TEST(
        code_of(usecase::submit_consent(
            deps, {begin(), core::Secret("sk-bf-anna")}, usecase::BrowserContext{}, noon)) ==
        "browser_mismatch");
}

BOOST_AUTO_TEST_CASE(a_disabled_or_expired_key_is_no_bearer, *label("S4")) {
    put_key("sk-bf-anna", "vk_anna");
    store->virtual_keys.disable(core::VirtualKeyId("vk_anna"), noon);
    BOOST_TEST(
        code_of(usecase::submit_consent(
            deps, {begin(), core::Secret("sk-bf-anna")}, person, noon)) == "invalid_bearer");
    auto brief = sample_virtual_key("sk-bf-brief");
    brief.id = core::VirtualKeyId("vk_brief");
    brief.expires_at = noon;
    store->virtual_keys.put(brief);
    BOOST_TEST(
        code_of(usecase::submit_consent(
            deps, {begin(), core::Secret("sk-bf-brief")}, person, noon)) == "invalid_bearer");
}

BOOST_AUTO_TEST_CASE(a_denied_flow_is_over_and_the_client_gets_access_denied, *label("A27")) {
    const auto flow = begin();
    const auto denied = usecase::deny_consent(deps, flow, person, noon);
    BOOST_REQUIRE_EQUAL(code_of(denied), "ok");
    BOOST_TEST(query_value(denied->location, "error") == "access_denied");
    BOOST_TEST(query_value(denied->location, "state") == "a state");
    BOOST_TEST(query_value(denied->location, "iss") == policy.issuer);
    BOOST_TEST(code_of(usecase::submit_consent(deps, {flow}, person, noon)) == "invalid_flow");
}

BOOST_AUTO_TEST_CASE(
    an_ending_is_its_browser_s_alone_and_lasts_as_long_as_it_helps, *label("XE2")) {
    auto own = person;
    own.secret = sample_browser_secret();
    const auto ending_of = [&](const core::FlowId& flow, core::Instant now = noon) {
        return usecase::find_ending(deps, flow, own, now);
    };
    const auto open = begin();
    BOOST_REQUIRE_EQUAL(code_of(ending_of(open)), "ok");
    BOOST_TEST(!ending_of(open)->has_value());
    BOOST_TEST(code_of(ending_of(open, noon + core::Span(900))) == "flow_expired");

    const auto denied = begin();
    BOOST_REQUIRE(usecase::deny_consent(deps, denied, own, noon));
    const auto refusal = ending_of(denied);
    BOOST_REQUIRE(refusal && *refusal);
    BOOST_TEST((*refusal)->denied);
    BOOST_TEST((*refusal)->client_name == "Sample");
    BOOST_TEST(query_value((*refusal)->location->reveal(), "error") == "access_denied");
    BOOST_TEST(!(*ending_of(denied, noon + core::Span(900)))->location.has_value());

    const auto finished = begin();
    const auto submitted = usecase::submit_consent(deps, {finished}, own, noon);
    BOOST_REQUIRE(submitted);
    const auto end = ending_of(finished);
    BOOST_REQUIRE(end && *end);
    BOOST_TEST(!(*end)->denied);
    BOOST_TEST((*end)->client_name == "Sample");
    BOOST_TEST((*end)->location->reveal() == submitted->location.reveal());
    BOOST_TEST(!(*ending_of(finished, noon + core::Span(300)))->location.has_value());
    for (const auto& flow : {denied, finished})
        BOOST_TEST(code_of(usecase::find_ending(deps, flow, stranger, noon)) == "browser_mismatch");
    BOOST_TEST(code_of(ending_of(core::FlowId(std::string(22, 'x')))) == "invalid_flow");
}

// The choice is made at the moment between the submit's look and its write.
BOOST_AUTO_TEST_CASE(
    an_identity_chosen_in_the_midst_of_a_submit_is_the_one_that_counts, *label("S2")) {
    const auto flow = begin();
    auto meddled = config;
    bool once = true;
    meddled.before_statement = [&](std::string_view sql) {
        if (!sql.starts_with("BEGIN") || !once) return;
        once = false;
        BOOST_TEST(code_of(usecase::choose_user_id(deps, flow, "late", person, noon)) == "ok");
    };
    const auto store_in_motion = store::open_store(meddled);
    auto& other = with(*store_in_motion);
    BOOST_TEST(code_of(usecase::submit_consent(other, {flow}, person, noon)) == "ok");
    BOOST_TEST(store->sessions.list(noon).front().session.identity.value == "late");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(token, DependenciesFixture)

BOOST_AUTO_TEST_CASE(a_code_gives_the_token_of_its_session_once, *label("T13")) {
    const auto parameters = sample_exchange().with("code", finished_code());
    const auto granted = grant(parameters);
    BOOST_REQUIRE_EQUAL(code_of(granted), "ok");
    BOOST_TEST(store->sessions.find(core::sha256(granted->token)).has_value());
    BOOST_TEST(code_of(grant(parameters)) == "invalid_grant");
}

BOOST_AUTO_TEST_CASE(
    a_replay_with_everything_right_ends_the_session_and_one_with_a_wrong_verifier_does_not,
    *label("T16")) {
    const auto parameters = sample_exchange().with("code", finished_code());
    const auto granted = grant(parameters);
    BOOST_REQUIRE(granted);
    const auto hash = core::sha256(granted->token);
    BOOST_TEST(
        code_of(grant(parameters.with("code_verifier", std::string(43, 'w')))) == "invalid_grant");
    BOOST_TEST(!store->sessions.find(hash)->session.revoked_at.has_value());
    BOOST_TEST(code_of(grant(parameters, noon + core::Span(3600))) == "invalid_grant");
    BOOST_TEST(store->sessions.find(hash)->session.revoked_at.has_value());
}

// Another process of the client redeems it between this one's read and its write.
BOOST_AUTO_TEST_CASE(
    whoever_loses_the_race_for_a_code_is_refused_and_ends_nothing,
    *label("T17") * label("K19") * label("XE4")) {
    const auto parameters = sample_exchange().with("code", finished_code());
    auto meddled = config;
    std::optional<core::Result<core::TokenGrant>> won;
    meddled.before_statement = [&](std::string_view sql) {
        if (sql.starts_with("BEGIN") && !won) won = grant(parameters);
    };
    const auto store_in_motion = store::open_store(meddled);
    BOOST_TEST(code_of(grant_with(with(*store_in_motion), parameters)) == "invalid_grant");
    BOOST_REQUIRE((won && *won));
    BOOST_TEST(!store->sessions.find(core::sha256((*won)->token))->session.revoked_at.has_value());
}

BOOST_AUTO_TEST_CASE(a_wrong_verifier_leaves_the_code_usable, *label("T12")) {
    const auto parameters = sample_exchange().with("code", finished_code());
    BOOST_TEST(
        code_of(grant(parameters.with("code_verifier", std::string(43, 'w')))) == "invalid_grant");
    BOOST_TEST(
        code_of(grant(parameters.with("redirect_uri", "http://127.0.0.1/callback"))) ==
        "invalid_grant");
    BOOST_TEST(
        code_of(grant(parameters.with("resource", "https://else.example/mcp"))) ==
        "invalid_target");
    BOOST_TEST(code_of(grant(parameters)) == "ok");
}

BOOST_AUTO_TEST_CASE(a_code_lives_five_minutes, *label("A24")) {
    const auto late = sample_exchange().with("code", finished_code());
    BOOST_TEST(code_of(grant(late, noon + core::Span(300))) == "invalid_grant");
    BOOST_TEST(code_of(grant(late, noon + core::Span(299))) == "ok");
}

BOOST_AUTO_TEST_CASE(
    an_unknown_or_disabled_client_is_invalid_client_and_costs_no_code, *label("R18")) {
    const auto parameters = sample_exchange().with("code", finished_code());
    BOOST_TEST(code_of(grant(parameters.with("client_id", "cgc_gone"))) == "invalid_client");
    auto other = sample_client();
    other.id = core::ClientId("cgc_other");
    store->clients.put(other);
    BOOST_TEST(code_of(grant(parameters.with("client_id", "cgc_other"))) == "invalid_grant");
    BOOST_TEST(code_of(grant(parameters)) == "ok");
    BOOST_TEST(store->clients.find(core::ClientId("cgc_sample"))->last_used_at.has_value());
}

BOOST_AUTO_TEST_CASE(
    a_key_file_without_the_code_s_key_is_our_error_and_costs_no_code, *label("S12")) {
    const auto parameters = sample_exchange().with("code", finished_code());
    core::Keyring other({{core::KeyId("k2"), core::Secret(std::string(32, '\2'))}});
    BOOST_TEST(code_of(grant_with(with(other), parameters)) == "server_error");
    BOOST_TEST(code_of(grant(parameters)) == "ok");
}

BOOST_AUTO_TEST_SUITE_END()
