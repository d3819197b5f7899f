#include "consentgate/core/oauth/metadata.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

std::optional<JsonObject> server_document(const Policy& policy = sample_policy()) {
    return json_of(authorization_server_metadata(policy));
}
std::optional<JsonObject> resource_document() {
    return json_of(protected_resource_metadata(sample_policy(), {"https://tools.example.org/mcp"}));
}

} // namespace

BOOST_AUTO_TEST_SUITE(metadata)

BOOST_AUTO_TEST_CASE(
    the_server_document_has_the_required_members_and_only_what_is_there,
    *label("D16") * label("D24")) {
    BOOST_TEST(
        members_of(*server_document()) ==
        "issuer authorization_endpoint token_endpoint jwks_uri registration_endpoint "
        "scopes_supported "
        "response_types_supported response_modes_supported "
        "grant_types_supported token_endpoint_auth_methods_supported "
        "token_endpoint_auth_signing_alg_values_supported revocation_endpoint "
        "revocation_endpoint_auth_methods_supported "
        "revocation_endpoint_auth_signing_alg_values_supported introspection_endpoint "
        "introspection_endpoint_auth_methods_supported "
        "code_challenge_methods_supported authorization_response_iss_parameter_supported "
        "protected_resources");
}

BOOST_AUTO_TEST_CASE(
    the_server_document_names_the_guarded_resources_unless_the_operator_says_no, *label("N2")) {
    auto policy = sample_policy();
    policy.resources = {
        GuardedResource{"https://tools.example.org/mcp"}, GuardedResource{"https://b.example/x"}};
    BOOST_TEST(
        array_of(*server_document(policy), "protected_resources") ==
        "https://tools.example.org/mcp https://b.example/x");
    policy.publish_resources = false;
    BOOST_TEST(
        members_of(*server_document(policy)).find("protected_resources") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(
    the_resource_document_has_a_name_always_and_the_pages_that_there_are, *label("N1")) {
    GuardedResource resource{"https://tools.example.org/mcp"};
    const auto document = [&] {
        return *json_of(protected_resource_metadata(sample_policy(), resource));
    };
    BOOST_TEST(
        members_of(document()) ==
        "resource authorization_servers scopes_supported bearer_methods_supported resource_name");
    BOOST_TEST(member_of(document(), "resource_name") == "tools.example.org/mcp");
    resource.description = {
        .name = "Annas Werkzeuge \u00e4 \"x\"",
        .documentation = "https://docs.example/a?b=c",
        .policy = "https://docs.example/policy",
        .tos = "https://docs.example/tos"};
    BOOST_TEST(member_of(document(), "resource_name") == resource.description.name);
    BOOST_TEST(
        member_of(document(), "resource_documentation") == resource.description.documentation);
    BOOST_TEST(member_of(document(), "resource_policy_uri") == resource.description.policy);
    BOOST_TEST(member_of(document(), "resource_tos_uri") == resource.description.tos);
}

BOOST_AUTO_TEST_CASE(a_name_can_be_seen_and_a_page_is_https, *label("N1")) {
    const auto good = [](const ResourceDescription& description) {
        return static_cast<bool>(check_description(description));
    };
    BOOST_TEST(good({}));
    BOOST_TEST(good({.name = std::string(100, 'x'), .documentation = "HTTPS://a.example/x?y#z"}));
    for (const auto* name : {" ", "\u200b", "a\nb", "\xff"})
        BOOST_TEST_CONTEXT(name) BOOST_TEST(!good({.name = name}));
    BOOST_TEST(!good({.name = std::string(101, 'x')}));
    for (const auto* url :
         {"http://a.example/", "javascript:x", "https://", "https:a", "a.example", "https://u@a/",
          "https://a b", "data:text/html,x"}) {
        BOOST_TEST_CONTEXT(url) {
            BOOST_TEST(!good({.documentation = url}));
            BOOST_TEST(!good({.policy = url}));
            BOOST_TEST(!good({.tos = url}));
        }
    }
    BOOST_TEST(!good({.tos = "https://a.example/" + std::string(2048, 'x')}));
}

BOOST_AUTO_TEST_CASE(
    origins_are_read_as_browsers_write_them_and_nothing_else_is_one, *label("N4")) {
    const auto text = [](const char* list) {
        const auto origins = AllowedOrigins::parse(list);
        return origins ? origins->text() : "(none of them)";
    };
    BOOST_TEST(text("any") == "any");
    BOOST_TEST(text("none") == "none");
    BOOST_TEST(
        text(" HTTPS://App.Example:443  http://localhost:6274 http://[::1]:80 app://x ") ==
        "https://app.example http://localhost:6274 http://[::1] app://x");
    for (const auto* odd :
         {"", " ", "app.example", "https://app.example/", "https://a?b", "https://a#b",
          "https://u@a", "https://", "null", "*", "https://*.a.example/", "any https://a",
          "https://a none", "https://a:99999", "https:a"})
        BOOST_TEST_CONTEXT(odd) BOOST_TEST(text(odd) == "(none of them)");
    BOOST_TEST(AllowedOrigins().admits("null"));
    BOOST_TEST(!AllowedOrigins::none().admits("https://app.example"));
    BOOST_TEST(!AllowedOrigins::none().admits("null"));
}

BOOST_AUTO_TEST_CASE(
    the_lists_are_explicit_and_say_exactly_what_is_offered,
    *label("D17") * label("D18") * label("D19") * label("D25")) {
    const auto document = server_document();
    BOOST_TEST(array_of(*document, "code_challenge_methods_supported") == "S256");
    BOOST_TEST(
        array_of(*document, "token_endpoint_auth_methods_supported") ==
        "none client_secret_basic client_secret_post private_key_jwt");
    BOOST_TEST(
        array_of(*document, "token_endpoint_auth_signing_alg_values_supported") == "RS256 ES256");
    BOOST_TEST(
        array_of(*document, "introspection_endpoint_auth_methods_supported") ==
        "client_secret_basic client_secret_post");
    BOOST_TEST(
        array_of(*document, "grant_types_supported") ==
        "authorization_code refresh_token urn:ietf:params:oauth:grant-type:token-exchange");
    auto policy = sample_policy();
    policy.refresh_idle = Span(0);
    BOOST_TEST(
        array_of(*server_document(policy), "grant_types_supported") ==
        "authorization_code urn:ietf:params:oauth:grant-type:token-exchange");
    BOOST_TEST(
        array_of(*document, "revocation_endpoint_auth_methods_supported") ==
        "none client_secret_basic client_secret_post private_key_jwt");
    BOOST_TEST(array_of(*document, "response_types_supported") == "code");
    BOOST_TEST(array_of(*document, "response_modes_supported") == "query");
}

BOOST_AUTO_TEST_CASE(
    every_endpoint_is_below_the_issuers_origin, *label("D11") * label("D15") * label("K34")) {
    auto policy = sample_policy();
    policy.issuer = "https://auth.example.org:8443/t1";
    const auto document = server_document(policy);
    BOOST_TEST(member_of(*document, "issuer") == "https://auth.example.org:8443/t1");
    BOOST_TEST(
        member_of(*document, "authorization_endpoint") ==
        "https://auth.example.org:8443/api/oauth/per-user/authorize");
    BOOST_TEST(
        member_of(*document, "token_endpoint") ==
        "https://auth.example.org:8443/api/oauth/per-user/token");
    BOOST_TEST(
        member_of(*document, "revocation_endpoint") ==
        "https://auth.example.org:8443/api/oauth/per-user/revoke");
    BOOST_TEST(
        member_of(*document, "registration_endpoint") ==
        "https://auth.example.org:8443/api/oauth/per-user/register");
}

BOOST_AUTO_TEST_CASE(the_registration_endpoint_is_missing_not_null_when_it_is_off, *label("D21")) {
    auto policy = sample_policy();
    policy.registration_enabled = false;
    BOOST_TEST(!server_document(policy)->has("registration_endpoint"));
    BOOST_TEST(server_document()->has("registration_endpoint"));
}

BOOST_AUTO_TEST_CASE(documents_are_advertised_only_when_they_are_read, *label("D20")) {
    auto policy = sample_policy();
    BOOST_TEST(!server_document(policy)->has("client_id_metadata_document_supported"));
    policy.documents.accepted = true;
    BOOST_TEST(server_document(policy)->flag("client_id_metadata_document_supported").value());
}

BOOST_AUTO_TEST_CASE(the_iss_parameter_is_promised, *label("D22") * label("A23")) {
    BOOST_TEST(server_document()->flag("authorization_response_iss_parameter_supported").value());
}

BOOST_AUTO_TEST_CASE(
    scopes_are_the_catalogue_here_and_the_baseline_there,
    *label("D6") * label("D23") * label("K49")) {
    BOOST_TEST(array_of(*server_document(), "scopes_supported") == "mcp profile");
    BOOST_TEST(array_of(*resource_document(), "scopes_supported") == "mcp");
}

BOOST_AUTO_TEST_CASE(
    what_is_not_there_is_not_advertised, *label("D13") * label("D20") * label("D24")) {
    for (const auto* name :
         {"userinfo_endpoint", "client_id_metadata_document_supported",
          "pushed_authorization_request_endpoint", "device_authorization_endpoint"}) {
        BOOST_TEST_CONTEXT(name) BOOST_TEST(!server_document()->has(name));
    }
}

BOOST_AUTO_TEST_CASE(
    the_resource_document_names_the_resource_and_the_issuer_byte_by_byte,
    *label("D4") * label("D5") * label("D7") * label("D15")) {
    const auto document = resource_document();
    BOOST_TEST(
        members_of(*document) ==
        "resource authorization_servers scopes_supported bearer_methods_supported resource_name");
    BOOST_TEST(member_of(*document, "resource") == "https://tools.example.org/mcp");
    BOOST_TEST(
        array_of(*document, "authorization_servers") == member_of(*server_document(), "issuer"));
    BOOST_TEST(array_of(*document, "bearer_methods_supported") == "header");
}

BOOST_AUTO_TEST_CASE(
    the_well_known_path_is_inserted_between_host_and_path, *label("D2") * label("C2")) {
    BOOST_TEST(
        resource_metadata_url("https://h/a/b") ==
        "https://h/.well-known/oauth-protected-resource/a/b");
    BOOST_TEST(
        resource_metadata_url("https://h:8443/mcp") ==
        "https://h:8443/.well-known/oauth-protected-resource/mcp");
    BOOST_TEST(
        resource_metadata_url("https://h") == "https://h/.well-known/oauth-protected-resource");
    BOOST_TEST(
        resource_metadata_url("https://h/") == "https://h/.well-known/oauth-protected-resource");
}

BOOST_AUTO_TEST_CASE(an_issuer_is_split_into_origin_and_path, *label("D12")) {
    auto policy = sample_policy();
    BOOST_TEST(policy.origin() == "https://auth.example.org");
    BOOST_TEST(policy.issuer_path() == "");
    BOOST_TEST(policy.secure());
    policy.issuer = "http://127.0.0.1:8080/t1";
    BOOST_TEST(policy.origin() == "http://127.0.0.1:8080");
    BOOST_TEST(policy.issuer_path() == "/t1");
    BOOST_TEST(!policy.secure());
}

BOOST_AUTO_TEST_SUITE_END()
