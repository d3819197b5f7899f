#include "consentgate/core/oauth/verified_user.h"

#include "consentgate/core/oauth/access.h"
#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

Policy policy_of(VerifiedUser source) {
    auto policy = sample_policy();
    policy.verified_user = source;
    return policy;
}
const Policy on = policy_of(VerifiedUser::remote_user);
const Policy off = policy_of(VerifiedUser::off);

Identity verified(const std::string& name) { return {IdentityKind::verified_user, name}; }

std::string principal_named(const std::string& name) {
    const auto principal = verified_principal(name, on);
    return principal ? (*principal)->value : code_of(principal);
}

std::string checked(
    const Identity& whose, const std::optional<std::string>& remote_user, const Policy& policy) {
    return code_of(check_principal(whose, {.remote_user = remote_user}, policy));
}

} // namespace

BOOST_AUTO_TEST_SUITE(verified_users)

BOOST_AUTO_TEST_CASE(the_web_server_s_word_counts_only_where_the_operator_wants_it, *label("S8")) {
    BOOST_TEST(!verified_principal("anna", off)->has_value());
    BOOST_TEST((**verified_principal("anna", on) == verified("anna")));
}

BOOST_AUTO_TEST_CASE(no_name_is_refused_and_the_log_says_what_is_missing, *label("S8")) {
    for (const auto& nothing : {std::optional<std::string>(), std::optional<std::string>("")}) {
        const auto principal = verified_principal(nothing, on);
        BOOST_TEST(code_of(principal) == "verified_user_missing");
        BOOST_TEST(principal.error().reason.find("fastcgi_param REMOTE_USER") != std::string::npos);
        BOOST_TEST(principal.error().message.find("REMOTE_USER") == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_name_is_as_user_ids_are_and_is_not_corrected, *label("S8")) {
    for (const auto& good :
         {std::string("anna"), std::string("anna@EXAMPLE.ORG"), std::string("Ánna Müller"),
          std::string(255, 'a'), std::string("EXAMPLE\\anna")})
        BOOST_TEST(principal_named(good) == good);
    for (const auto& bad :
         {std::string(256, 'a'), std::string("an\nna"), std::string("anna\0", 5),
          std::string("\xff\xfe"), std::string(" anna"), std::string("anna "), std::string(" "),
          std::string("(null)"), std::string("\x7f")}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(principal_named(bad) == "invalid_verified_user");
    }
}

BOOST_AUTO_TEST_CASE(what_a_verified_user_began_only_they_go_on_with, *label("K51") * label("S8")) {
    BOOST_TEST(checked(verified("anna"), "anna", on) == "ok");
    for (const auto* other : {"ben", "Anna", "anna2", "ann"})
        BOOST_TEST(checked(verified("anna"), other, on) == "another_user");
    BOOST_TEST(checked(verified("anna"), std::nullopt, on) == "verified_user_missing");
    BOOST_TEST(checked(verified("anna"), "", on) == "verified_user_missing");
}

BOOST_AUTO_TEST_CASE(what_was_begun_before_the_switch_is_nobodys_after_it, *label("K51")) {
    for (const auto& before :
         {Identity{}, Identity{IdentityKind::skipped, {}}, Identity{IdentityKind::user_id, "anna"},
          Identity{IdentityKind::virtual_key, "anna"}}) {
        BOOST_TEST(checked(before, "anna", on) == "another_user");
        BOOST_TEST(checked(before, "anna", off) == "ok");
    }
    BOOST_TEST(checked(verified("anna"), "anna", off) == "another_user");
    BOOST_TEST(checked(verified("anna"), std::nullopt, off) == "another_user");
}

BOOST_AUTO_TEST_CASE(
    a_typed_name_and_a_verified_one_own_nothing_together, *label("K15") * label("S8")) {
    const SessionId session("s1");
    BOOST_TEST(
        verified("anna").owner(session).text() == verified("anna").owner(SessionId("s2")).text());
    BOOST_TEST(verified("anna").owner(session).text() != verified("ben").owner(session).text());
    BOOST_TEST((Identity{IdentityKind::user_id, "anna"}).owner(session).text() == "session:s1");
    BOOST_TEST(
        (Identity{IdentityKind::user_id, verified("anna").owner(session).text()})
            .owner(session)
            .text() == "session:s1");
    BOOST_TEST(
        verified("key:vk").owner(session).text() !=
        (Identity{IdentityKind::virtual_key, "vk"}).owner(session).text());
}

BOOST_AUTO_TEST_CASE(consent_is_remembered_for_the_user_who_asks_now, *label("U7") * label("K51")) {
    const std::string address = "https://client.example/cb";
    const auto recalled = [&](const Identity& earlier, const Identity& now) {
        SessionView view{
            sample_finalization(earlier).session, "Sample", true, sample_virtual_key()};
        view.session.redirect_uri = address;
        auto flow = sample_flow();
        flow.redirect_uri = address;
        flow.identity = now;
        auto remembering = on;
        remembering.remember_consent = RememberConsent::https;
        return may_reuse_consent(view, flow, remembering, noon);
    };
    const Identity key{IdentityKind::virtual_key, "vk_sample"};
    BOOST_TEST(recalled(verified("anna"), verified("anna")));
    BOOST_TEST(!recalled(verified("anna"), verified("ben")));
    BOOST_TEST(!recalled(verified("anna"), {}));
    BOOST_TEST(!recalled({IdentityKind::user_id, "anna"}, verified("anna")));
    BOOST_TEST(!recalled(key, verified("anna")));
    BOOST_TEST(recalled(key, {}));
}

BOOST_AUTO_TEST_CASE(nobody_types_a_name_where_the_web_server_says_it, *label("S8")) {
    BOOST_TEST(code_of(check_typing_allowed(off)) == "ok");
    BOOST_TEST(code_of(check_typing_allowed(on)) == "invalid_request");
}

BOOST_AUTO_TEST_SUITE_END()
