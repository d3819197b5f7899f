#include "consentgate/core/oauth/authorize.h"

#include "tests/support/requests.h"
#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

Result<Flow> valid(
    const Parameters& query, const Client& client = sample_client(),
    const Policy& policy = sample_policy()) {
    return validate_authorization_request(
        web::read_authorization_request(query.form()), client, policy, FlowId("fresh"),
        sha256("browser"), noon);
}

// The error, and whether it goes to the client: "invalid_scope, by redirect".
std::string verdict(
    const Parameters& query, const Client& client = sample_client(),
    const Policy& policy = sample_policy()) {
    const auto flow = valid(query, client, policy);
    return code_of(flow) + (!flow && flow.error().back ? ", by redirect" : "");
}

Policy two_resources() {
    auto policy = sample_policy();
    policy.resources.push_back({"https://tools.example.org/other"});
    return policy;
}

} // namespace

BOOST_AUTO_TEST_SUITE(authorize)

BOOST_AUTO_TEST_CASE(a_client_names_itself_once, *label("A3") * label("K46")) {
    const auto id = [](const std::string& query) {
        return authorize_client_id(web::read_authorization_request(form_of(query)));
    };
    BOOST_TEST(id("client_id=abc")->text == "abc");
    BOOST_TEST(code_of(id("client_id=" + std::string(190, 'a'))) == "ok");
    const auto url = "client_id=https://app.example/" + std::string(2048 - 20, 'a');
    BOOST_TEST(id(url)->text.size() == 2048U);
    BOOST_TEST(code_of(id(url + "a")) == "invalid_client");
    for (const auto& bad :
         {std::string(), std::string("client_id="), std::string("client_id=a&client_id=a"),
          std::string("client_id=a&client_id=b"), "client_id=" + std::string(191, 'a'),
          std::string("client_id=a%0Ab"), std::string("Client_id=a")}) {
        BOOST_TEST_CONTEXT(bad) {
            BOOST_TEST(code_of(id(bad)) == "invalid_client");
            BOOST_TEST(!id(bad).error().back);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_unknown_or_disabled_client_is_not_redirected, *label("A3")) {
    const auto unknown = validate_authorization_request(
        web::read_authorization_request(sample_authorize().form()), std::nullopt, sample_policy(),
        FlowId("f"), {}, noon);
    BOOST_TEST(code_of(unknown) == "invalid_client");
    BOOST_TEST(!unknown.error().back);
    auto disabled = sample_client();
    disabled.active = false;
    BOOST_TEST(verdict(sample_authorize(), disabled) == "invalid_client");
}

BOOST_AUTO_TEST_CASE(
    a_bad_address_is_not_redirected_to_and_is_named_to_the_developer, *label("A4")) {
    for (const auto* bad :
         {"https://evil.test/cb", "http://127.0.0.1:53111/other", "http://localhost:53111/callback",
          "not a uri", "javascript:alert(1)"}) {
        BOOST_TEST_CONTEXT(bad) {
            BOOST_TEST(
                verdict(sample_authorize().with("redirect_uri", bad)) == "invalid_redirect_uri");
            const auto refused = valid(sample_authorize().with("redirect_uri", bad));
            const auto* mismatch = refused.error().find<RedirectMismatch>();
            BOOST_REQUIRE(mismatch != nullptr);
            BOOST_TEST(mismatch->requested == bad);
            BOOST_TEST(join(mismatch->registered, " ") == "http://127.0.0.1/callback");
        }
    }
    BOOST_TEST(
        verdict(sample_authorize().also("redirect_uri", "http://127.0.0.1:53111/callback")) ==
        "invalid_redirect_uri");
    BOOST_TEST(verdict(sample_authorize()) == "ok");
}

BOOST_AUTO_TEST_CASE(
    nothing_is_redirected_before_the_address_is_proven, *label("A4") * label("K46")) {
    const auto query = sample_authorize()
                           .with("redirect_uri", "https://evil.test/cb")
                           .without("response_type")
                           .without("code_challenge")
                           .also("scope", "x");
    BOOST_TEST(verdict(query) == "invalid_redirect_uri");
}

BOOST_AUTO_TEST_CASE(the_requested_address_with_its_port_is_what_is_kept, *label("A8")) {
    BOOST_TEST(valid(sample_authorize())->redirect_uri == "http://127.0.0.1:53111/callback");
}

BOOST_AUTO_TEST_CASE(
    the_address_may_be_left_out_when_there_is_exactly_one, *label("A10") * label("A12")) {
    const auto query = sample_authorize().without("redirect_uri");
    BOOST_TEST(valid(query)->redirect_uri == "http://127.0.0.1/callback");
    BOOST_TEST(
        valid(sample_authorize().with("redirect_uri", ""))->redirect_uri ==
        "http://127.0.0.1/callback");
    BOOST_TEST(
        verdict(query, sample_client({"http://127.0.0.1/callback", "https://c.example/cb"})) ==
        "invalid_redirect_uri");
}

BOOST_AUTO_TEST_CASE(
    an_address_that_was_dropped_counts_among_those_sent, *label("A10") * label("XE6")) {
    auto client = sample_client();
    client.dropped_redirects = true;
    BOOST_TEST(
        verdict(sample_authorize().without("redirect_uri"), client) == "invalid_redirect_uri");
    BOOST_TEST(verdict(sample_authorize(), client) == "ok");
}

BOOST_AUTO_TEST_CASE(any_repeated_parameter_is_refused_by_redirect, *label("A11") * label("K46")) {
    for (const auto* name :
         {"response_type", "scope", "code_challenge", "code_challenge_method", "prompt"}) {
        BOOST_TEST_CONTEXT(name)
        BOOST_TEST(
            verdict(sample_authorize().with(name, "x").also(name, "x")) ==
            "invalid_request, by redirect");
    }
    BOOST_TEST(verdict(sample_authorize().also("foo", "x").also("foo", "y")) == "ok");
}

BOOST_AUTO_TEST_CASE(a_repeated_state_is_sent_back_as_none, *label("A11")) {
    const auto flow = valid(sample_authorize().also("state", "other"));
    BOOST_TEST(code_of(flow) == "invalid_request");
    BOOST_REQUIRE(flow.error().back.has_value());
    BOOST_TEST(!flow.error().back->state());
}

BOOST_AUTO_TEST_CASE(empty_parameters_are_absent_and_unknown_ones_ignored, *label("A12")) {
    const auto flow = valid(sample_authorize()
                                .with("scope", "")
                                .with("resource", "")
                                .with("state", "")
                                .also("foo", "bar")
                                .also("nonce", "x"));
    BOOST_REQUIRE(flow);
    BOOST_TEST(flow->scope.text() == "mcp");
    BOOST_TEST(!flow->state);
}

BOOST_AUTO_TEST_CASE(
    only_the_code_response_by_query_is_given,
    *label("A13") * label("A30") * label("K5") * label("K17")) {
    BOOST_TEST(
        verdict(sample_authorize().without("response_type")) == "invalid_request, by redirect");
    for (const auto* type :
         {"token", "id_token", "code token", "code id_token", "Code", "none", "code "}) {
        BOOST_TEST_CONTEXT(type)
        BOOST_TEST(
            verdict(sample_authorize().with("response_type", type)) ==
            "unsupported_response_type, by redirect");
    }
    for (const auto* mode : {"fragment", "form_post", "web_message", "query.jwt"}) {
        BOOST_TEST_CONTEXT(mode)
        BOOST_TEST(
            verdict(sample_authorize().also("response_mode", mode)) ==
            "invalid_request, by redirect");
    }
    BOOST_TEST(verdict(sample_authorize().also("response_mode", "query")) == "ok");
}

BOOST_AUTO_TEST_CASE(a_challenge_is_required, *label("A14") * label("K7")) {
    BOOST_TEST(
        verdict(sample_authorize().without("code_challenge")) == "invalid_request, by redirect");
    BOOST_TEST(
        verdict(sample_authorize().with("code_challenge", "")) == "invalid_request, by redirect");
    BOOST_TEST(
        verdict(sample_authorize().without("code_challenge").without("code_challenge_method")) ==
        "invalid_request, by redirect");
}

BOOST_AUTO_TEST_CASE(the_method_is_s256_said_aloud, *label("A15") * label("K7")) {
    BOOST_TEST(
        verdict(sample_authorize().without("code_challenge_method")) ==
        "invalid_request, by redirect");
    for (const auto* method : {"plain", "s256", "S512", "S256 ", ""}) {
        BOOST_TEST_CONTEXT(method)
        BOOST_TEST(
            verdict(sample_authorize().with("code_challenge_method", method)) ==
            "invalid_request, by redirect");
    }
}

BOOST_AUTO_TEST_CASE(a_challenge_of_another_size_or_alphabet_is_refused, *label("A16")) {
    for (const auto& bad :
         {std::string(42, 'a'), std::string(44, 'a'), std::string(42, 'a') + "=",
          std::string(42, 'a') + "+", std::string(128, 'a')}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(
            verdict(sample_authorize().with("code_challenge", bad)) ==
            "invalid_request, by redirect");
    }
    BOOST_TEST(
        valid(sample_authorize().with("code_challenge", std::string(43, 'a')))->code_challenge ==
        std::string(43, 'a'));
}

BOOST_AUTO_TEST_CASE(
    scopes_of_an_identity_provider_are_as_if_not_asked_for_unless_the_catalogue_has_them,
    *label("N5") * label("N6")) {
    const auto granted = [](const std::string& scope) {
        return valid(sample_authorize().with("scope", scope))->scope.text();
    };
    for (const auto* absent :
         {"offline_access", "openid", "email", "address phone", "openid email offline_access",
          "openid  email"})
        BOOST_TEST_CONTEXT(absent) BOOST_TEST(granted(absent) == "mcp"); // the default scopes
    BOOST_TEST(granted("openid profile email") == "profile");            // the catalogue has it
    BOOST_TEST(granted("mcp offline_access") == "mcp");
    BOOST_TEST(
        verdict(sample_authorize().with("scope", "openid \"x\"")) == "invalid_scope, by redirect");
}

BOOST_AUTO_TEST_CASE(
    unknown_scopes_are_dropped_and_a_registration_limits_an_operators_client_alone,
    *label("A17") * label("XE3")) {
    BOOST_TEST(
        valid(sample_authorize().with("scope", "bogus profile mcp offline_access"))->scope.text() ==
        "profile mcp");
    BOOST_TEST(valid(sample_authorize().without("scope"))->scope.text() == "mcp");
    for (const auto* unknown : {"bogus", "MCP", "openid offline_access"}) {
        BOOST_TEST_CONTEXT(unknown)
        BOOST_TEST(valid(sample_authorize().with("scope", unknown))->scope.text() == "mcp");
    }
    // Real clients register the scope of the first challenge, and step up later.
    auto registered = sample_client();
    registered.scope = "profile";
    BOOST_TEST(valid(sample_authorize().with("scope", "mcp"), registered)->scope.text() == "mcp");
    BOOST_TEST(
        valid(sample_authorize().without("scope"), registered)->scope.text() == "profile mcp");
    auto limited = registered;
    limited.by_operator = true;
    BOOST_TEST(
        valid(sample_authorize().with("scope", "mcp profile"), limited)->scope.text() == "profile");
    for (const auto* bad : {"mcp\"", "mcp\\", "\u00e9", "mcp\tprofile"}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(verdict(sample_authorize().with("scope", bad)) == "invalid_scope, by redirect");
    }
    BOOST_TEST(valid(sample_authorize().with("scope", "mcp"), limited)->scope.text() == "profile");
    limited.scope = "withdrawn"; // since the operator took the scope out of the catalogue
    BOOST_TEST(
        verdict(sample_authorize().with("scope", "mcp"), limited) == "invalid_scope, by redirect");
}

BOOST_AUTO_TEST_CASE(a_resource_must_be_one_of_ours, *label("A18") * label("K35")) {
    for (const auto* bad :
         {"mcp", "/mcp", "https://tools.example.org/mcp#x", "https://tools.example.org/mcp/x",
          "https://tools.example.org/mcpx", "https://tools.example.org/MCP",
          "https://other.example/mcp", "https://u@tools.example.org/mcp",
          "http://tools.example.org/mcp"}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(
            verdict(sample_authorize().with("resource", bad)) == "invalid_target, by redirect");
    }
}

BOOST_AUTO_TEST_CASE(
    a_spelling_that_can_mean_one_resource_alone_means_that_one, *label("XE5") * label("A20")) {
    const std::string ours = "https://tools.example.org/mcp";
    for (const auto* spelling :
         {"https://tools.example.org", "https://tools.example.org/",
          "HTTPS://Tools.Example.org/mcp", "https://tools.example.org/mcp/",
          "https://tools.example.org/mcp?session=1", "https://tools.example.org/?x"}) {
        BOOST_TEST_CONTEXT(spelling)
        BOOST_TEST(valid(sample_authorize().with("resource", spelling))->resource == ours);
    }
    BOOST_TEST(valid(sample_authorize().also("resource", ours))->resource == ours);
    BOOST_TEST(
        verdict(sample_authorize().also("resource", ours + "/")) == "invalid_target, by redirect");
    // The origin of two resources means neither of them.
    BOOST_TEST(
        verdict(
            sample_authorize().with("resource", "https://tools.example.org"), sample_client(),
            two_resources()) == "invalid_target, by redirect");
    BOOST_TEST(
        valid(sample_authorize().with("resource", ours + "/"), sample_client(), two_resources())
            ->resource == ours);
    auto twins = sample_policy();
    twins.resources = {GuardedResource{ours + "?a"}, GuardedResource{ours + "?b"}};
    BOOST_TEST(
        valid(sample_authorize().with("resource", ours + "?b"), sample_client(), twins)->resource ==
        ours + "?b");
    BOOST_TEST(
        verdict(sample_authorize().with("resource", ours), sample_client(), twins) ==
        "invalid_target, by redirect");
}

BOOST_AUTO_TEST_CASE(a_resource_left_out_means_the_only_one, *label("A19")) {
    BOOST_TEST(
        valid(sample_authorize().without("resource"))->resource == "https://tools.example.org/mcp");
    BOOST_TEST(!valid(sample_authorize().without("resource"))->resource_by_person);
    BOOST_TEST(
        valid(
            sample_authorize().with("resource", "https://tools.example.org/other"), sample_client(),
            two_resources())
            ->resource == "https://tools.example.org/other");
}

BOOST_AUTO_TEST_CASE(the_published_spelling_of_a_resource_is_what_is_kept, *label("A20")) {
    auto policy = sample_policy();
    policy.resources = {GuardedResource{"https://h.example"}};
    BOOST_TEST(
        valid(sample_authorize().with("resource", "https://H.Example/"), sample_client(), policy)
            ->resource == "https://h.example");
    BOOST_TEST(
        verdict(
            sample_authorize().with("resource", "https://h.example/x"), sample_client(), policy) ==
        "invalid_target, by redirect");
}

BOOST_AUTO_TEST_CASE(two_resources_in_one_request_are_refused, *label("A21")) {
    BOOST_TEST(
        verdict(
            sample_authorize().also("resource", "https://tools.example.org/other"), sample_client(),
            two_resources()) == "invalid_target, by redirect");
}

BOOST_AUTO_TEST_CASE(the_state_is_kept_byte_by_byte, *label("A22")) {
    std::string long_state;
    while (long_state.size() < 2048) long_state += "&=+% \u00e9\"\\'<>#?/";
    for (const auto& state :
         {std::string("&=+%20\u00e9"), std::string(" "), std::string("+"), std::string("%"),
          long_state}) {
        BOOST_TEST_CONTEXT(state) {
            BOOST_TEST(text_of(valid(sample_authorize().with("state", state))->state) == state);
            const auto refused =
                valid(sample_authorize().with("state", state).with("scope", "bo\"gus"));
            BOOST_TEST(text_of(refused.error().back->state()) == state);
        }
    }
    BOOST_TEST(!valid(sample_authorize().without("state"))->state);
}

BOOST_AUTO_TEST_CASE(
    prompt_none_cannot_be_honoured_and_other_prompts_are_ignored, *label("A29") * label("D23")) {
    BOOST_TEST(verdict(sample_authorize().also("prompt", "none")) == "login_required, by redirect");
    for (const auto* prompt : {"consent", "login", "bogus", ""}) {
        BOOST_TEST_CONTEXT(prompt)
        BOOST_TEST(verdict(sample_authorize().also("prompt", prompt)) == "ok");
    }
}

BOOST_AUTO_TEST_CASE(refusals_hold_plain_ascii_and_nothing_of_the_request, *label("A35")) {
    for (const auto* name :
         {"scope", "response_type", "resource", "code_challenge", "code_challenge_method"}) {
        const auto refused = valid(sample_authorize().with(name, "\u00e9\"\\<b>"));
        BOOST_REQUIRE(!refused);
        BOOST_TEST_CONTEXT(name) {
            BOOST_TEST(plain_ascii(refused.error().message) == refused.error().message);
            BOOST_TEST(refused.error().message.find("<b>") == std::string::npos);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_flow_lives_as_long_as_the_policy_says, *label("S14")) {
    const auto flow = valid(sample_authorize());
    BOOST_TEST(flow->id.text == "fresh");
    BOOST_TEST(flow->client_id.text == "cgc_sample");
    BOOST_TEST((flow->browser == sha256("browser")));
    BOOST_TEST((flow->identity.kind == IdentityKind::none));
    BOOST_TEST(flow->revision == 0);
    BOOST_TEST((flow->created_at == noon));
    BOOST_TEST((flow->expires_at - noon).count() == 900);
}

// spec: RFC 9101 section 6.2; what a request object asks for must not be taken for absent
BOOST_AUTO_TEST_CASE(request_objects_are_refused, *label("A33") * label("K26")) {
    BOOST_TEST(
        verdict(sample_authorize().also("request", "e30.e30.")) ==
        "request_not_supported, by redirect");
    BOOST_TEST(
        verdict(sample_authorize().also("request_uri", "https://canary.example/")) ==
        "request_uri_not_supported, by redirect");
    BOOST_TEST(verdict(sample_authorize().also("requested", "x")) == "ok");
}

BOOST_AUTO_TEST_SUITE_END()
