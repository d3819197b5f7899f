// Where an identity provider's endpoints may be: as near to this machine as its issuer, and no
// nearer, also for a provider of many tenants.
#include "src/usecase/provider_call.h"

#include "dependencies_fixture.h"

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

class Listening final : public sys::HttpClient {
public:
    std::vector<sys::HttpRequest> asked;
    sys::HttpResponse send(const sys::HttpRequest& request) override {
        asked.push_back(request);
        return {};
    }
};

struct Asking : DependenciesFixture {
    Listening web;
    core::IdentityProvider idp;

    Asking() { deps.web = &web; }

    sys::HttpRequest sent_to(const std::string& url) {
        usecase::ask_idp(deps, idp, {.purpose = sys::PlaceKind::signin, .url = url});
        return web.asked.back();
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(provider_call)

BOOST_FIXTURE_TEST_CASE(
    endpoints_that_a_provider_names_are_no_nearer_than_its_issuer, Asking, *label("SI2")) {
    for (const auto* issuer :
         {"https://sso.example", "https://login.microsoftonline.com/{tenantid}/v2.0"}) {
        idp.issuer = issuer;
        const auto named = sent_to("https://elsewhere.example/token");
        BOOST_TEST((named.addresses == sys::AddressPolicy::named_by_service), issuer);
        BOOST_TEST(named.operator_url.find('{') == std::string::npos, named.operator_url);
        // The operator's own word leads to the document alone.
        const auto document = sent_to(named.operator_url);
        BOOST_TEST((document.addresses == sys::AddressPolicy::operator_url), issuer);
    }
}

BOOST_FIXTURE_TEST_CASE(a_client_without_a_secret_has_an_empty_one, Asking, *label("SI4")) {
    const auto none = usecase::client_secret_of(deps, idp);
    BOOST_REQUIRE(none);
    BOOST_TEST(none->empty());
    idp.client_secret = "no ciphertext";
    idp.key_id = keyring.newest();
    BOOST_TEST(code_of(usecase::client_secret_of(deps, idp)) == "server_error");
}

BOOST_AUTO_TEST_SUITE_END()
