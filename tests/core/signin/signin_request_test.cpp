#include "consentgate/core/signin/signin_request.h"

#include "consentgate/core/base/form.h"
#include "consentgate/core/oauth/verified_user.h"
#include "consentgate/core/signin/identity_provider.h"

#include <boost/test/unit_test.hpp>

#include <set>

using namespace consentgate::core;
using boost::unit_test::label;

namespace {

const Instant noon = from_epoch(1'800'000'000);

Policy sample_policy() {
    Policy policy;
    policy.issuer = "https://tools.example.org";
    return policy;
}

IdentityProvider sample_idp() {
    IdentityProvider idp;
    idp.id = IdpId("corp");
    idp.issuer = "https://sso.example.org";
    idp.authorization_endpoint = "https://sso.example.org/auth?tenant=a";
    idp.client_id = "consentgate";
    idp.scope = "openid email profile groups";
    idp.version = 3;
    return idp;
}

SigninState sample_state() {
    SigninState state;
    state.browser = sha256("a browser");
    state.idp = IdpId("corp");
    state.idp_version = 3;
    state.expires_at = noon + signin_state_lifetime;
    return state;
}

Parameter once(std::string value) { return {.value = std::move(value), .count = 1}; }

std::string reason_of(const Checked& checked) { return checked ? "" : checked.error().reason; }

} // namespace

BOOST_AUTO_TEST_SUITE(signin_request)

BOOST_AUTO_TEST_CASE(a_person_is_sent_with_state_nonce_and_pkce, *label("SI20")) {
    auto idp = sample_idp();
    idp.authorize_parameters = {"kc_idp_hint=staff"};
    const SigninSecrets secrets{
        .state = Secret("the state"), .nonce = Secret("the nonce"), .verifier = Secret("v")};
    const auto url = signin_authorize_url(idp, {}, secrets, sample_policy()).reveal();
    BOOST_TEST(url.starts_with("https://sso.example.org/auth?tenant=a&response_type=code&"));
    const auto sent = Form::parse(url.substr(url.find('?') + 1));
    BOOST_REQUIRE(bool(sent));
    BOOST_TEST(
        sent->get("redirect_uri").value_or("") ==
        "https://tools.example.org/oauth/signin/corp/callback");
    BOOST_TEST(sent->get("state").value_or("") == "the state");
    BOOST_TEST(sent->get("nonce").value_or("") == "the nonce");
    BOOST_TEST(sent->get("scope").value_or("") == idp.scope);
    BOOST_TEST(sent->get("code_challenge_method").value_or("") == "S256");
    BOOST_TEST(sent->get("kc_idp_hint").value_or("") == "staff");
    for (const auto* name : {"prompt", "max_age", "response_mode", "request", "login_hint"})
        BOOST_TEST(sent->count(name) == 0U, name);
    BOOST_TEST(url.find("code_verifier") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(
    another_account_is_asked_for_in_words_that_the_provider_knows, *label("SI26")) {
    auto idp = sample_idp();
    BOOST_TEST(signin_question(idp, {}, false).prompt == "");
    BOOST_TEST(signin_question(idp, {}, true).prompt == "login");
    BOOST_TEST(signin_question(idp, {.prompt = "select_account"}, false).prompt == "login");
    BOOST_TEST(signin_question(idp, {.prompt = "login"}, true).prompt == "login");
    idp.prompts = {"none", "select_account"};
    BOOST_TEST(signin_question(idp, {}, true).prompt == "select_account");
    idp.prompts.clear();
    idp.kind = ProviderKind::google;
    BOOST_TEST(signin_question(idp, {}, true).prompt == "select_account");
}

BOOST_AUTO_TEST_CASE(google_is_not_asked_for_what_it_never_says, *label("SI31")) {
    auto idp = sample_idp();
    const WantedProof wanted{.prompt = "login", .max_age = Span(60)};
    BOOST_TEST(signin_question(idp, wanted, false).prompt == "login");
    BOOST_TEST((signin_question(idp, wanted, false).max_age == Span(60)));
    idp.kind = ProviderKind::google; // its ID token would lack auth_time, and nobody could sign in
    BOOST_TEST(signin_question(idp, wanted, false).prompt == "select_account");
    BOOST_TEST(!signin_question(idp, wanted, false).max_age.has_value());
}

BOOST_AUTO_TEST_CASE(github_is_sent_what_it_knows, *label("SI16") * label("SI46")) {
    auto idp = sample_idp();
    idp.kind = ProviderKind::github;
    const SigninSecrets secrets{
        .state = Secret("the state"), .nonce = Secret("the nonce"), .verifier = Secret("v")};
    const auto question = signin_question(idp, {.prompt = "login", .max_age = Span(60)}, false);
    BOOST_TEST(question.prompt == "select_account");
    BOOST_TEST(!question.max_age.has_value());
    const auto url = signin_authorize_url(idp, question, secrets, sample_policy()).reveal();
    const auto sent = Form::parse(url.substr(url.find('?') + 1));
    BOOST_REQUIRE(bool(sent));
    BOOST_TEST(sent->count("nonce") == 0U);
    BOOST_TEST(sent->get("state").value_or("") == "the state");
    BOOST_TEST(sent->get("code_challenge_method").value_or("") == "S256");
}

BOOST_AUTO_TEST_CASE(a_provider_that_sends_back_says_why, *label("SI8")) {
    BOOST_TEST(sent_error("https://a/cb?error=login_required&state=s") == "login_required");
    BOOST_TEST(sent_error("https://a/cb?state=s") == "");
    BOOST_TEST(sent_error("https://a/cb") == "");
    BOOST_TEST(wants_a_person("login_required"));
    BOOST_TEST(wants_a_person("interaction_required"));
    BOOST_TEST(!wants_a_person("invalid_scope"));
    BOOST_TEST(!wants_a_person(""));
}

BOOST_AUTO_TEST_CASE(an_answer_has_each_parameter_once, *label("SI22")) {
    const std::string state(43, 's');
    const CallbackParameters good{
        .state = once(state), .code = once("c"), .error = {}, .iss = once("https://sso")};
    BOOST_TEST(bool(read_signin_answer(good)));
    for (const auto which :
         {&CallbackParameters::state, &CallbackParameters::code, &CallbackParameters::error,
          &CallbackParameters::iss}) {
        auto twice = good;
        (twice.*which).count = 2;
        BOOST_TEST(!bool(read_signin_answer(twice)));
    }
    auto other = good;
    other.state = once("short");
    BOOST_TEST(!bool(read_signin_answer(other)));
}

BOOST_AUTO_TEST_CASE(
    an_answer_belongs_to_its_browser_provider_and_time,
    *label("SI22") * label("SA1") * label("SA16")) {
    const auto state = sample_state();
    const IdpId corp("corp");
    BOOST_TEST(bool(check_signin_answer(state, corp, state.browser, noon)));
    const auto elsewhere = check_signin_answer(state, corp, sha256("another"), noon);
    BOOST_TEST((elsewhere.error().code == ErrorCode::browser_mismatch));
    BOOST_TEST(!bool(check_signin_answer(state, corp, std::nullopt, noon)));
    BOOST_TEST(!bool(check_signin_answer(state, IdpId("other"), state.browser, noon)));
    BOOST_TEST(!bool(check_signin_answer(state, corp, state.browser, state.expires_at)));
    BOOST_TEST(bool(check_signin_answer(state, corp, state.browser, state.expires_at - Span(1))));
}

BOOST_AUTO_TEST_CASE(
    an_answer_names_its_issuer_where_that_was_announced,
    *label("SI14") * label("SI22") * label("SA10")) {
    const auto state = sample_state();
    auto idp = sample_idp();
    const auto check = [&](const std::optional<std::string>& iss) {
        Callback answer;
        answer.iss = iss;
        return reason_of(check_signin_provider(answer, state, idp));
    };
    BOOST_TEST(check(std::nullopt) == "");
    BOOST_TEST(check("https://sso.example.org") == "");
    for (const auto* other :
         {"https://sso.example.org/", "https://SSO.example.org", "https://sso.example.org:443",
          "http://sso.example.org", ""})
        BOOST_TEST(check(other) == "the answer names another issuer", other);
    idp.sends_iss = true;
    BOOST_TEST(check(std::nullopt) == "the answer names no issuer");
    BOOST_TEST(check("https://sso.example.org") == "");
    idp.version = 4;
    BOOST_TEST(check("https://sso.example.org") == "its provider was changed meanwhile");
    idp = sample_idp();
    idp.active = false;
    BOOST_TEST(check(std::nullopt) == "its provider is switched off");
    BOOST_TEST(!bool(check_signin_provider(Callback{}, state, std::nullopt)));
}

BOOST_AUTO_TEST_CASE(a_sign_in_suffices_as_the_app_wants_it, *label("SI21") * label("SI25")) {
    SignedIn signed_in;
    signed_in.signin.signed_in_at = noon;
    signed_in.signin.auth_time = noon - Span(100);
    BOOST_TEST(suffices(signed_in, {}, noon));
    BOOST_TEST(!suffices(signed_in, {.prompt = "login"}, noon));
    BOOST_TEST(!suffices(signed_in, {.prompt = "select_account"}, noon));
    BOOST_TEST(suffices(signed_in, {.max_age = Span(100)}, noon));
    BOOST_TEST(!suffices(signed_in, {.max_age = Span(99)}, noon));
    signed_in.signin.auth_time.reset();
    BOOST_TEST(suffices(signed_in, {.max_age = Span(0)}, noon));
}

BOOST_AUTO_TEST_CASE(
    a_sign_in_stands_until_something_ends_it, *label("SI10") * label("SI24") * label("SI59")) {
    SignedIn good;
    good.idp_active = true;
    good.signin.expires_at = noon + Span(1);
    BOOST_TEST(stands(good, noon));
    auto over = good;
    over.signin.expires_at = noon;
    BOOST_TEST(!stands(over, noon));
    over = good;
    over.signin.ended_at = noon - Span(1);
    BOOST_TEST(!stands(over, noon));
    over = good;
    over.person.disabled_at = noon;
    BOOST_TEST(!stands(over, noon));
    over = good;
    over.idp_active = false;
    BOOST_TEST(!stands(over, noon));
}

BOOST_AUTO_TEST_CASE(
    a_person_is_no_name_that_a_web_server_can_give, *label("SI48") * label("SA29")) {
    const auto identity = person_identity("https://a", "1");
    BOOST_TEST(identity.is_person());
    BOOST_TEST((identity != person_identity("https://b", "1")));
    BOOST_TEST(person_of(identity)->text == identity.owner(SessionId()).id());
    BOOST_TEST(identity.owner(SessionId()).text() == "user:" + person_id("https://a", "1").text);
    const Identity named{IdentityKind::verified_user, "https://a 1"};
    BOOST_TEST(!named.is_person());
    BOOST_TEST(!person_of(named).has_value());
    BOOST_TEST(!Identity({IdentityKind::user_id, identity.value}).is_person());
    Policy policy;
    policy.verified_user = VerifiedUser::remote_user;
    BOOST_TEST(!bool(verified_principal(identity.value, policy)));
}

BOOST_AUTO_TEST_CASE(a_provider_must_vouch_for_a_person_from_time_to_time, *label("SI57")) {
    auto policy = sample_policy();
    policy.signin_max_age = Span(100);
    Person person;
    person.checked_at = noon;
    BOOST_TEST(bool(check_vouched(person, policy, noon + Span(100))));
    const auto late = check_vouched(person, policy, noon + Span(101));
    BOOST_TEST((late.error().code == ErrorCode::invalid_grant));
    policy.signin_max_age = Span(0);
    BOOST_TEST(bool(check_vouched(person, policy, noon + Span(101))));
}

BOOST_AUTO_TEST_SUITE_END()
