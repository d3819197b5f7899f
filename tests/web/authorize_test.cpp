// Tests src/web/authorize.cpp through the router: other methods than GET, and other addresses.
#include "tests/support/samples.h"
#include "tests/support/web_server.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

const std::string endpoint = "/api/oauth/per-user/authorize";

struct Client {
    TestServer server;
    Journey journey{server};

    web::Reply post(const std::string& target, const std::string& body) {
        auto request = TestServer::request("POST", target);
        request.body = body;
        request.content_type = form_type;
        return server.ask(request);
    }
};

bool starts_flow(const web::Reply& reply) {
    return location_of(reply).starts_with("/oauth/consent?flow_id=");
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(authorize, Client)

BOOST_AUTO_TEST_CASE(
    a_post_leads_to_the_same_request_as_get_and_sets_no_cookie, *label("XE6") * label("A1")) {
    const auto body = sample_authorize().text();
    const auto reply = post(endpoint, body);
    BOOST_TEST(reply.status == 303);
    BOOST_TEST(location_of(reply) == endpoint + "?" + body);
    BOOST_TEST(header_of(reply, "Set-Cookie") == "(absent)");
    BOOST_TEST(header_of(reply, "Cache-Control") == "no-store");
    BOOST_TEST(header_of(reply, "Referrer-Policy") == "no-referrer");
    BOOST_TEST(reply.body.empty());
    BOOST_TEST(server.random.calls() == 0U); // no flow and no secret of a browser's
    const auto begun = server.ask(TestServer::get(location_of(reply)));
    BOOST_TEST(starts_flow(begun));
    BOOST_TEST(header_of(begun, "Set-Cookie") != "(absent)");
    // A part in the address, the rest in the body, as OpenID libraries send it.
    BOOST_TEST(location_of(post(endpoint + "?a=b", "c=d")) == endpoint + "?a=b&c=d");
    BOOST_TEST(location_of(post(endpoint + "?a=b", "")) == endpoint + "?a=b");
    // The address that it leads to says what is wrong with the request.
    const auto empty = post(endpoint, "");
    BOOST_TEST(empty.status == 303);
    BOOST_TEST(server.ask(TestServer::get(location_of(empty))).status == 400);
}

BOOST_AUTO_TEST_CASE(
    a_post_of_16_kib_is_read_and_one_byte_more_or_another_kind_is_refused, *label("XE6")) {
    const auto body = sample_authorize().text() + "&x=";
    const auto sized = [&](std::size_t size) {
        return body + std::string(size - body.size(), 'a');
    };
    const auto most = post(endpoint, sized(16 * 1024));
    BOOST_TEST(most.status == 303);
    BOOST_TEST(starts_flow(server.ask(TestServer::get(location_of(most)))));
    BOOST_TEST(post(endpoint, sized(16 * 1024 + 1)).status == 413);
    BOOST_TEST(post(endpoint + "?a=b", sized(16 * 1024 - 3)).status == 413);
    for (const auto* type :
         {"application/json", "multipart/form-data; boundary=x", "text/plain", ""}) {
        auto request = TestServer::post(endpoint, sample_authorize().text(), type);
        const auto reply = server.ask(request);
        BOOST_TEST_CONTEXT(type) {
            BOOST_TEST(reply.status == 400);
            BOOST_TEST(location_of(reply) == "(absent)");
        }
    }
    for (const auto* bad :
         {"a=%", "a=\xC3\xA9", "a=b#c", "a=b c", "a=b\r\nSet-Cookie:+x", "a=%00"}) {
        const auto reply = post(endpoint, bad);
        BOOST_TEST_CONTEXT(bad) {
            BOOST_TEST(reply.status == 400);
            BOOST_TEST(location_of(reply) == "(absent)");
        }
    }
}

BOOST_AUTO_TEST_CASE(head_is_200_and_begins_nothing, *label("XE6") * label("A1")) {
    const auto document = "client_id=https%3A%2F%2Fapp.example%2Fclient.json";
    for (const auto& query : {sample_authorize().text(), std::string(document), std::string()}) {
        for (const auto& path : {endpoint, std::string("/authorize")}) {
            const auto reply = server.ask(TestServer::request("HEAD", path + "?" + query));
            BOOST_TEST_CONTEXT(path << " " << query) {
                BOOST_TEST(reply.status == 200);
                BOOST_TEST(reply.body.empty());
                BOOST_TEST(header_of(reply, "Set-Cookie") == "(absent)");
                BOOST_TEST(location_of(reply) == "(absent)");
                BOOST_TEST(header_of(reply, "Cache-Control") == "no-store");
            }
        }
    }
    BOOST_TEST(server.random.calls() == 0U);
    BOOST_TEST(
        server.ask(TestServer::request("HEAD", endpoint + "?" + std::string(16385, 'a'))).status ==
        414);
}

BOOST_AUTO_TEST_CASE(
    the_addresses_of_clients_that_read_no_metadata_are_the_real_ones,
    *label("XE6") * label("D28")) {
    const auto query = sample_authorize().text();
    const auto reply = server.ask(TestServer::get("/authorize?" + query));
    BOOST_TEST(reply.status == 302);
    BOOST_TEST(location_of(reply) == endpoint + "?" + query);
    BOOST_TEST(header_of(reply, "Set-Cookie") == "(absent)");
    BOOST_TEST(starts_flow(server.ask(TestServer::get(location_of(reply)))));
    BOOST_TEST(location_of(post("/authorize", query)) == endpoint + "?" + query);
    BOOST_TEST(server.ask(TestServer::get("/authorize?\xC3\xA9")).status == 400);

    const auto registered = server.ask(TestServer::post(
        "/register", R"({"redirect_uris":["http://127.0.0.1/cb"]})", "application/json"));
    BOOST_TEST(registered.status == 201);
    BOOST_TEST(header_of(registered, "Access-Control-Allow-Origin") == "*");
    BOOST_TEST(
        error_of(server.ask(TestServer::post("/register", "{}", "application/json"))) ==
        "invalid_redirect_uri");

    journey.begin();
    auto exchange = journey.exchange(journey.finish());
    exchange.path = "/token";
    BOOST_TEST(server.ask(exchange).status == 200);
    BOOST_TEST(error_of(server.ask(TestServer::post("/token", ""))) == "invalid_request");
    // The metadata goes on naming the real ones.
    const auto metadata =
        server.ask(TestServer::get("/.well-known/oauth-authorization-server")).body;
    for (const auto* path : {"/authorize", "/token", "/register"})
        BOOST_TEST(
            holds(metadata, std::string("https://auth.example.org/api/oauth/per-user") + path));
}

BOOST_AUTO_TEST_CASE(
    the_short_address_of_authorize_names_nobody_and_the_real_one_does,
    *label("XE6") * label("S8")) {
    auto policy = sample_policy();
    policy.verified_user = core::VerifiedUser::remote_user;
    TestServer office(policy);
    const auto query = sample_authorize().text();
    BOOST_TEST(office.ask(TestServer::get("/authorize?" + query)).status == 302);
    BOOST_TEST(office.ask(TestServer::get(endpoint + "?" + query)).status == 403);
    BOOST_TEST(office.ask(TestServer::request("HEAD", endpoint)).status == 403);
    auto posted = TestServer::post(endpoint, query);
    BOOST_TEST(office.ask(posted).status == 403);
    posted.remote_user = "anna";
    BOOST_TEST(office.ask(posted).status == 303);
}

BOOST_AUTO_TEST_SUITE_END()
