// Services: every column, and those whose registration is to be renewed.
#include "sample.h"

#include "tests/support/child.h"

#include <algorithm>

using namespace consentgate;
using namespace consentgate::tests;

STORE_CASE(a_service_comes_back_as_it_was_put, "S7") {
    const auto store = database.open();
    auto service = sample_service();
    service.registration_endpoint = "https://mcp.notion.example/register";
    service.resource = "https://mcp.notion.example/mcp";
    service.scope = "read write";
    service.registration = core::Registration::dynamic;
    service.sends_iss = true;
    service.by_hand = true;
    service.authorize_parameters = {"access_type=offline", "prompt=consent"};
    service.token_path = "authed_user";
    service.key_header = "X-API-Key";
    service.client_secret_expires_at = noon + core::Span(60);
    service.renew_at = noon + core::Span(40);
    service.registration_client_uri = "https://mcp.notion.example/register/c";
    service.registration_token = std::string("\0sealed\xff", 8);
    store->services.put(service);
    const auto back = store->services.find(service.id);
    BOOST_REQUIRE(back.has_value());
    BOOST_TEST(back->name == service.name);
    BOOST_TEST(back->url == service.url);
    BOOST_TEST(back->issuer == service.issuer);
    BOOST_TEST(back->authorization_endpoint == service.authorization_endpoint);
    BOOST_TEST(back->token_endpoint == service.token_endpoint);
    BOOST_TEST(back->registration_endpoint == service.registration_endpoint);
    BOOST_TEST(back->revocation_endpoint.empty());
    BOOST_TEST(back->resource == service.resource);
    BOOST_TEST(back->scope == service.scope);
    BOOST_TEST((back->registration == service.registration));
    BOOST_TEST(back->client_id == service.client_id);
    BOOST_TEST((back->auth == service.auth));
    BOOST_TEST((back->client_secret == service.client_secret));
    BOOST_TEST((back->key_id == service.key_id));
    BOOST_TEST(back->sends_iss);
    BOOST_TEST(back->by_hand);
    BOOST_TEST(back->authorize_parameters == service.authorize_parameters);
    BOOST_TEST(back->token_path == "authed_user");
    BOOST_TEST(back->key_header == "X-API-Key");
    BOOST_TEST((back->client_secret_expires_at == service.client_secret_expires_at));
    BOOST_TEST((back->renew_at == service.renew_at));
    BOOST_TEST(back->registration_client_uri == service.registration_client_uri);
    BOOST_TEST((back->registration_token == service.registration_token));
    BOOST_TEST(back->active);
    BOOST_TEST((back->created_at == noon));
    const auto all = store->services.list();
    BOOST_TEST(std::is_sorted(
        all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id < b.id; }));
    BOOST_TEST(std::count_if(all.begin(), all.end(), [&](const auto& one) {
                   return one.id == service.id;
               }) == 1);
    BOOST_TEST(!store->services.find(core::ServiceId(fresh_id())).has_value());
    BOOST_CHECK_THROW(store->services.put(service), store::StoreFailure); // its id is taken
    store->services.remove(service.id, true);
}

STORE_CASE(registrations_to_renew_are_found_by_their_time_alone, "XC8") {
    const auto store = database.open();
    const auto put = [&](std::optional<core::Instant> renew_at, bool active = true) {
        auto service = sample_service();
        service.renew_at = renew_at;
        service.active = active;
        store->services.put(service);
        return service.id;
    };
    const auto late = put(noon - core::Span(5)), first = put(noon - core::Span(9));
    const std::vector others{put(noon + core::Span(1)), put(std::nullopt), put(noon, false)};
    std::vector<std::string> found;
    for (const auto& service : store->services.list_to_renew(noon, 100))
        found.push_back(service.id.text);
    BOOST_TEST(found == (std::vector{first.text, late.text}));
    BOOST_TEST(store->services.list_to_renew(noon, 1).size() == 1U);
    for (const auto& id : {late, first, others[0], others[1], others[2]})
        store->services.remove(id, true);
}
