#include "consentgate/core/upstream/upstream.h"

#include "consentgate/core/upstream/service_discovery.h"

#include "tests/support/requests.h"
#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

Service asking_service(ClientAuth auth = ClientAuth::client_secret_basic) {
    auto service = sample_service();
    service.authorization_endpoint += "?tenant=1";
    service.resource = service.url;
    service.scope = "read write";
    service.client_id = "our id";
    service.auth = auth;
    return service;
}

TokenReply replied(
    const std::string& body, int status = 200, const std::string& type = "application/json") {
    return read_token_reply({true, status, type, Secret(body)});
}

bool is(const TokenReply& reply, UpstreamError error) {
    return !reply.tokens && reply.error == error;
}

} // namespace

BOOST_AUTO_TEST_SUITE(upstream)

BOOST_AUTO_TEST_CASE(a_person_is_sent_with_pkce_state_resource_and_our_callback, *label("S7")) {
    const auto url =
        upstream_authorize_url(
            asking_service(), Secret("the-state"), Secret(rfc7636_verifier), sample_policy())
            .reveal();
    const auto query = form_of(url.substr(url.find('?') + 1));
    BOOST_TEST(url.starts_with("https://notion.example/authorize?tenant=1&"));
    BOOST_TEST(query.get("response_type").value() == "code");
    BOOST_TEST(query.get("client_id").value() == "our id");
    BOOST_TEST(
        query.get("redirect_uri").value() ==
        "https://auth.example.org/api/oauth/callback/" + asking_service().id.text);
    BOOST_TEST(query.get("state").value() == "the-state");
    BOOST_TEST(query.get("code_challenge").value() == rfc7636_challenge);
    BOOST_TEST(query.get("code_challenge_method").value() == "S256");
    BOOST_TEST(query.get("scope").value() == "read write");
    BOOST_TEST(query.get("resource").value() == "https://notion.example/mcp");
    BOOST_TEST(url.find(rfc7636_verifier) == std::string::npos);
    auto plain = asking_service();
    plain.scope = plain.resource = "";
    const auto bare =
        upstream_authorize_url(plain, Secret("s"), Secret(rfc7636_verifier), sample_policy())
            .reveal();
    BOOST_TEST(bare.find("scope=") == std::string::npos);
    BOOST_TEST(bare.find("resource=") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(
    openid_is_asked_for_with_a_nonce_that_tells_nothing_of_the_state, *label("S7")) {
    const auto sent = [](const char* scope, const char* state) {
        auto service = asking_service();
        service.scope = scope;
        const auto url = upstream_authorize_url(
                             service, Secret(state), Secret(rfc7636_verifier), sample_policy())
                             .reveal();
        return form_of(url.substr(url.find('?') + 1)).get("nonce").value_or("");
    };
    BOOST_TEST(sent("email openid", "one").size() == 43U);
    BOOST_TEST(sent("openid", "one") != sent("openid", "two"));
    BOOST_TEST(sent("openid", "one") != to_base64url(sha256_bytes("one")));
    BOOST_TEST(sent("read openid2", "one") == "");
}

BOOST_AUTO_TEST_CASE(a_virtual_key_uses_its_services_and_no_other, *label("S11")) {
    const Identity by_key{IdentityKind::virtual_key, "vk_sample"};
    auto key = sample_virtual_key();
    const auto valid = [&](const std::optional<Service>& service, const Identity& identity) {
        return code_of(authorize_service(service, identity, key, noon));
    };
    BOOST_TEST(valid(asking_service(), by_key) == "ok");
    key.services = {"github"};
    BOOST_TEST(valid(asking_service(), by_key) == "unknown_service");
    BOOST_TEST(valid(asking_service(), {IdentityKind::skipped, ""}) == "ok");
    key.services = {"github", "notion"};
    BOOST_TEST(valid(asking_service(), by_key) == "ok");
    key.active = false;
    BOOST_TEST(valid(asking_service(), by_key) == "unknown_service");
    BOOST_TEST(valid(std::nullopt, {IdentityKind::skipped, ""}) == "unknown_service");
    auto disabled = asking_service();
    disabled.active = false;
    BOOST_TEST(valid(disabled, {IdentityKind::skipped, ""}) == "unknown_service");
}

BOOST_AUTO_TEST_CASE(
    an_answer_must_come_to_the_browser_that_was_sent_in_time_and_from_the_right_issuer,
    *label("S7") * label("K21")) {
    UpstreamState state;
    state.browser = sha256("browser");
    state.service = ServiceId("notion");
    state.expires_at = noon + upstream_state_lifetime;
    const Callback callback{Secret("s"), Secret("c"), "", "https://notion.example"};
    const auto checked = [&](const std::optional<Digest>& browser, Instant now) {
        return code_of(check_callback(state, state.service, browser, now));
    };
    BOOST_TEST(checked(sha256("browser"), noon) == "ok");
    BOOST_TEST(checked(sha256("another"), noon) == "browser_mismatch");
    BOOST_TEST(checked(std::nullopt, noon) == "browser_mismatch");
    BOOST_TEST(checked(sha256("browser"), noon + Span(899)) == "ok");
    BOOST_TEST(checked(sha256("browser"), noon + Span(900)) == "invalid_upstream_state");

    auto service = asking_service();
    Callback other = callback;
    other.iss = "https://evil.example";
    Callback silent = callback;
    silent.iss.reset();
    BOOST_TEST(code_of(check_issuer(callback, service)) == "ok");
    BOOST_TEST(code_of(check_issuer(other, service)) == "invalid_upstream_state");
    other.iss = service.issuer + "/"; // a document may say so, an answer may not
    BOOST_TEST(code_of(check_issuer(other, service)) == "invalid_upstream_state");
    BOOST_TEST(code_of(check_issuer(silent, service)) == "ok");
    service.sends_iss = true;
    BOOST_TEST(code_of(check_issuer(silent, service)) == "invalid_upstream_state");
}

BOOST_AUTO_TEST_CASE(
    an_answer_is_good_at_the_address_that_it_was_begun_for_and_at_no_other, *label("XC1")) {
    UpstreamState state;
    state.browser = sha256("browser");
    state.service = ServiceId("notion");
    state.expires_at = noon + upstream_state_lifetime;
    const std::optional<ServiceId> own(state.service), another(ServiceId("github")), shared;
    const auto checked = [&](const std::optional<ServiceId>& at) {
        return code_of(check_callback(state, at, sha256("browser"), noon));
    };
    BOOST_TEST(checked(own) == "ok");
    BOOST_TEST(checked(another) == "invalid_upstream_state");
    BOOST_TEST(checked(shared) == "invalid_upstream_state");
    state.callback = CallbackAddress::shared;
    BOOST_TEST(checked(shared) == "ok");
    BOOST_TEST(checked(own) == "invalid_upstream_state");
    BOOST_TEST(checked(another) == "invalid_upstream_state");
}

BOOST_AUTO_TEST_CASE(
    an_issuer_that_we_do_not_know_must_be_where_the_person_was_sent, *label("XC1")) {
    auto service = asking_service();
    service.issuer.clear();
    service.authorization_endpoint = "https://Login.example:443/authorize";
    const auto checked = [&](const std::optional<std::string>& iss) {
        return code_of(check_issuer({Secret("s"), Secret("c"), "", iss}, service));
    };
    BOOST_TEST(checked(std::nullopt) == "ok");
    BOOST_TEST(checked("https://login.example/tenant") == "ok");
    for (const auto* foreign :
         {"https://good.example", "https://login.example:8443", "http://login.example",
          "https://login.example.evil.example", "login.example", ""}) {
        BOOST_TEST(checked(foreign) == "invalid_upstream_state", foreign);
    }
}

BOOST_AUTO_TEST_CASE(a_callback_is_a_code_or_an_error_and_never_both, *label("S7")) {
    const std::string state(43, 's');
    const auto parsed = [&](const std::string& rest) {
        return parse_callback(web::read_callback(form_of("state=" + state + rest)));
    };
    BOOST_TEST(parsed("&code=c")->code.value().reveal() == "c");
    BOOST_TEST(parsed("&error=access_denied")->error == "access_denied");
    for (const auto* malformed :
         {"", "&code=a&code=b", "&code=c&error=x&error=y", "&code=c&iss=a&iss=b"}) {
        BOOST_TEST_CONTEXT(malformed)
        BOOST_TEST((!parsed(malformed)->code && !parsed(malformed)->error.empty()));
    }
    BOOST_TEST(!parsed("&code=c&error=access_denied")->code.has_value());
    for (const auto* no :
         {"code=c", "code=c&state=short",
          "code=c&state=", "code=c&state=ssssssssssssssssssssssssssssssssssssssssss%2F"}) {
        BOOST_TEST_CONTEXT(no)
        BOOST_TEST(
            code_of(parse_callback(web::read_callback(form_of(no)))) == "invalid_upstream_state");
    }
}

BOOST_AUTO_TEST_CASE(we_prove_ourselves_as_registered, *label("S7")) {
    const auto request = [](ClientAuth auth) {
        return code_request(
            asking_service(auth), Secret("s:e c"), Secret("the code"), Secret(rfc7636_verifier),
            "https://auth.example.org/api/oauth/callback/notion");
    };
    const auto basic = request(ClientAuth::client_secret_basic);
    BOOST_TEST(
        basic.authorization.value().reveal() ==
        "Basic " + to_base64("our%20id:s%3Ae%20c", Base64::standard));
    BOOST_TEST(form_of(basic.form.reveal()).count("client_secret") == 0U);
    const auto post = form_of(request(ClientAuth::client_secret_post).form.reveal());
    BOOST_TEST(post.get("client_secret").value() == "s:e c");
    BOOST_TEST(post.get("code_verifier").value() == rfc7636_verifier);
    BOOST_TEST(
        post.get("redirect_uri").value() == "https://auth.example.org/api/oauth/callback/notion");
    const auto none = form_of(request(ClientAuth::none).form.reveal());
    BOOST_TEST(none.get("client_id").value() == "our id");
    BOOST_TEST(none.count("client_secret") == 0U);
    const auto refresh = form_of(
        refresh_request(asking_service(), Secret("s"), Secret("the refresh token")).form.reveal());
    BOOST_TEST(refresh.get("grant_type").value() == "refresh_token");
    BOOST_TEST(refresh.get("resource").value() == "https://notion.example/mcp");
}

BOOST_AUTO_TEST_CASE(token_replies_are_read_as_providers_write_them, *label("S7")) {
    const auto reply = replied(
        R"({"access_token":"at","token_type":"bearer","expires_in":3600,"refresh_token":"rt",)"
        R"("scope":"a b"})");
    BOOST_REQUIRE(reply.tokens.has_value());
    BOOST_TEST(reply.tokens->access_token.reveal() == "at");
    BOOST_TEST(reply.tokens->refresh_token.value().reveal() == "rt");
    BOOST_TEST((reply.tokens->expires_in == Span(3600)));
    BOOST_TEST(reply.tokens->scope == "a b");
    const auto form = replied(
        "access_token=gho_x&scope=repo%2Cuser&token_type=bearer", 200,
        "application/x-www-form-urlencoded");
    BOOST_REQUIRE(form.tokens.has_value());
    BOOST_TEST(form.tokens->access_token.reveal() == "gho_x");
    BOOST_TEST(!form.tokens->expires_in.has_value());
    BOOST_TEST(
        (replied(R"({"access_token":"at","token_type":"Bearer","expires_in":"60"})")
             .tokens->expires_in == Span(60)));
    for (const auto* odd : {"0", "-5", "null", "\"soon\"", "{}"}) {
        BOOST_TEST(!replied(
                        std::string(R"({"access_token":"at","token_type":"Bearer","expires_in":)") +
                        odd + "}")
                        .tokens->expires_in.has_value());
    }
    BOOST_TEST(
        replied(R"({"access_token":")" + std::string(131072, 'a') + "\"}").tokens.has_value());
}

BOOST_AUTO_TEST_CASE(replies_that_give_no_token_say_whether_to_try_again, *label("S7")) {
    BOOST_TEST(is(replied(R"({"error":"invalid_grant"})", 400), UpstreamError::refused));
    BOOST_TEST(is(replied(R"({"error":"bad_refresh_token"})", 200), UpstreamError::refused));
    BOOST_TEST(
        is(replied(
               "error=bad_verification_code&error_description=x", 200,
               "application/x-www-form-urlencoded"),
           UpstreamError::refused));
    BOOST_TEST(is(replied(R"({"error":"invalid_client"})", 401), UpstreamError::client_refused));
    BOOST_TEST(is(replied("", 401, "text/html"), UpstreamError::unavailable));
    BOOST_TEST(is(replied("", 400, ""), UpstreamError::refused)); // glewlwyd
    BOOST_TEST(is(replied(R"({"error":"invalid_code"})", 403), UpstreamError::refused));
    BOOST_TEST(is(replied(R"({"error":"unauthorized_client"})", 403), UpstreamError::odd_refusal));
    BOOST_TEST(is(replied("<html>", 400, "text/html"), UpstreamError::odd_refusal));
    for (const int status : {403, 404, 500, 502, 503, 429})
        BOOST_TEST(is(replied("", status, ""), UpstreamError::unavailable));
    for (const int status : {500, 502, 503, 429, 404, 302})
        BOOST_TEST(is(replied("<html>", status, "text/html"), UpstreamError::unavailable));
    BOOST_TEST(
        is(replied(R"({"error":"temporarily_unavailable"})", 503), UpstreamError::unavailable));
    BOOST_TEST(is(replied("<html>sign in</html>", 200, "text/html"), UpstreamError::unavailable));
    BOOST_TEST(is(replied(R"({"access_token":"two words"})"), UpstreamError::unavailable));
    BOOST_TEST(is(replied(R"({"access_token":"a\r\nX: y"})"), UpstreamError::unavailable));
    BOOST_TEST(is(replied(R"({"access_token":""})"), UpstreamError::unavailable));
    BOOST_TEST(
        is(replied(R"({"access_token":")" + std::string(131073, 'a') + "\"}"),
           UpstreamError::unavailable));
    BOOST_TEST(
        is(replied(R"({"access_token":"at","token_type":"mac"})"), UpstreamError::unavailable));
    BOOST_TEST(is(read_token_reply({}), UpstreamError::unavailable));
}

BOOST_AUTO_TEST_CASE(
    replies_that_give_no_token_say_why_and_quote_no_secret_of_ours, *label("XC13")) {
    const auto refused = read_token_reply(
        {.answered = true,
         .status = 400,
         .content_type = "application/json",
         .body = Secret(R"({"error":"the secret is hunter2","error_description":"no hunter2"})"),
         .sent = {Secret("hunter2")}});
    BOOST_TEST((refused.cause == FailureCause::oauth_error));
    BOOST_TEST(refused.reason == "status 400, the secret is [cut]: no [cut]");
    BOOST_TEST((replied("<html>", 502, "text/html").cause == FailureCause::http_status));
    BOOST_TEST((replied("{}").cause == FailureCause::unusable_answer));
    BOOST_TEST(!replied("{}").reason.empty());
    BOOST_TEST((read_token_reply({.timed_out = true}).cause == FailureCause::timeout));
}

BOOST_AUTO_TEST_CASE(
    another_account_is_asked_for_where_the_service_knows_how_and_nothing_is_said_elsewhere,
    *label("S7")) {
    const auto prompt = [](const char* scope, const char* endpoint, WhichAccount which) {
        auto service = asking_service();
        service.scope = scope;
        service.authorization_endpoint = endpoint;
        const auto url = upstream_authorize_url(
                             service, Secret("s"), Secret(rfc7636_verifier), sample_policy(), which)
                             .reveal();
        return form_of(url.substr(url.find('?') + 1)).get("prompt").value_or("none");
    };
    using enum WhichAccount;
    const auto* own = "https://notion.example/authorize";
    BOOST_TEST(prompt("read openid", own, another) == "login");
    BOOST_TEST(prompt("read openid", own, any) == "none");
    BOOST_TEST(prompt("read", own, another) == "none");
    for (const auto* chooser :
         {"https://accounts.google.com/o/oauth2/v2/auth",
          "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
          "https://github.com/login/oauth/authorize"}) {
        BOOST_TEST(prompt("read", chooser, another) == "select_account", chooser);
        BOOST_TEST(prompt("read", chooser, any) == "none", chooser);
    }
    BOOST_TEST(prompt("read", "https://github.com.evil.example/x", another) == "none");
}

BOOST_AUTO_TEST_CASE(a_link_is_ours_for_one_service_for_fifteen_minutes, *label("S7")) {
    const auto keyring = sample_keyring();
    const ServiceId notion("notion");
    const auto link =
        make_link(SessionId("session_sample"), notion, "fresh", keyring, noon).reveal();
    const auto valid = [&](const std::string& text, const ServiceId& service, Instant now) {
        return code_of(validate_link(text, service, keyring, now));
    };
    BOOST_TEST(valid(link, notion, noon + Span(899)) == "ok");
    BOOST_TEST(validate_link(link, notion, keyring, noon)->session.text == "session_sample");
    BOOST_TEST(valid(link, notion, noon + Span(900)) == "invalid_link");
    BOOST_TEST(valid(link, ServiceId("github"), noon) == "invalid_link");
    for (std::size_t i = 0; i < link.size(); ++i) {
        auto changed = link;
        changed[i] = changed[i] == 'x' ? 'y' : 'x';
        BOOST_TEST_CONTEXT(i) BOOST_TEST(valid(changed, notion, noon) == "invalid_link");
    }
    for (const auto* bad : {"", "....", "a.b.c.d.e", "a.b.c.d"})
        BOOST_TEST(valid(bad, notion, noon) == "invalid_link");
    BOOST_TEST(valid(link + ".x", notion, noon) == "invalid_link");
}

BOOST_AUTO_TEST_CASE(
    a_link_is_for_the_browser_that_consented_while_its_session_stands, *label("S7")) {
    SessionView view{sample_finalization().session, "Sample", true, std::nullopt};
    const auto own = view.session.browser;
    auto policy = sample_policy();
    const auto valid = [&](const std::optional<SessionView>& of,
                           const std::optional<Digest>& browser) {
        return code_of(check_link_principal(of, browser, policy, noon));
    };
    BOOST_TEST(valid(view, own) == "ok");
    BOOST_TEST(valid(view, sha256("another")) == "browser_mismatch");
    BOOST_TEST(valid(view, std::nullopt) == "browser_mismatch");
    BOOST_TEST(valid(std::nullopt, own) == "invalid_link");
    policy.identities = policy.identities.without(view.session.identity.kind);
    BOOST_TEST(valid(view, own) == "invalid_link");
    policy.identities = IdentityKinds::any();
    view.session.revoked_at = noon;
    BOOST_TEST(valid(view, own) == "invalid_link");
}

BOOST_AUTO_TEST_SUITE_END()
