// Tests src/app/idp_presets.cpp: the issuers that options describe, and who is kept out.
#include "app/idp_presets.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::app::admin;
using boost::unit_test::label;
using core::ProviderKind;

namespace {

const std::string guid = "72f988bf-86f1-41af-91ab-2d7cd011db47";

// The issuer; or the refusal, after a bang.
std::string issuer_of(
    ProviderKind kind, const std::string& url = {}, const std::string& realm = {},
    const std::string& tenant = {}) {
    const auto issuer = preset_issuer(idp_preset(kind), url, realm, tenant);
    return issuer ? *issuer : "!" + issuer.error().message;
}

} // namespace

BOOST_AUTO_TEST_SUITE(idp_presets_of_providers)

BOOST_AUTO_TEST_CASE(a_preset_makes_the_issuer_of_its_options, *label("SI16")) {
    BOOST_TEST(
        issuer_of(ProviderKind::keycloak, "https://sso.example.org/", "staff") ==
        "https://sso.example.org/realms/staff");
    BOOST_TEST(
        issuer_of(ProviderKind::keycloak, "https://sso.example.org/auth", "staff") ==
        "https://sso.example.org/auth/realms/staff");
    BOOST_TEST(issuer_of(ProviderKind::keycloak, "https://sso.example.org").starts_with("!"));
    BOOST_TEST(
        issuer_of(ProviderKind::entra, "", "", guid) ==
        "https://login.microsoftonline.com/" + guid + "/v2.0");
    BOOST_TEST(
        issuer_of(ProviderKind::entra, "", "", "organizations") ==
        "https://login.microsoftonline.com/{tenantid}/v2.0");
    BOOST_TEST(issuer_of(ProviderKind::entra).starts_with("!"));
    BOOST_TEST(issuer_of(ProviderKind::entra, "", "", "example.org").starts_with("!"));
    BOOST_TEST(issuer_of(ProviderKind::google) == "https://accounts.google.com");
    BOOST_TEST(
        issuer_of(ProviderKind::okta, "https://o.okta.com/oauth2/default/") ==
        "https://o.okta.com/oauth2/default");
    BOOST_TEST(issuer_of(ProviderKind::okta).starts_with("!"));
    BOOST_TEST(issuer_of(ProviderKind::gitlab) == "https://gitlab.com");
    BOOST_TEST(
        issuer_of(ProviderKind::gitlab, "https://git.example.org") == "https://git.example.org");
    BOOST_TEST(issuer_of(ProviderKind::generic) == "");
}

BOOST_AUTO_TEST_CASE(a_provider_that_anybody_can_join_needs_a_fence, *label("SI5")) {
    core::IdentityProvider idp;
    BOOST_TEST(bool(check_fence(idp)));
    idp.kind = ProviderKind::google;
    BOOST_TEST(!bool(check_fence(idp)));
    idp.domains = {"example.org"};
    BOOST_TEST(bool(check_fence(idp)));
    idp.domains.clear();
    idp.any_account = true;
    BOOST_TEST(bool(check_fence(idp)));
    idp.any_account = false;
    idp.kind = ProviderKind::entra;
    idp.issuer = "https://login.microsoftonline.com/" + guid + "/v2.0";
    BOOST_TEST(bool(check_fence(idp)));
    idp.issuer = "https://login.microsoftonline.com/{tenantid}/v2.0";
    BOOST_TEST(!bool(check_fence(idp)));
    idp.allowed_tenants = {guid};
    BOOST_TEST(bool(check_fence(idp)));
}

BOOST_AUTO_TEST_CASE(each_preset_is_a_kind_with_a_title, *label("SI16")) {
    BOOST_TEST(idp_preset_names() == "keycloak, entra, google, okta, gitlab, github");
    for (const auto& preset : idp_presets()) {
        BOOST_TEST((core::provider_kind_of(core::name_of(preset.kind)) == preset.kind));
        BOOST_TEST(bool(core::check_idp_title(preset.title)));
        BOOST_TEST(!preset.groups_need.empty());
    }
    BOOST_TEST(idp_preset(ProviderKind::google).groups_claim == "");
    BOOST_TEST(idp_preset(ProviderKind::generic).groups_claim == "groups");
}

BOOST_AUTO_TEST_SUITE_END()
