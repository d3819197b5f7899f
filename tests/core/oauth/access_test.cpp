#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

SessionView alive(Identity identity = {IdentityKind::skipped, {}}) {
    return {sample_finalization(std::move(identity)).session, "Sample", true, std::nullopt};
}

std::string valid(
    const std::optional<SessionView>& view,
    const std::string& resource = "https://tools.example.org/mcp", Instant now = noon) {
    return code_of(check_access(view, resource, sample_policy(), now));
}

} // namespace

BOOST_AUTO_TEST_SUITE(judging_access)

BOOST_AUTO_TEST_CASE(a_token_is_good_until_its_last_second, *label("C5") * label("RS5")) {
    BOOST_TEST(valid(alive()) == "ok");
    BOOST_TEST(valid(alive(), "https://tools.example.org/mcp", noon + Span(86399)) == "ok");
    BOOST_TEST(
        valid(alive(), "https://tools.example.org/mcp", noon + Span(86400)) == "invalid_bearer");
    BOOST_TEST(valid(std::nullopt) == "invalid_bearer");
}

BOOST_AUTO_TEST_CASE(a_revoked_token_is_refused_at_once, *label("C5")) {
    auto view = alive();
    view.session.revoked_at = noon;
    BOOST_TEST(valid(view) == "invalid_bearer");
}

BOOST_AUTO_TEST_CASE(
    a_token_for_one_resource_opens_no_other,
    *label("RS4") * label("RS8") * label("K8") * label("K25")) {
    for (const auto* other :
         {"https://tools.example.org/other", "https://tools.example.org/mcpx",
          "https://tools.example.org/mcp/a", "https://tools.example.org/",
          "https://tools.example.org/mc", "https://tools.example.org/MCP",
          "https://auth.example.org", ""}) {
        BOOST_TEST_CONTEXT(other) BOOST_TEST(valid(alive(), other) == "invalid_bearer");
    }
}

BOOST_AUTO_TEST_CASE(a_disabled_client_ends_its_sessions, *label("C5")) {
    auto view = alive();
    view.client_active = false;
    BOOST_TEST(valid(view) == "invalid_bearer");
}

BOOST_AUTO_TEST_CASE(
    a_disabled_deleted_or_expired_virtual_key_ends_its_sessions, *label("S11") * label("C5")) {
    auto view = alive({IdentityKind::virtual_key, "vk_sample"});
    view.virtual_key = sample_virtual_key();
    BOOST_TEST(valid(view) == "ok");
    view.virtual_key->expires_at = noon + Span(1);
    BOOST_TEST(valid(view) == "ok");
    view.virtual_key->expires_at = noon;
    BOOST_TEST(valid(view) == "invalid_bearer");
    view.virtual_key = sample_virtual_key();
    view.virtual_key->active = false;
    BOOST_TEST(valid(view) == "invalid_bearer");
    view.virtual_key.reset();
    BOOST_TEST(valid(view) == "invalid_bearer");
}

BOOST_AUTO_TEST_CASE(other_identities_need_no_virtual_key, *label("S11")) {
    BOOST_TEST(valid(alive({IdentityKind::user_id, "anna"})) == "ok");
    BOOST_TEST(valid(alive({IdentityKind::verified_user, "anna"})) == "ok");
}

BOOST_AUTO_TEST_CASE(all_refusals_say_the_same, *label("C5")) {
    auto revoked = alive();
    revoked.session.revoked_at = noon;
    const auto message = [](const std::optional<SessionView>& view, const Policy& policy) {
        return check_access(view, "x", policy, noon).error().message;
    };
    auto closed = sample_policy();
    closed.identities = {IdentityKind::virtual_key};
    const auto unknown = message(std::nullopt, sample_policy());
    BOOST_TEST(unknown == message(revoked, sample_policy()));
    BOOST_TEST(unknown == message(alive(), sample_policy()));
    BOOST_TEST(unknown == message(alive(), closed));
}

// ---- remembered consent
namespace {

constexpr const char* https_address = "https://client.example/cb";

SessionView earlier_consent() {
    SessionView view{sample_finalization().session, "Sample", true, sample_virtual_key()};
    view.session.identity = {IdentityKind::virtual_key, view.virtual_key->id.text};
    view.session.redirect_uri = https_address;
    view.session.scope = scopes("mcp profile");
    return view;
}

Flow next_flow() {
    auto flow = sample_flow();
    flow.redirect_uri = https_address;
    return flow;
}

bool asked_again(
    const SessionView& earlier, const Flow& flow, RememberConsent remember = RememberConsent::https,
    Instant now = noon) {
    auto policy = sample_policy();
    policy.remember_consent = remember;
    return !may_reuse_consent(earlier, flow, policy, now);
}

} // namespace

BOOST_AUTO_TEST_CASE(nobody_is_asked_twice_for_the_same_or_less, *label("U7") * label("U9")) {
    BOOST_TEST(!asked_again(earlier_consent(), next_flow()));
    auto same = next_flow();
    same.scope = scopes("mcp profile");
    BOOST_TEST(!asked_again(earlier_consent(), same));
    BOOST_TEST(asked_again(earlier_consent(), next_flow(), RememberConsent::never));
}

BOOST_AUTO_TEST_CASE(
    another_client_browser_resource_address_or_more_scope_is_asked_for,
    *label("U7") * label("U9") * label("K20")) {
    auto client = next_flow();
    client.client_id = ClientId("cgc_other");
    auto browser = next_flow();
    browser.browser = sha256("another");
    auto resource = next_flow();
    resource.resource = "https://tools.example.org/other";
    auto address = next_flow();
    address.redirect_uri = "https://client.example/cb2";
    for (const auto& flow : {client, browser, resource, address})
        BOOST_TEST(asked_again(earlier_consent(), flow));
    auto narrow = earlier_consent();
    narrow.session.scope = scopes("mcp");
    auto more = next_flow();
    more.scope = scopes("mcp profile");
    BOOST_TEST(asked_again(narrow, more));
}

BOOST_AUTO_TEST_CASE(
    an_earlier_consent_is_offered_to_whom_no_page_led_here_and_only_where_configured,
    *label("XA5")) {
    const auto offered = [](RememberConsent remember, Arrival arrival,
                            const std::optional<std::string>& prompt = std::nullopt,
                            const Flow& flow = next_flow()) {
        auto policy = sample_policy();
        policy.remember_consent = remember;
        return may_offer_reuse(flow, arrival, prompt, policy);
    };
    BOOST_TEST((Policy().remember_consent == RememberConsent::never));
    BOOST_TEST(offered(RememberConsent::https, Arrival::opened));
    BOOST_TEST(!offered(RememberConsent::https, Arrival::linked));
    BOOST_TEST(!offered(RememberConsent::https, Arrival::opened, "consent"));
    BOOST_TEST(offered(RememberConsent::https, Arrival::opened, "login"));
    BOOST_TEST(!offered(RememberConsent::https, Arrival::opened, std::nullopt, sample_flow()));
    BOOST_TEST(offered(RememberConsent::always, Arrival::opened, std::nullopt, sample_flow()));
    BOOST_TEST(!offered(RememberConsent::always, Arrival::linked, std::nullopt, sample_flow()));
    BOOST_TEST(!offered(RememberConsent::never, Arrival::opened));
}

BOOST_AUTO_TEST_CASE(
    a_program_on_the_computer_is_asked_for_unless_the_operator_wants_it,
    *label("U8") * label("K23")) {
    for (const auto* address :
         {"http://127.0.0.1:53111/callback", "http://localhost:1/cb",
          "cursor://anysphere.cursor-mcp/oauth/callback"}) {
        auto earlier = earlier_consent();
        earlier.session.redirect_uri = address;
        auto flow = next_flow();
        flow.redirect_uri = address;
        BOOST_TEST_CONTEXT(address) {
            BOOST_TEST(asked_again(earlier, flow));
            BOOST_TEST(!asked_again(earlier, flow, RememberConsent::always));
        }
    }
}

BOOST_AUTO_TEST_CASE(
    a_consent_is_over_with_its_session_and_with_what_it_rested_on, *label("U7") * label("K32")) {
    auto revoked = earlier_consent();
    revoked.session.revoked_at = noon;
    auto disabled = earlier_consent();
    disabled.client_active = false;
    auto key_off = earlier_consent();
    key_off.virtual_key->active = false;
    auto typed = earlier_consent();
    typed.session.identity = {IdentityKind::user_id, "anna"};
    auto skipped = earlier_consent();
    skipped.session.identity = {IdentityKind::skipped, {}};
    for (const auto& earlier : {revoked, disabled, key_off, typed, skipped})
        BOOST_TEST(asked_again(earlier, next_flow()));
    BOOST_TEST(
        !asked_again(earlier_consent(), next_flow(), RememberConsent::https, noon + Span(86399)));
    BOOST_TEST(
        asked_again(earlier_consent(), next_flow(), RememberConsent::https, noon + Span(86400)));
}

BOOST_AUTO_TEST_SUITE_END()
