#include "consentgate/core/oauth/consent.h"

#include "tests/support/requests.h"
#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

const Identity nobody{IdentityKind::none, {}};
const Identity skipped{IdentityKind::skipped, {}};
const Identity typed{IdentityKind::user_id, "anna"};
const Identity verified{IdentityKind::verified_user, "anna"};
const Identity keyed{IdentityKind::virtual_key, "vk_sample"};

std::optional<Digest> own_cookie() { return sha256(sample_browser_secret()); }

Policy enforcing() {
    auto policy = sample_policy();
    policy.identities = policy.identities.without(IdentityKind::skipped);
    return policy;
}

Flow flow_of(const Identity& identity) {
    auto flow = sample_flow();
    flow.identity = identity;
    return flow;
}

// "ok virtual_key vk_sample", or the error.
std::string outcome(const Result<Identity>& identity) {
    return identity ? "ok " + std::string(name_of(identity->kind)) + " " + identity->value
                    : code_of(identity);
}

BearerClaims names_key() {
    BearerClaims claims;
    claims.virtual_key_id = VirtualKeyId("vk_sample");
    return claims;
}

BearerClaims is_admin() {
    BearerClaims claims;
    claims.admin = true;
    return claims;
}

std::string submitted(
    const Identity& chosen, const std::optional<BearerClaims>& bearer,
    const std::optional<VirtualKey>& key, const Policy& policy = sample_policy()) {
    return outcome(validate_submit_identity(flow_of(chosen), bearer, key, policy, noon));
}

} // namespace

BOOST_AUTO_TEST_SUITE(consent)

// ---- which flow, whose browser
BOOST_AUTO_TEST_CASE(
    a_flow_id_has_22_base64url_characters_and_comes_once, *label("S2") * label("K46")) {
    const auto id = [](const std::string& form) {
        return code_of(web::read_flow_id(form_of(form)));
    };
    BOOST_TEST(id("flow_id=" + std::string(22, 'a')) == "ok");
    BOOST_TEST(id("flow_id=" + std::string(20, 'a') + "-_") == "ok");
    BOOST_TEST(id("") == "missing_flow_id");
    BOOST_TEST(id("flow_id=") == "missing_flow_id");
    BOOST_TEST(id("flow_id=" + std::string(21, 'a')) == "invalid_flow");
    BOOST_TEST(id("flow_id=" + std::string(23, 'a')) == "invalid_flow");
    BOOST_TEST(id("flow_id=" + std::string(21, 'a') + ".") == "invalid_flow");
    BOOST_TEST(id("flow_id=" + std::string(21, 'a') + "%0A") == "invalid_flow");
    BOOST_TEST(
        id("flow_id=" + std::string(22, 'a') + "&flow_id=" + std::string(22, 'a')) ==
        "invalid_flow");
}

BOOST_AUTO_TEST_CASE(only_the_browser_that_began_may_go_on, *label("U3") * label("K44")) {
    BOOST_TEST(code_of(check_flow(sample_flow(), own_cookie(), false, noon)) == "ok");
    BOOST_TEST(code_of(check_flow(sample_flow(), std::nullopt, false, noon)) == "browser_mismatch");
    BOOST_TEST(
        code_of(check_flow(sample_flow(), sha256("another"), false, noon)) == "browser_mismatch");
    BOOST_TEST(code_of(check_flow(sample_flow(), Digest{}, false, noon)) == "browser_mismatch");
}

BOOST_AUTO_TEST_CASE(a_denied_flow_is_over_for_everybody, *label("XE2") * label("S6")) {
    auto denied = sample_flow();
    denied.denied_at = noon;
    BOOST_TEST(code_of(check_flow(denied, own_cookie(), false, noon)) == "invalid_flow");
    BOOST_TEST(code_of(check_flow(denied, std::nullopt, true, noon)) == "invalid_flow");
    BOOST_TEST(
        code_of(check_flow(denied, own_cookie(), false, noon + Span(900))) == "invalid_flow");
    BOOST_TEST(
        code_of(check_flow(denied, sha256("another"), false, noon)) ==
        "browser_mismatch"); // a stranger learns nothing
}

BOOST_AUTO_TEST_CASE(an_admin_stands_in_for_the_cookie_but_not_for_the_time, *label("S4")) {
    BOOST_TEST(code_of(check_flow(sample_flow(), std::nullopt, true, noon)) == "ok");
    BOOST_TEST(
        code_of(check_flow(sample_flow(), std::nullopt, true, noon + Span(900))) == "flow_expired");
}

BOOST_AUTO_TEST_CASE(
    a_flow_is_open_until_its_last_second_and_not_in_it, *label("S2") * label("S14")) {
    BOOST_TEST(code_of(check_flow(sample_flow(), own_cookie(), false, noon + Span(899))) == "ok");
    BOOST_TEST(
        code_of(check_flow(sample_flow(), own_cookie(), false, noon + Span(900))) ==
        "flow_expired");
    BOOST_TEST(
        code_of(check_flow(sample_flow(), sha256("another"), false, noon + Span(900))) ==
        "browser_mismatch"); // a stranger learns nothing
}

// ---- who the person is
BOOST_AUTO_TEST_CASE(a_user_id_has_1_to_255_bytes_after_trimming, *label("S6")) {
    BOOST_TEST(outcome(validate_user_id("  anna \t")) == "ok user_id anna");
    BOOST_TEST(outcome(validate_user_id("a")) == "ok user_id a");
    BOOST_TEST(outcome(validate_user_id("anna b@example.org")) == "ok user_id anna b@example.org");
    BOOST_TEST(code_of(validate_user_id(std::string(255, 'a'))) == "ok");
    BOOST_TEST(code_of(validate_user_id(" " + std::string(255, 'a') + " ")) == "ok");
    BOOST_TEST(code_of(validate_user_id(std::string(256, 'a'))) == "invalid_user_id");
    std::string wide;
    for (int i = 0; i < 85; ++i) wide += "\u4E16";
    BOOST_TEST(code_of(validate_user_id(wide)) == "ok"); // 255 bytes
    BOOST_TEST(code_of(validate_user_id(wide + "a")) == "invalid_user_id");
    BOOST_TEST(code_of(validate_user_id(std::nullopt)) == "invalid_user_id");
    BOOST_TEST(code_of(validate_user_id("")) == "invalid_user_id");
    BOOST_TEST(code_of(validate_user_id(" \t ")) == "invalid_user_id");
}

BOOST_AUTO_TEST_CASE(a_user_id_holds_no_control_character, *label("S6")) {
    for (const auto* bad :
         {"a\nb", "a\rb", "a\tb", "a\x01",
          "a\x7f"
          "b",
          "a\u0085b", "\xff", "a\xc3"}) {
        BOOST_TEST_CONTEXT(to_hex(bad))
        BOOST_TEST(code_of(validate_user_id(bad)) == "invalid_user_id");
    }
    BOOST_TEST(code_of(validate_user_id(std::string("a\0b", 3))) == "invalid_user_id");
    BOOST_TEST(code_of(validate_user_id("a\u00A0b")) == "ok");
}

BOOST_AUTO_TEST_CASE(
    a_virtual_key_must_be_known_active_and_unexpired_and_all_refusals_say_the_same,
    *label("S6") * label("K39")) {
    auto key = sample_virtual_key();
    BOOST_TEST(outcome(validate_virtual_key(key, noon)) == "ok virtual_key vk_sample");
    key.expires_at = noon + Span(1);
    BOOST_TEST(outcome(validate_virtual_key(key, noon)) == "ok virtual_key vk_sample");
    key.expires_at = noon;
    const auto expired = validate_virtual_key(key, noon);
    auto off = sample_virtual_key();
    off.active = false;
    const auto disabled = validate_virtual_key(off, noon);
    const auto unknown = validate_virtual_key(std::nullopt, noon);
    for (const auto* refused : {&expired, &disabled, &unknown}) {
        BOOST_TEST(code_of(*refused) == "invalid_virtual_key");
        BOOST_TEST(refused->error().message == unknown.error().message);
    }
}

BOOST_AUTO_TEST_CASE(skipping_is_for_servers_that_allow_it, *label("S6")) {
    BOOST_TEST(outcome(validate_skip(sample_policy())) == "ok skipped ");
    BOOST_TEST(code_of(validate_skip(enforcing())) == "identity_required");
}

// ---- the bearer matrix of docs/http.md, Bearer on submit
BOOST_AUTO_TEST_CASE(without_a_bearer_the_flows_identity_stays, *label("S4")) {
    BOOST_TEST(submitted(nobody, std::nullopt, std::nullopt) == "ok skipped ");
    BOOST_TEST(submitted(skipped, std::nullopt, std::nullopt) == "ok skipped ");
    BOOST_TEST(submitted(typed, std::nullopt, std::nullopt) == "ok user_id anna");
    BOOST_TEST(submitted(verified, std::nullopt, std::nullopt) == "ok verified_user anna");
    BOOST_TEST(submitted(keyed, std::nullopt, std::nullopt) == "ok virtual_key vk_sample");
}

BOOST_AUTO_TEST_CASE(where_identity_is_enforced_nobody_ends_up_skipped, *label("S2")) {
    BOOST_TEST(submitted(nobody, std::nullopt, std::nullopt, enforcing()) == "identity_required");
    BOOST_TEST(
        submitted(skipped, std::nullopt, std::nullopt, enforcing()) ==
        "identity_required"); // chosen before the switch was set
    BOOST_TEST(submitted(nobody, is_admin(), std::nullopt, enforcing()) == "identity_required");
    BOOST_TEST(submitted(typed, std::nullopt, std::nullopt, enforcing()) == "ok user_id anna");
    BOOST_TEST(
        submitted(nobody, names_key(), sample_virtual_key(), enforcing()) ==
        "ok virtual_key vk_sample");
}

BOOST_AUTO_TEST_CASE(a_bearers_key_is_the_flows_key_or_becomes_it, *label("S4")) {
    BOOST_TEST(submitted(nobody, names_key(), sample_virtual_key()) == "ok virtual_key vk_sample");
    BOOST_TEST(submitted(keyed, names_key(), sample_virtual_key()) == "ok virtual_key vk_sample");
    auto other = sample_virtual_key();
    other.id = VirtualKeyId("vk_other");
    BOOST_TEST(submitted(keyed, names_key(), other) == "invalid_bearer");
    for (const auto& chosen :
         {skipped, typed, verified, Identity{IdentityKind::user_id, "vk_sample"}}) {
        BOOST_TEST_CONTEXT(name_of(chosen.kind))
        BOOST_TEST(submitted(chosen, names_key(), sample_virtual_key()) == "invalid_bearer");
    }
}

BOOST_AUTO_TEST_CASE(a_bearer_with_an_unusable_key_is_refused_never_ignored, *label("S4")) {
    auto off = sample_virtual_key();
    off.active = false;
    auto expired = sample_virtual_key();
    expired.expires_at = noon;
    for (const auto& chosen : {nobody, skipped, typed, keyed}) {
        BOOST_TEST_CONTEXT(name_of(chosen.kind)) {
            BOOST_TEST(submitted(chosen, names_key(), std::nullopt) == "invalid_bearer");
            BOOST_TEST(submitted(chosen, names_key(), off) == "invalid_bearer");
            BOOST_TEST(submitted(chosen, names_key(), expired) == "invalid_bearer");
        }
    }
}

BOOST_AUTO_TEST_CASE(an_admin_leaves_the_identity_as_it_is, *label("S4")) {
    BOOST_TEST(submitted(nobody, is_admin(), std::nullopt) == "ok skipped ");
    BOOST_TEST(submitted(typed, is_admin(), std::nullopt) == "ok user_id anna");
    BOOST_TEST(submitted(keyed, is_admin(), std::nullopt) == "ok virtual_key vk_sample");
}

// ---- whose tokens
BOOST_AUTO_TEST_CASE(what_a_person_typed_owns_no_tokens_beyond_the_session, *label("S11")) {
    const SessionId one("s1");
    BOOST_TEST(typed.owner(one).text() == "session:s1");
    BOOST_TEST(skipped.owner(one).text() == "session:s1");
    BOOST_TEST(nobody.owner(one).text() == "session:s1");
    BOOST_TEST(keyed.owner(one).text() == "key:vk_sample");
    BOOST_TEST(verified.owner(one).text() == "user:" + sha256("anna").hex);
    BOOST_TEST(verified.owner(one).text() == verified.owner(SessionId("s2")).text());
    BOOST_TEST(Owner::of(FlowId("f1")).text() == "flow:f1");
}

BOOST_AUTO_TEST_CASE(no_user_id_can_name_another_owner, *label("S11")) {
    const SessionId session("s1");
    for (const auto* hostile : {"key:vk_sample", "session:s2", "flow:f1", "s2", ""}) {
        BOOST_TEST_CONTEXT(hostile) {
            BOOST_TEST(
                (Identity{IdentityKind::user_id, hostile}).owner(session).text() == "session:s1");
            BOOST_TEST(
                (Identity{IdentityKind::verified_user, hostile}).owner(session).text() ==
                "user:" + sha256(hostile).hex);
        }
    }
}

BOOST_AUTO_TEST_CASE(every_kind_of_identity_has_a_word_and_every_word_a_kind) {
    for (const auto kind :
         {IdentityKind::none, IdentityKind::skipped, IdentityKind::user_id,
          IdentityKind::verified_user, IdentityKind::virtual_key}) {
        BOOST_TEST((identity_kind(name_of(kind)) == kind));
    }
    BOOST_TEST(!identity_kind("admin"));
    BOOST_TEST(!identity_kind(""));
}

BOOST_AUTO_TEST_SUITE_END()
