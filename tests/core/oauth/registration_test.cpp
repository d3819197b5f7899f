// Tests src/core/oauth/client.cpp: dynamic registration.
#include "registrations.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(registration)

BOOST_AUTO_TEST_CASE(redirect_uris_are_required_as_an_array_of_texts, *label("R2") * label("R13")) {
    for (const auto* bad :
         {"{}", R"({"redirect_uris":null})", R"({"redirect_uris":[]})",
          R"({"redirect_uris":"https://c.example/cb"})", R"({"redirect_uris":{}})",
          R"({"redirect_uris":[1]})", R"({"redirect_uris":[null,{}]})",
          R"({"redirect_uris":[""]})"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(code_of(registered(bad)) == "invalid_redirect_uri");
    }
    BOOST_TEST(code_of(registered(body_with(""))) == "ok");
}

BOOST_AUTO_TEST_CASE(the_whole_set_that_cursor_sends_is_accepted, *label("R3") * label("R15")) {
    const auto client = registered(
        R"({"client_name":"Cursor","application_type":"web","token_endpoint_auth_method":"none",)"
        R"("redirect_uris":["cursor://anysphere.cursor-mcp/oauth/callback",)"
        R"("https://www.cursor.com/agents/mcp/oauth/callback","http://localhost:8787/callback"]})");
    BOOST_REQUIRE(client);
    BOOST_TEST(client->redirect_uris.size() == 3U);
    BOOST_TEST(
        member_of(*json_of(registration_response(*client, std::nullopt)), "application_type") ==
        "web");
}

BOOST_AUTO_TEST_CASE(sixteen_addresses_are_accepted_and_seventeen_refused, *label("R17")) {
    BOOST_TEST(code_of(registered(body_with_uris(16))) == "ok");
    BOOST_TEST(code_of(registered(body_with_uris(17))) == "invalid_redirect_uri");
}

BOOST_AUTO_TEST_CASE(an_address_of_2048_bytes_is_accepted_and_one_more_refused, *label("R17")) {
    const std::string head = "https://c.example/";
    const auto body = [&](std::size_t size) {
        return "{\"redirect_uris\":[\"" + head + std::string(size - head.size(), 'a') + "\"]}";
    };
    BOOST_TEST(code_of(registered(body(2048))) == "ok");
    BOOST_TEST(code_of(registered(body(2049))) == "invalid_redirect_uri");
}

BOOST_AUTO_TEST_CASE(a_name_has_200_characters_at_most_counted_as_characters, *label("R17")) {
    const auto body = [](const std::string& name) {
        return body_with("\"client_name\":\"" + name + "\"");
    };
    std::string wide;
    for (int i = 0; i < 200; ++i) wide += "\u4E16"; // three bytes each
    BOOST_TEST(code_of(registered(body(std::string(200, 'a')))) == "ok");
    BOOST_TEST(code_of(registered(body(std::string(201, 'a')))) == "invalid_client_metadata");
    BOOST_TEST(code_of(registered(body(wide))) == "ok");
    BOOST_TEST(code_of(registered(body(wide + "\u4E16"))) == "invalid_client_metadata");
    BOOST_TEST(code_of(registered(body_with("\"client_name\":7"))) == "invalid_client_metadata");
}

BOOST_AUTO_TEST_CASE(malformed_json_is_a_metadata_error, *label("R13")) {
    for (const auto* bad :
         {"", "[]", "{", "null", "{\"redirect_uris\":[\"https://c.example/cb\"]",
          "redirect_uris=https://c.example/cb"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(code_of(registered(bad)) == "invalid_client_metadata");
    }
    BOOST_TEST(
        code_of(registered(
            "{\"redirect_uris\":[\"https://c.example/cb\"],\"client_name\":\"\xff\"}")) ==
        "invalid_client_metadata");
}

BOOST_AUTO_TEST_CASE(
    a_minimal_registration_answers_what_is_stored_and_nothing_null,
    *label("R8") * label("R9") * label("R10") * label("R20")) {
    const auto document = document_of(body_with(""));
    BOOST_TEST(
        members_of(*document) ==
        "client_id client_id_issued_at redirect_uris grant_types response_types "
        "token_endpoint_auth_method");
    BOOST_TEST(member_of(*document, "client_id") == "cgc_fresh");
    BOOST_TEST(document->integer("client_id_issued_at").value() == epoch(noon));
    BOOST_TEST(array_of(*document, "redirect_uris") == "https://c.example/cb");
    BOOST_TEST(array_of(*document, "grant_types") == "authorization_code");
    BOOST_TEST(array_of(*document, "response_types") == "code");
    BOOST_TEST(member_of(*document, "token_endpoint_auth_method") == "client_secret_basic");
}

BOOST_AUTO_TEST_CASE(null_and_empty_members_are_as_if_not_sent, *label("R9")) {
    const auto document = document_of(body_with(
        R"("client_name":null,"client_uri":null,"logo_uri":"","scope":null,"contacts":null,)"
        R"("software_id":"","grant_types":null,"jwks_uri":null,)"
        R"("token_endpoint_auth_method":null)"));
    BOOST_TEST(
        members_of(*document) ==
        "client_id client_id_issued_at redirect_uris grant_types response_types "
        "token_endpoint_auth_method");
}

BOOST_AUTO_TEST_CASE(
    the_authentication_that_is_asked_for_is_given_when_we_have_it_and_else_none,
    *label("R6") * label("R11")) {
    const auto method = [](const std::string& members) {
        return member_of(*document_of(body_with(members)), "token_endpoint_auth_method");
    };
    for (const std::string asked : {"none", "client_secret_post", "client_secret_basic"}) {
        BOOST_TEST_CONTEXT(asked)
        BOOST_TEST(method("\"token_endpoint_auth_method\":\"" + asked + "\"") == asked);
    }
    BOOST_TEST(method("") == "client_secret_basic"); // RFC 7591 section 2
    BOOST_TEST(method(R"("token_endpoint_auth_method":"tls_client_auth")") == "none");
    BOOST_TEST(
        method(R"("token_endpoint_auth_methods_supported":["private_key_jwt","none"])") == "none");
    BOOST_TEST(
        method(R"("token_endpoint_auth_methods_supported":["private_key_jwt",)"
               R"("client_secret_post"])") == "client_secret_post");
    BOOST_TEST(
        code_of(registered(body_with("\"token_endpoint_auth_method\":[\"none\"]"))) ==
        "invalid_client_metadata");
}

BOOST_AUTO_TEST_CASE(
    a_secret_is_returned_with_its_expiry_and_only_to_a_client_that_has_one,
    *label("R10") * label("R11")) {
    const auto client =
        registered(body_with(R"("token_endpoint_auth_method":"client_secret_post")"));
    BOOST_TEST(client->has_secret());
    const auto response = json_of(registration_response(*client, Secret("the secret")));
    BOOST_TEST(member_of(*response, "client_secret") == "the secret");
    BOOST_TEST(response->integer("client_secret_expires_at").has_value());
    BOOST_TEST(!registered(body_with(R"("token_endpoint_auth_method":"none")"))->has_secret());
    const auto public_client = document_of(body_with(R"("token_endpoint_auth_method":"none")"));
    BOOST_TEST(!public_client->has("client_secret"));
    BOOST_TEST(!public_client->has("client_secret_expires_at"));
}

BOOST_AUTO_TEST_CASE(unknown_members_are_ignored_and_not_given_back, *label("R12") * label("R20")) {
    const auto document = document_of(body_with(
        R"("resource":"https://x","foo":{"bar":[1,2]},"client_id":"mine","client_secret":"s",)"
        R"("client_id_issued_at":1,"by_operator":true,"registration_access_token":"t")"));
    BOOST_TEST(member_of(*document, "client_id") == "cgc_fresh");
    for (const auto* name :
         {"resource", "foo", "client_secret", "by_operator", "registration_access_token",
          "registration_client_uri"}) {
        BOOST_TEST_CONTEXT(name) BOOST_TEST(!document->has(name));
    }
    BOOST_TEST(!registered(body_with(R"("by_operator":true)"))->by_operator);
}

BOOST_AUTO_TEST_CASE(grants_and_responses_are_reduced_to_ours_and_must_include_it, *label("R14")) {
    const auto document = document_of(body_with(
        R"("grant_types":["authorization_code","refresh_token",)"
        R"("urn:ietf:params:oauth:grant-type:device_code"],"response_types":["code","token"])"));
    BOOST_TEST(array_of(*document, "grant_types") == "authorization_code refresh_token");
    BOOST_TEST(array_of(*document, "response_types") == "code");
    BOOST_TEST(
        array_of(
            *document_of(body_with(R"("grant_types":[7,"authorization_code",null])")),
            "grant_types") == "authorization_code");
    BOOST_TEST(code_of(registered(body_with(R"("grant_types":[],"response_types":[])"))) == "ok");
    for (const auto* bad :
         {R"("grant_types":["implicit"])", R"("grant_types":["refresh_token"])",
          R"("grant_types":"authorization_code")", R"("grant_types":[1])", R"("grant_types":{})",
          R"("response_types":["token"])", R"("response_types":"code")",
          R"("response_types":["code token"])"}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(code_of(registered(body_with(bad))) == "invalid_client_metadata");
    }
}

BOOST_AUTO_TEST_CASE(what_is_kept_is_given_back_as_it_was_sent, *label("R8")) {
    const auto document = document_of(body_with(
        R"("client_name":"Caf\u00e9 \"x\"","client_uri":"https://c.example/","software_id":"s-1",)"
        R"("software_version":"2.0","contacts":["a@c.example","b@c.example"])"));
    BOOST_TEST(member_of(*document, "client_name") == "Caf\u00e9 \"x\"");
    BOOST_TEST(member_of(*document, "client_uri") == "https://c.example/");
    BOOST_TEST(member_of(*document, "software_id") == "s-1");
    BOOST_TEST(member_of(*document, "software_version") == "2.0");
    BOOST_TEST(array_of(*document, "contacts") == "a@c.example b@c.example");
}

BOOST_AUTO_TEST_CASE(a_key_set_and_its_address_exclude_each_other, *label("R13")) {
    BOOST_TEST(
        code_of(
            registered(body_with(R"("jwks":{"keys":[]},"jwks_uri":"https://c.example/jwks")"))) ==
        "invalid_client_metadata");
    BOOST_TEST(code_of(registered(body_with(R"("jwks":{"keys":[]})"))) == "ok");
}

BOOST_AUTO_TEST_CASE(unknown_scopes_are_dropped_and_known_ones_kept, *label("R22")) {
    BOOST_TEST(member_of(*document_of(body_with(R"("scope":"nonsense mcp")")), "scope") == "mcp");
    BOOST_TEST(!document_of(body_with(R"("scope":"nonsense")"))->has("scope"));
    BOOST_TEST(code_of(registered(body_with(R"("scope":["mcp"])"))) == "invalid_client_metadata");
    BOOST_TEST(code_of(registered(body_with(R"("scope":"a\"b")"))) == "invalid_client_metadata");
}

BOOST_AUTO_TEST_CASE(
    what_a_client_registered_by_itself_is_no_limit_and_what_an_operator_gave_it_is,
    *label("A17") * label("XE3")) {
    auto client = sample_client();
    BOOST_TEST(max_scope(client, sample_policy()).text() == "mcp profile");
    client.scope = "profile";
    BOOST_TEST(max_scope(client, sample_policy()).text() == "mcp profile");
    client.by_operator = true;
    BOOST_TEST(max_scope(client, sample_policy()).text() == "profile");
    client.scope = "profile withdrawn"; // since the operator took a scope out of the catalogue
    BOOST_TEST(max_scope(client, sample_policy()).text() == "profile");
}

BOOST_AUTO_TEST_CASE(registration_reasons_are_plain_ascii, *label("A35")) {
    for (const auto& body :
         {body_with("\"client_name\":7"), std::string("{}"),
          std::string("{\"redirect_uris\":[\"\u00e9\\\"\"]}")}) {
        const auto refused = registered(body);
        BOOST_REQUIRE(!refused);
        BOOST_TEST(plain_ascii(refused.error().message) == refused.error().message);
        BOOST_TEST(!refused.error().back);
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(return_path)

BOOST_AUTO_TEST_CASE(
    only_a_registered_address_gives_permission_to_redirect, *label("A4") * label("A5")) {
    const auto client = sample_client({"https://c.example/cb", "http://localhost/cb"});
    BOOST_TEST(match_redirect(client, "https://c.example/cb", std::nullopt, {}).has_value());
    BOOST_TEST(
        match_redirect(client, "http://localhost:5/cb", std::nullopt, {})->redirect_uri() ==
        "http://localhost:5/cb");
    for (const auto* bad :
         {"https://c.example/cb2", "https://evil.test/cb", "http://127.0.0.1:5/cb", "",
          "javascript:alert(1)"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(!match_redirect(client, bad, std::nullopt, {}));
    }
}

BOOST_AUTO_TEST_CASE(a_stored_address_that_the_rules_forbid_gives_no_permission, *label("K30")) {
    for (const auto* bad :
         {"javascript:alert(1)", "http://evil.test/cb", "https://c.example/cb#x"}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(!match_redirect(sample_client({bad}), bad, std::nullopt, {}));
    }
}

BOOST_AUTO_TEST_CASE(
    an_error_bounces_only_to_this_computer_or_to_an_address_an_operator_vouched_for,
    *label("A26") * label("K10")) {
    const std::vector<std::string> uris{
        "https://c.example/cb", "cursor://x/cb", "http://127.0.0.1/cb", "http://[::1]/cb",
        "http://localhost/cb"};
    auto client = sample_client(uris);
    for (const auto& uri : uris) {
        const bool local = uri.starts_with("http:");
        client.by_operator = false;
        BOOST_TEST_CONTEXT(uri)
        BOOST_TEST(match_redirect(client, uri, std::nullopt, {})->at_once() == local);
        client.by_operator = true;
        BOOST_TEST_CONTEXT(uri)
        BOOST_TEST(match_redirect(client, uri, std::nullopt, {})->at_once());
    }
}

BOOST_AUTO_TEST_SUITE_END()
