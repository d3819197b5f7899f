#include "consentgate/core/signin/identity_provider.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(identity_provider)

BOOST_AUTO_TEST_CASE(an_id_is_no_word_of_rules, *label("SI1")) {
    for (const std::string id : {"corp", "a", "my-idp_2", "users", "signed-in"})
        BOOST_TEST(bool(core::check_idp_id(id)), id);
    BOOST_TEST(bool(core::check_idp_id(std::string(64, 'a'))));
    for (const std::string id :
         {"", "Corp", "a b", "a/b", "a:b", "\xC3\xA4", "any", "remote", "keys", "team",
          "unverified", "everyone"})
        BOOST_TEST(!bool(core::check_idp_id(id)), id);
    BOOST_TEST(!bool(core::check_idp_id(std::string(65, 'a'))));
}

BOOST_AUTO_TEST_CASE(a_title_is_sixty_characters_on_one_line, *label("SI7")) {
    std::string sixty;
    for (int i = 0; i < 60; ++i) sixty += "\xC3\xA4";
    BOOST_TEST(bool(core::check_idp_title(sixty)));
    BOOST_TEST(!bool(core::check_idp_title(sixty + "a")));
    for (const std::string title : {"", "  ", "a\nb", "\xFF"})
        BOOST_TEST(!bool(core::check_idp_title(title)), title);
}

BOOST_AUTO_TEST_CASE(a_claim_is_a_name_or_a_json_pointer, *label("SI7")) {
    for (const std::string claim :
         {"groups", "https://example.org/groups", "/realm_access/roles", "/a~1b/c~0d", "a~b"})
        BOOST_TEST(bool(core::check_claim_name(claim)), claim);
    for (const std::string claim : {"", "a\nb", "/a~", "/a~2b", "\xFF"})
        BOOST_TEST(!bool(core::check_claim_name(claim)), claim);
    BOOST_TEST(!bool(core::check_claim_name(std::string(256, 'a'))));
}

BOOST_AUTO_TEST_CASE(a_parameter_changes_nothing_that_we_send, *label("SI7")) {
    for (const std::string text : {"access_type=offline", "hd=example.org", "kc_idp_hint=x", "a="})
        BOOST_TEST(bool(core::check_signin_parameter(text)), text);
    for (const std::string text :
         {"access_type", "=x", "a b=c", "a=b\n", "state=x", "nonce=x", "prompt=none", "max_age=0",
          "acr_values=x", "login_hint=x", "scope=x", "redirect_uri=x", "claims=x",
          "response_mode=form_post", "request=x", "request_uri=x", "client_secret=x"})
        BOOST_TEST(!bool(core::check_signin_parameter(text)), text);
}

BOOST_AUTO_TEST_CASE(the_secret_is_bound_to_the_id, *label("SI4")) {
    core::IdentityProvider one, other;
    one.id = core::IdpId("one");
    other.id = core::IdpId("other");
    BOOST_TEST(one.client_secret_aad() != other.client_secret_aad());
}

BOOST_AUTO_TEST_CASE(words_of_an_idp_come_back_as_they_are_stored, *label("SI7")) {
    using enum core::ProviderKind;
    for (const auto kind : {generic, keycloak, entra, google, okta, gitlab})
        BOOST_TEST((core::provider_kind_of(core::name_of(kind)) == kind));
    for (const auto trust :
         {core::EmailTrust::verified, core::EmailTrust::always, core::EmailTrust::never})
        BOOST_TEST((core::email_trust_of(core::name_of(trust)) == trust));
    for (const auto effect :
         {core::LogoutEffect::sessions, core::LogoutEffect::person, core::LogoutEffect::browser})
        BOOST_TEST((core::logout_effect_of(core::name_of(effect)) == effect));
    for (const auto use :
         {core::UserinfoUse::automatic, core::UserinfoUse::always, core::UserinfoUse::never})
        BOOST_TEST((core::userinfo_use_of(core::name_of(use)) == use));
    BOOST_TEST(!core::provider_kind_of("azure").has_value());
    BOOST_TEST(!core::email_trust_of("").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
