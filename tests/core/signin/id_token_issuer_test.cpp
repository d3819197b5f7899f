// Tests src/core/signin/id_token.cpp: whose tokens are taken, at providers with many tenants too.
#include "id_tokens.h"

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

constexpr const char* microsoft = "https://login.microsoftonline.com/";
constexpr const char* tenant_a = "11111111-2222-3333-4444-555555555555";
constexpr const char* tenant_b = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
constexpr const char* consumers = "9188040d-6c67-4c5b-b112-36a304b66dad";

std::string tenant_issuer(const std::string& tenant) { return microsoft + tenant + "/v2.0"; }

IdentityProvider many_tenants() {
    auto provider = sample_signing_provider();
    provider.kind = ProviderKind::entra;
    provider.issuer = tenant_issuer("{tenantid}");
    provider.allowed_tenants = {tenant_a, tenant_b};
    return provider;
}

JsonObject microsoft_key(const std::string& issuer) {
    return provider_rsa().jwk("ms").set("issuer", issuer);
}

std::string at_microsoft(
    const std::string& named, const std::string& issued_by, const IdentityProvider& provider,
    const std::string& key_issuer = tenant_issuer("{tenantid}")) {
    const auto claims = sample_id_claims().set("tid", named).set("iss", issued_by);
    return verdict(
        provider_rsa().sign(token_header("RS256", "ms"), claims), provider,
        keys_of({microsoft_key(key_issuer)}));
}

IdentityProvider google() {
    auto provider = sample_signing_provider();
    provider.kind = ProviderKind::google;
    provider.issuer = "https://accounts.google.com";
    provider.domains = {"example.org"};
    return provider;
}
std::string at_google(const Edit& edit, const IdentityProvider& provider = google()) {
    auto claims = sample_id_claims().set("iss", provider.issuer).set("hd", "example.org");
    edit(claims);
    return verdict(provider_ec().sign(token_header("ES256", "ec"), claims), provider, usual_keys());
}

} // namespace

BOOST_AUTO_TEST_SUITE(id_token_issuers)

BOOST_AUTO_TEST_CASE(
    microsofts_tenants_come_in_by_the_operators_list, *label("SI39") * label("SA11")) {
    const auto provider = many_tenants();
    BOOST_TEST(at_microsoft(tenant_a, tenant_issuer(tenant_a), provider) == "ok");
    BOOST_TEST(at_microsoft(tenant_b, tenant_issuer(tenant_b), provider) == "ok");
    const std::string unlisted = "99999999-2222-3333-4444-555555555555";
    BOOST_TEST(at_microsoft(unlisted, tenant_issuer(unlisted), provider) == "tid");
    BOOST_TEST(at_microsoft(tenant_a, tenant_issuer(tenant_b), provider) == "iss");
    BOOST_TEST(at_microsoft(tenant_a, tenant_issuer("{tenantid}"), provider) == "iss");
    BOOST_TEST(at_microsoft("{tenantid}", tenant_issuer("{tenantid}"), provider) == "tid");
    BOOST_TEST(at_microsoft("", tenant_issuer(""), provider) == "tid");
    BOOST_TEST(at_microsoft(consumers, tenant_issuer(consumers), provider) == "tid");
    auto careless = provider;
    careless.allowed_tenants.push_back(consumers);
    BOOST_TEST(at_microsoft(consumers, tenant_issuer(consumers), careless) == "tid");
    // The key says whose tokens it signs.
    BOOST_TEST(
        at_microsoft(tenant_a, tenant_issuer(tenant_a), provider, tenant_issuer(tenant_a)) == "ok");
    BOOST_TEST(
        at_microsoft(tenant_a, tenant_issuer(tenant_a), provider, tenant_issuer(consumers)) ==
        "kid");
    BOOST_TEST(at_microsoft(tenant_a, tenant_issuer(tenant_a), provider, "") == "kid");
}

BOOST_AUTO_TEST_CASE(
    one_tenant_of_microsofts_is_an_issuer_like_others, *label("SI39") * label("SA11")) {
    auto provider = many_tenants();
    provider.issuer = tenant_issuer(tenant_a);
    provider.allowed_tenants.clear();
    BOOST_TEST(at_microsoft(tenant_a, tenant_issuer(tenant_a), provider) == "ok");
    BOOST_TEST(at_microsoft(tenant_a, tenant_issuer(tenant_a), provider, "") == "ok");
    BOOST_TEST(at_microsoft(tenant_b, tenant_issuer(tenant_a), provider) == "iss");
    BOOST_TEST(at_microsoft(tenant_b, tenant_issuer(tenant_b), provider) == "iss");
    BOOST_TEST(
        at_microsoft(tenant_a, tenant_issuer(tenant_a), provider, tenant_issuer(tenant_b)) ==
        "kid");
    provider.issuer = tenant_issuer(consumers);
    BOOST_TEST(at_microsoft(consumers, tenant_issuer(consumers), provider) == "tid");
    provider.any_account = true;
    BOOST_TEST(at_microsoft(consumers, tenant_issuer(consumers), provider) == "ok");
}

BOOST_AUTO_TEST_CASE(
    googles_own_word_says_to_which_company_an_account_belongs, *label("SI5") * label("SA12")) {
    BOOST_TEST(at_google(keep()) == "ok");
    BOOST_TEST(at_google(put("hd", "EXAMPLE.org")) == "ok");
    const auto consumer = [](JsonObject& claims) {
        claims = without(claims, "hd").set("email", "boss@example.org").set("email_verified", true);
    };
    BOOST_TEST(at_google(consumer) == "hd"); // whatever hd we asked with
    BOOST_TEST(at_google(put("hd", "example.com")) == "hd");
    BOOST_TEST(at_google(put("hd", "sub.example.org")) == "hd");
    BOOST_TEST(at_google(put("hd", "")) == "hd");
    BOOST_TEST(at_google(put("hd", JsonArray{"example.org"})) == "hd");
    auto forgotten = google();
    forgotten.domains.clear();
    BOOST_TEST(at_google(keep(), forgotten) == "hd");
    forgotten.domains = {""};
    BOOST_TEST(at_google(consumer, forgotten) == "hd");
    forgotten.any_account = true;
    BOOST_TEST(at_google(consumer, forgotten) == "ok");
}

BOOST_AUTO_TEST_CASE(google_may_leave_the_scheme_out_of_its_name, *label("SI39")) {
    const auto claims =
        sample_id_claims().set("iss", "accounts.google.com").set("hd", "example.org");
    const auto token = provider_ec().sign(token_header("ES256", "ec"), claims);
    const auto proved = validate_id_token(token, google(), usual_keys(), expected(), noon);
    BOOST_REQUIRE(static_cast<bool>(proved));
    BOOST_TEST(proved->issuer == "https://accounts.google.com"); // one person, one name
    auto another = google();
    another.kind = ProviderKind::generic;
    BOOST_TEST(verdict(token, another, usual_keys()) == "iss");
}

BOOST_AUTO_TEST_SUITE_END()
