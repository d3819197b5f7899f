// Tests src/core/oauth/registration_reader.cpp: what a registration says oddly is dropped, and what
// it cannot do without is refused.
#include "registrations.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(registration_reader)

BOOST_AUTO_TEST_CASE(
    odd_addresses_beside_a_good_one_are_dropped_and_alone_refused,
    *label("R2") * label("R3") * label("XE6")) {
    for (const auto* bad :
         {"\"https://c.example/cb#x\"", "\"http://evil.test/cb\"", "\"javascript:alert(1)\"",
          "\"data:text/html,x\"", "\"https://u@c.example/cb\"", "\"/cb\"", "\"\"", "null", "7",
          "{}"}) {
        BOOST_TEST_CONTEXT(bad) {
            for (const std::string& uris :
                 {std::string(bad) + ",\"https://c.example/cb\"",
                  std::string("\"https://c.example/cb\",") + bad}) {
                const auto client = registered("{\"redirect_uris\":[" + uris + "]}");
                BOOST_REQUIRE(client);
                BOOST_TEST(join(client->redirect_uris, " ") == "https://c.example/cb");
                BOOST_TEST(client->dropped_redirects);
                const auto answer = json_of(registration_response(*client, std::nullopt));
                BOOST_TEST(array_of(*answer, "redirect_uris") == "https://c.example/cb");
            }
            BOOST_TEST(
                code_of(registered(std::string("{\"redirect_uris\":[") + bad + "]}")) ==
                "invalid_redirect_uri");
            BOOST_TEST(
                code_of(registered(std::string("{\"redirect_uris\":[\"data:x\",") + bad + "]}")) ==
                "invalid_redirect_uri");
        }
    }
}

BOOST_AUTO_TEST_CASE(any_number_of_odd_addresses_may_stand_beside_sixteen, *label("XE6")) {
    std::string odd;
    for (int i = 0; i < 500; ++i) odd += "\"javascript:" + std::to_string(i) + "\",";
    auto body = body_with_uris(16);
    body.insert(body.find('[') + 1, odd);
    const auto client = registered(body);
    BOOST_REQUIRE(client);
    BOOST_TEST(client->redirect_uris.size() == 16U);
    body = body_with_uris(17);
    body.insert(body.find('[') + 1, odd);
    BOOST_TEST(code_of(registered(body)) == "invalid_redirect_uri");
}

BOOST_AUTO_TEST_CASE(an_address_that_is_sent_again_counts_once, *label("XE6")) {
    std::string same;
    for (int i = 0; i < 40; ++i) same += "\"https://c.example/cb\",";
    const auto client = registered("{\"redirect_uris\":[" + same + "\"https://c.example/cb2\"]}");
    BOOST_REQUIRE(client);
    BOOST_TEST(join(client->redirect_uris, " ") == "https://c.example/cb https://c.example/cb2");
    BOOST_TEST(!client->dropped_redirects);
}

BOOST_AUTO_TEST_CASE(an_operator_hears_of_an_address_that_cannot_be_kept, *label("XE6")) {
    auto policy = sample_policy();
    policy.redirects.hosts = {"claude.ai"}; // for clients that nobody checked
    const auto added = [&](const std::string& uris) {
        return validate_registration(
            "{\"redirect_uris\":[" + uris + "]}", policy, ClientId("cgc_fresh"), noon,
            Registrant::an_operator);
    };
    const auto client = added("\"https://c.example/cb\",\"https://c.example/cb\"");
    BOOST_REQUIRE(client);
    BOOST_TEST(client->by_operator);
    BOOST_TEST(client->redirect_uris.size() == 1U);
    const auto refused = added("\"https://c.example/cb\",\"javascript:1\"");
    BOOST_TEST(code_of(refused) == "invalid_redirect_uri");
    BOOST_TEST(refused.error().message == "this redirect URI scheme is not accepted");
}

BOOST_AUTO_TEST_CASE(
    the_application_type_is_given_back_and_forbids_no_address, *label("R15") * label("N10")) {
    for (const auto* uri : {"http://127.0.0.1:1234/cb", "https://c.example/cb", "cursor://x/cb"}) {
        for (const std::string type : {"web", "native", "other"}) {
            const auto document = document_of(
                "{\"redirect_uris\":[\"" + std::string(uri) + "\"],\"application_type\":\"" + type +
                "\"}");
            BOOST_TEST_CONTEXT(uri << " " << type)
            BOOST_TEST(member_of(*document, "application_type") == type);
        }
        for (const auto* none : {"", ",\"application_type\":null"}) {
            const auto document =
                document_of("{\"redirect_uris\":[\"" + std::string(uri) + "\"]" + none + "}");
            BOOST_TEST_CONTEXT(uri << none) BOOST_TEST(!document->has("application_type"));
        }
    }
}

BOOST_AUTO_TEST_CASE(
    an_address_for_people_that_is_no_web_address_is_dropped,
    *label("R16") * label("K29") * label("XE6")) {
    for (const auto* member : {"client_uri", "logo_uri", "tos_uri", "policy_uri"}) {
        const auto kept = [&](const std::string& value) {
            const auto document =
                document_of(body_with("\"" + std::string(member) + "\":" + value));
            return document->has(member) ? member_of(*document, member) : "(dropped)";
        };
        BOOST_TEST_CONTEXT(member) {
            BOOST_TEST(kept("\"https://c.example/about\"") == "https://c.example/about");
            BOOST_TEST(kept("\"http://c.example\"") == "http://c.example");
            for (const auto* bad :
                 {"\"javascript:alert(1)\"", "\"data:text/html,x\"", "\"/about\"", "\"c.example\"",
                  "\"https:///x\"", "\"ftp://c.example/\"", "7", "[]", "{}",
                  "\"https://c.example/\\n\"", "\"https://c.example/<\""}) {
                BOOST_TEST_CONTEXT(bad) BOOST_TEST(kept(bad) == "(dropped)");
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(an_address_of_keys_counts_for_those_who_sign_with_them, *label("XE6")) {
    const std::string bad = R"x("jwks_uri":"javascript:alert(1)")x";
    BOOST_TEST(code_of(registered(body_with(bad))) == "ok");
    BOOST_TEST(
        code_of(
            registered(body_with(bad + R"(,"token_endpoint_auth_method":"private_key_jwt")"))) ==
        "invalid_client_metadata");
}

BOOST_AUTO_TEST_CASE(
    decorations_of_2048_bytes_are_kept_and_longer_ones_dropped, *label("R17") * label("XE6")) {
    const auto uri = [](std::size_t size) {
        return document_of(
            body_with("\"client_uri\":\"https://c.example/" + std::string(size - 18, 'a') + "\""));
    };
    BOOST_TEST(uri(2048)->has("client_uri"));
    BOOST_TEST(!uri(2049)->has("client_uri"));
    const auto software = [](std::size_t size) {
        return document_of(body_with("\"software_id\":\"" + std::string(size, 'a') + "\""));
    };
    BOOST_TEST(software(2048)->has("software_id"));
    BOOST_TEST(!software(2049)->has("software_id"));
}

BOOST_AUTO_TEST_CASE(decorations_of_another_type_are_dropped, *label("XE6")) {
    const auto document = document_of(body_with(
        R"("contacts":"a@c.example","software_id":1,"software_version":[],"application_type":{})"));
    for (const auto* member : {"contacts", "software_id", "software_version", "application_type"})
        BOOST_TEST_CONTEXT(member) BOOST_TEST(!document->has(member));
}

BOOST_AUTO_TEST_SUITE_END()
