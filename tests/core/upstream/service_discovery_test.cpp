#include "consentgate/core/upstream/service_discovery.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using core::Registration;
using Texts = std::vector<std::string>;
using boost::unit_test::label;

namespace {

const std::string issuer = "https://as.example/t1";
const std::string endpoints =
    R"("issuer":"https://as.example/t1","authorization_endpoint":"https://as.example/auth",)"
    R"("token_endpoint":"https://as.example/token")";

core::Result<core::ServerDocument> server(const std::string& more = "") {
    return core::read_server_document("{" + endpoints + more + "}", issuer);
}

core::Result<core::ResourceDocument> resource(
    const std::string& named, const std::string& servers = R"(["https://as.example"])",
    const std::string& url = "https://a.example/mcp/x") {
    return core::read_resource_document(
        R"({"resource":")" + named + R"(","authorization_servers":)" + servers + "}", url);
}

} // namespace

BOOST_AUTO_TEST_SUITE(service_discovery)

BOOST_AUTO_TEST_CASE(a_challenge_is_read_by_its_parameters_and_not_by_their_look) {
    BOOST_TEST(
        core::challenge_parameter(
            R"(Bearer realm="a, resource_metadata=x", resource_metadata="https://a/b")",
            "resource_metadata")
            .value() == "https://a/b");
    BOOST_TEST(
        core::challenge_parameter(
            "Bearer Resource_Metadata=https://a/b, scope=\"a \\\"b\"", "resource_metadata")
            .value() == "https://a/b");
    BOOST_TEST(core::challenge_parameter("Bearer scope=\"a b\"", "scope").value() == "a b");
    BOOST_TEST(!core::challenge_parameter("Bearer xscope=\"a b\"", "scope"));
    BOOST_TEST(!core::challenge_parameter("", "scope"));
    BOOST_TEST(core::challenge_parameter("Bearer scope=\"cut", "scope").value() == "cut");
}

BOOST_AUTO_TEST_CASE(documents_are_looked_for_in_all_places_that_clients_probe, *label("D1")) {
    BOOST_TEST(
        core::resource_metadata_urls("https://a.example/mcp/") ==
        (Texts{
            "https://a.example/.well-known/oauth-protected-resource/mcp",
            "https://a.example/.well-known/oauth-protected-resource"}));
    BOOST_TEST(
        core::resource_metadata_urls("https://a.example") ==
        (Texts{"https://a.example/.well-known/oauth-protected-resource"}));
    BOOST_TEST(
        core::server_metadata_urls("https://as.example") ==
        (Texts{
            "https://as.example/.well-known/oauth-authorization-server",
            "https://as.example/.well-known/openid-configuration"}));
    BOOST_TEST(
        core::server_metadata_urls(issuer) ==
        (Texts{
            "https://as.example/.well-known/oauth-authorization-server/t1",
            "https://as.example/.well-known/openid-configuration/t1",
            "https://as.example/t1/.well-known/openid-configuration"}));
}

BOOST_AUTO_TEST_CASE(a_resource_document_is_about_the_service_or_what_is_above_it) {
    BOOST_TEST(static_cast<bool>(resource("https://a.example/mcp/x")));
    BOOST_TEST(static_cast<bool>(resource("https://A.example/mcp")));
    BOOST_TEST(static_cast<bool>(resource("https://a.example")));
    for (const auto* other :
         {"https://a.example/mc", "https://a.example/mcp/x/y", "https://b.example/mcp",
          "http://a.example/mcp", ""})
        BOOST_TEST(!resource(other), other);
    BOOST_TEST(!resource("https://a.example", "[]"));
    BOOST_TEST(!resource("https://a.example", R"(["http://as.example"])"));
    BOOST_TEST(
        resource("https://a.example", R"(["http://as.example","https://as.example"])")->servers ==
        Texts{"https://as.example"});
    BOOST_TEST(!resource("https://a.example", R"("https://as.example")"));
}

BOOST_AUTO_TEST_CASE(a_server_document_is_the_issuers_own_and_all_of_it_is_https) {
    BOOST_TEST(server()->token_endpoint == "https://as.example/token");
    BOOST_TEST(!core::read_server_document("{" + endpoints + "}", issuer + "/"));
    BOOST_TEST(!core::read_server_document("[]", issuer));
    BOOST_TEST(
        server(R"(,"registration_endpoint":"http://127.0.0.1/r")")->registration_endpoint ==
        "http://127.0.0.1/r");
    BOOST_TEST(!core::read_server_document(
        R"({"issuer":"https://as.example/t1","authorization_endpoint":"https://as.example/auth"})",
        issuer));
}

BOOST_AUTO_TEST_CASE(what_we_can_do_without_is_dropped_when_it_is_odd, *label("XC11")) {
    for (const auto* name : {"registration_endpoint", "revocation_endpoint"}) {
        for (const auto* odd :
             {R"("")", R"("/register")", R"("as.example/r")", R"("http://as.example/r")", "7",
              "null", "{}", R"(["https://as.example/r"])", R"("https://u@as.example/r")",
              R"("https://as.example/r#x")"}) {
            const auto read = server(",\"" + std::string(name) + "\":" + odd);
            BOOST_TEST_CONTEXT(name << odd) {
                BOOST_REQUIRE(static_cast<bool>(read));
                BOOST_TEST(read->registration_endpoint.empty());
                BOOST_TEST(read->revocation_endpoint.empty());
            }
        }
    }
    for (const auto* name :
         {"response_types_supported", "grant_types_supported", "code_challenge_methods_supported",
          "token_endpoint_auth_methods_supported", "scopes_supported"}) {
        for (const auto* odd : {"[]", "null", "7", R"("")", R"("plain")", "{}", "[7,null]"}) {
            const auto read = server(",\"" + std::string(name) + "\":" + odd);
            BOOST_TEST_CONTEXT(name << odd) {
                BOOST_REQUIRE(static_cast<bool>(read));
                BOOST_TEST(!read->announces_s256);
                BOOST_TEST(read->scopes.empty());
                BOOST_TEST(
                    (read->auth_methods == std::vector{core::ClientAuth::client_secret_basic}));
            }
        }
    }
    for (const auto* flag :
         {"authorization_response_iss_parameter_supported",
          "client_id_metadata_document_supported"})
        BOOST_TEST(static_cast<bool>(server(",\"" + std::string(flag) + R"(":"yes")")), flag);
    BOOST_TEST(server(R"(,"scopes_supported":["a",7,"b"])")->scopes == (Texts{"a", "b"}));
    BOOST_TEST(
        static_cast<bool>(core::read_server_document("\xef\xbb\xbf{" + endpoints + "}", issuer)));
    // We need the addresses where people are sent, and never guess one.
    for (const auto* needed : {"authorization_endpoint", "token_endpoint"}) {
        for (const auto* odd : {R"("")", R"("/x")", R"("http://as.example/x")", "7"})
            BOOST_TEST(!server(",\"" + std::string(needed) + "\":" + odd), odd);
    }
}

BOOST_AUTO_TEST_CASE(pkce_may_go_unsaid_and_may_not_be_denied) {
    BOOST_TEST(!server()->announces_s256);
    BOOST_TEST(server(R"(,"code_challenge_methods_supported":["plain","S256"])")->announces_s256);
    BOOST_TEST(!server(R"(,"code_challenge_methods_supported":["plain"])"));
    BOOST_TEST(!server(R"(,"response_types_supported":["token"])"));
    BOOST_TEST(!server(R"(,"grant_types_supported":["client_credentials"])"));
}

BOOST_AUTO_TEST_CASE(how_we_become_a_client_follows_what_both_sides_can) {
    auto policy = tests::sample_policy();
    policy.issuer = "https://gate.example.org";
    const auto none = server(R"(,"token_endpoint_auth_methods_supported":["none"],)"
                             R"("client_id_metadata_document_supported":true,)"
                             R"("registration_endpoint":"https://as.example/r")");
    BOOST_TEST((core::choose_registration(*none, policy) == Registration::document));
    policy.issuer = "http://127.0.0.1:8080";
    BOOST_TEST((core::choose_registration(*none, policy) == Registration::dynamic));
    BOOST_TEST((core::choose_registration(*server(), policy) == Registration::given));
    BOOST_TEST((core::choose_auth(*none, Registration::dynamic) == core::ClientAuth::none));
    BOOST_TEST(!core::choose_secret(*none));
    BOOST_TEST(
        (core::choose_auth(*server(), Registration::dynamic) ==
         core::ClientAuth::client_secret_basic),
        "the default of RFC 8414");
    BOOST_TEST(!server(R"(,"token_endpoint_auth_methods_supported":["tls_client_auth"])"));
    for (const auto* hidden :
         {"https://localhost", "https://10.0.0.1", "https://[2001:db8::1]", "https://gate",
          "https://gate.internal"}) {
        policy.issuer = hidden;
        BOOST_TEST(!core::client_document_is_public(policy), hidden);
    }
}

BOOST_AUTO_TEST_CASE(a_client_without_a_secret_is_chosen_where_pkce_is_announced, *label("XC8")) {
    using core::ClientAuth;
    const std::string methods =
        R"(,"token_endpoint_auth_methods_supported":["client_secret_post","none"])";
    const auto announced = server(methods + R"(,"code_challenge_methods_supported":["S256"])");
    BOOST_TEST((core::choose_auth(*announced, Registration::dynamic) == ClientAuth::none));
    BOOST_TEST((*core::choose_secret(*announced) == ClientAuth::client_secret_post));
    // Without a secret and without PKCE, whoever has a code could redeem it.
    BOOST_TEST(
        (core::choose_auth(*server(methods), Registration::dynamic) ==
         ClientAuth::client_secret_post));
}

BOOST_AUTO_TEST_CASE(an_issuer_without_a_path_is_one_with_and_without_a_slash, *label("XC9")) {
    BOOST_TEST(core::same_issuer("https://accounts.google.com", "https://accounts.google.com/"));
    BOOST_TEST(core::same_issuer("https://as.example/t1", "https://as.example/t1"));
    for (const auto& [left, right] : std::vector<std::pair<std::string, std::string>>{
             {"https://as.example/t1", "https://as.example/t1/"},
             {"https://as.example", "https://as.example//"},
             {"https://as.example", "https://as.example.evil/"},
             {"https://as.example", "https://AS.example"},
             {"https://as.example/?a", "https://as.example?a"},
             {"https://as.example", "http://as.example/"}})
        BOOST_TEST(!core::same_issuer(left, right), left << " " << right);
    const std::string google =
        R"({"issuer":"https://g.example","authorization_endpoint":"https://g.example/a",)"
        R"("token_endpoint":"https://t.example/t"})";
    BOOST_TEST(
        core::read_server_document(google, "https://g.example/")->issuer == "https://g.example");
}

BOOST_AUTO_TEST_CASE(another_issuer_is_believed_by_the_operators_word_alone, *label("XC9")) {
    const auto asked = "https://mcp.example/tenant";
    const auto body = "{" + endpoints + "}";
    BOOST_TEST(!core::read_server_document(body, asked));
    BOOST_TEST(core::read_server_document(body, asked, issuer)->issuer == issuer);
    BOOST_TEST(!core::read_server_document(body, asked, "https://as.example"));
    BOOST_TEST(!core::read_server_document(body, asked, "https://as.example/t1/"));
    BOOST_TEST(
        core::read_server_document(body, issuer, "https://other.example")->issuer == issuer,
        "the one that was asked stays good");
}

BOOST_AUTO_TEST_CASE(a_registrations_answer_counts_over_what_was_asked) {
    const auto asked = core::ClientAuth::client_secret_basic;
    const auto good = core::read_registration(
        R"({"client_id":"c","client_secret":"s","client_secret_expires_at":5})", asked);
    BOOST_REQUIRE(static_cast<bool>(good));
    BOOST_TEST(good->secret.reveal() == "s");
    BOOST_TEST(good->secret_expires_at == 5);
    BOOST_TEST(
        (core::read_registration(R"({"client_id":"c","token_endpoint_auth_method":"none"})", asked)
             ->auth == core::ClientAuth::none));
    for (const auto* odd : {R"("")", "null", "7"})
        BOOST_TEST(
            (core::read_registration(
                 R"({"client_id":"c","client_secret":"s","token_endpoint_auth_method":)" +
                     std::string(odd) + "}",
                 asked)
                 ->auth == asked),
            odd);
    for (const auto* bad :
         {R"({"client_id":"c"})", R"({"client_secret":"s"})",
          R"({"client_id":"c\n","client_secret":"s"})",
          R"({"client_id":"c","token_endpoint_auth_method":"private_key_jwt"})", "null"}) {
        BOOST_TEST(!core::read_registration(bad, asked), bad);
    }
}

BOOST_AUTO_TEST_CASE(what_we_say_of_ourselves_is_one_callback_and_no_secret) {
    const auto policy = tests::sample_policy();
    const auto document = core::parse_json_object(core::own_client_document(policy, std::nullopt));
    BOOST_TEST(
        document->text("client_id").value() ==
        "https://auth.example.org/oauth/client-metadata.json");
    BOOST_TEST(
        document->texts("redirect_uris").value() ==
        Texts{"https://auth.example.org/api/oauth/callback"});
    core::Service service = tests::sample_service();
    service.auth = core::ClientAuth::client_secret_post;
    service.scope = "a b";
    const auto request = core::parse_json_object(core::registration_request(policy, service));
    BOOST_TEST(
        request->texts("redirect_uris").value() ==
        Texts{"https://auth.example.org/api/oauth/callback/notion"});
    BOOST_TEST(request->text("token_endpoint_auth_method").value() == "client_secret_post");
    BOOST_TEST(request->text("scope").value() == "a b");
}

BOOST_AUTO_TEST_CASE(
    each_service_has_a_document_and_a_callback_of_its_own, *boost::unit_test::label("XC1")) {
    const auto policy = tests::sample_policy();
    const core::ServiceId id("notion");
    const auto document = core::parse_json_object(core::own_client_document(policy, id));
    BOOST_TEST(
        document->text("client_id").value() ==
        "https://auth.example.org/oauth/client-metadata/notion.json");
    BOOST_TEST(
        document->texts("redirect_uris").value() ==
        Texts{"https://auth.example.org/api/oauth/callback/notion"});
}

BOOST_AUTO_TEST_CASE(
    an_endpoint_elsewhere_than_the_token_endpoint_must_be_named, *boost::unit_test::label("XC1")) {
    auto service = tests::sample_service();
    const auto checked = [&] { return static_cast<bool>(core::check_origins(service, {})); };
    BOOST_TEST(checked());
    service.authorization_endpoint = "https://NOTION.example:443/other";
    BOOST_TEST(checked());
    for (const auto* elsewhere :
         {"https://good.example/authorize", "https://notion.example:8443/authorize",
          "https://notion.example.evil.example/authorize"}) {
        service.authorization_endpoint = elsewhere;
        BOOST_TEST(!checked(), elsewhere);
    }
    service.authorization_endpoint = "https://good.example/authorize";
    service.authorization_origins = {"https://good.example"};
    BOOST_TEST(checked());
    service.registration_endpoint = "https://third.example/register";
    BOOST_TEST(!checked());
    service.authorization_origins.emplace_back("https://third.example");
    BOOST_TEST(checked());
}

BOOST_AUTO_TEST_CASE(
    no_service_may_have_people_sign_in_where_another_does_and_take_the_codes_elsewhere,
    *boost::unit_test::label("XC1")) {
    const auto good = tests::sample_service("good");
    auto evil = tests::sample_service("evil");
    evil.authorization_origins = {"https://good.example"}; // the operator was talked into it
    const auto refused = [](const core::Service& service, const core::Service& other) {
        return !core::check_origins(service, {other});
    };
    BOOST_TEST(!refused(evil, good));
    for (const auto* spelling :
         {"https://good.example/authorize", "https://GOOD.example:443/authorize?",
          "https://good.example/%61uthorize", "https://good.example/other"}) {
        auto mixed = evil;
        mixed.authorization_endpoint = spelling;
        BOOST_TEST(refused(mixed, good), spelling);
        BOOST_TEST(refused(good, mixed), "added first: " << spelling);
        mixed = evil;
        mixed.registration_endpoint = spelling;
        BOOST_TEST(refused(mixed, good), "registers there: " << spelling);
    }
    auto second = tests::sample_service("second"); // another server of the same provider
    second.authorization_endpoint = good.authorization_endpoint;
    second.token_endpoint = good.token_endpoint;
    BOOST_TEST(!refused(second, good));
    BOOST_TEST(!refused(good, good));
}

BOOST_AUTO_TEST_CASE(the_challenges_scope_counts_before_the_documents) {
    BOOST_TEST(core::choose_scope("x", {"a"}, {}) == "x");
    BOOST_TEST(
        core::choose_scope(std::nullopt, {"a", "b"}, {"offline_access"}) == "a b offline_access");
    BOOST_TEST(core::choose_scope(std::nullopt, {}, {"a"}).empty());
    BOOST_TEST(core::choose_scope(std::nullopt, {"a\"b"}, {}).empty());
}

BOOST_AUTO_TEST_CASE(a_services_id_is_a_plain_word) {
    BOOST_TEST(tests::code_of(core::check_service_id("my-service_2")) == "ok");
    BOOST_TEST(tests::code_of(core::check_service_id(std::string(64, 'a'))) == "ok");
    for (const auto& bad :
         {std::string(), std::string(65, 'a'), std::string("A"), std::string("a b"),
          std::string("a/b")})
        BOOST_TEST(!core::check_service_id(bad), bad);
}

BOOST_AUTO_TEST_SUITE_END()
