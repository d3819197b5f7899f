#include "consentgate/core/oauth/client_auth.h"
#include "consentgate/core/oauth/client_document.h"

#include "tests/support/samples.h"
#include "tests/support/signing.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

constexpr const char* sample_url = "https://app.example/oauth/client.json";

DocumentPolicy open_policy() {
    DocumentPolicy policy;
    policy.accepted = true;
    return policy;
}

Result<DocumentUrl> valid(const std::string& url, const DocumentPolicy& policy = open_policy()) {
    return validate_document_url(ClientId(url), policy);
}

// A good document with these members besides, which come first: of two with one name the parser
// keeps the last.
std::string document_with(const std::string& members, const std::string& without = "") {
    std::string out;
    const auto add = [&](const std::string& name, const std::string& value) {
        if (name != without && members.find("\"" + name + "\":") == std::string::npos)
            out += (out.empty() ? "\"" : ",\"") + name + "\":" + value;
    };
    add("client_id", "\"" + std::string(sample_url) + "\"");
    add("client_name", "\"An App\"");
    add("redirect_uris", R"(["http://localhost/callback","http://127.0.0.1/callback"])");
    return "{" + out + (members.empty() ? "" : "," + members) + "}";
}

Result<Client> read(const DocumentAnswer& answer, const Policy& policy = sample_policy()) {
    return validate_client_document(*valid(sample_url), answer, policy, noon);
}

Result<Client> read(const std::string& body, const std::string& type = "application/json") {
    return read(DocumentAnswer{200, type, body, false, {}});
}

std::int64_t lifetime(
    const std::string& cache_control, const std::string& age = "",
    const std::string& expires = "") {
    return document_lifetime({cache_control, age, expires}, noon)
        .count(); // noon is Fri, 15 Jan 2027 08:00:00 GMT
}

} // namespace

BOOST_AUTO_TEST_SUITE(client_document)

BOOST_AUTO_TEST_CASE(
    a_good_document_becomes_a_client, *label("R24") * label("R26") * label("R36")) {
    const auto client = read(document_with(
        R"("scope":"mcp unknown","grant_types":["authorization_code","refresh_token"],)"
        R"("logo_uri":"https://app.example/l.png")"));
    BOOST_REQUIRE(client);
    BOOST_TEST(client->id.text == sample_url);
    BOOST_TEST(client->name == "An App");
    BOOST_TEST(client->redirect_uris.size() == 2U);
    BOOST_TEST(client->scope == "mcp");
    BOOST_TEST(client->refresh);
    BOOST_TEST(!client->by_operator);
    BOOST_TEST(client->active);
    BOOST_TEST(
        client->metadata == "{}", "nothing of it can put a stranger's picture on a page (R35)");
    BOOST_TEST(
        match_redirect(*client, "http://localhost:53111/callback", std::nullopt, {}).has_value());
}

BOOST_AUTO_TEST_CASE(the_document_names_its_own_url_to_the_character, *label("R24")) {
    for (const auto* other :
         {"https://App.example/oauth/client.json", "https://app.example:443/oauth/client.json",
          "https://app.example/oauth/client.json/", "https://app.example/oauth/client.json?",
          "https://evil.example/oauth/client.json", ""}) {
        BOOST_TEST_CONTEXT(other)
        BOOST_TEST(
            code_of(read(document_with("\"client_id\":\"" + std::string(other) + "\""))) ==
            "invalid_client_document");
    }
    for (const auto* other : {"\"client_id\":7", "\"client_id\":null"})
        BOOST_TEST(code_of(read(document_with(other))) == "invalid_client_document");
    BOOST_TEST(code_of(read(document_with("", "client_id"))) == "invalid_client_document");
}

BOOST_AUTO_TEST_CASE(only_status_200_counts, *label("R25")) {
    for (const int status :
         {100, 201, 203, 204, 206, 301, 302, 303, 304, 307, 308, 400, 404, 500, 503}) {
        BOOST_TEST_CONTEXT(status)
        BOOST_TEST(
            code_of(
                read(DocumentAnswer{status, "application/json", document_with(""), false, {}})) ==
            "invalid_client_document");
    }
    BOOST_TEST(
        code_of(read(DocumentAnswer{200, "application/json", document_with(""), false, {}})) ==
        "ok");
}

BOOST_AUTO_TEST_CASE(only_json_objects_of_a_json_type_are_read, *label("R26")) {
    for (const auto* type :
         {"application/json", "application/json; charset=utf-8", "Application/JSON",
          "application/oauth-client+json", "application/x+json;a=b"}) {
        BOOST_TEST_CONTEXT(type) BOOST_TEST(code_of(read(document_with(""), type)) == "ok");
    }
    for (const auto* type :
         {"", "text/html", "text/json", "text/plain", "application/jsonp", "application/+json",
          "application/octet-stream", "image/svg+json"}) {
        BOOST_TEST_CONTEXT(type)
        BOOST_TEST(code_of(read(document_with(""), type)) == "invalid_client_document");
    }
    for (const auto* body :
         {"", "[]", "\"x\"", "<html>", "null", "{", "{} {}", "{\"client_id\":\"\xFF\"}"}) {
        BOOST_TEST_CONTEXT(body)
        BOOST_TEST(code_of(read(std::string(body))) == "invalid_client_document");
    }
    for (const auto* name : {"client_name", "redirect_uris"}) BOOST_TEST_CONTEXT(name)
    BOOST_TEST(code_of(read(document_with("", name))) == "invalid_client_document");
    for (const auto* bad :
         {"\"client_name\":\"  \"", "\"client_name\":7", "\"redirect_uris\":[]",
          "\"redirect_uris\":[1]", "\"redirect_uris\":\"https://a.example/b\""}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(code_of(read(document_with(bad))) == "invalid_client_document");
    }
}

BOOST_AUTO_TEST_CASE(five_kibibytes_are_read_and_no_more, *label("R31")) {
    const auto frame = document_with(R"("x":"")").size();
    const auto sized = [&](std::size_t size) {
        return document_with("\"x\":\"" + std::string(size - frame, 'x') + "\"");
    };
    BOOST_TEST(code_of(read(sized(max_document_bytes))) == "ok");
    BOOST_TEST(code_of(read(sized(max_document_bytes + 1))) == "invalid_client_document");
    BOOST_TEST(
        code_of(read(DocumentAnswer{200, "application/json", document_with(""), true, {}})) ==
        "invalid_client_document");
}

BOOST_AUTO_TEST_CASE(shared_secrets_are_refused, *label("R27")) {
    for (const auto* bad :
         {R"("client_secret":"x")", R"("client_secret":null)", R"("client_secret_expires_at":0)",
          R"("token_endpoint_auth_method":"client_secret_basic")",
          R"("token_endpoint_auth_method":"client_secret_post")",
          R"("token_endpoint_auth_method":"client_secret_jwt")",
          R"("token_endpoint_auth_method":"client_secret_post",)"
          R"("token_endpoint_auth_methods_supported":["none"])",
          R"("token_endpoint_auth_methods_supported":["client_secret_post"])"}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(code_of(read(document_with(bad))) == "invalid_client_document");
    }
}

BOOST_AUTO_TEST_CASE(none_is_taken_wherever_the_document_offers_it, *label("R28")) {
    for (const auto* good :
         {"", R"("token_endpoint_auth_method":"none")",
          R"("token_endpoint_auth_methods_supported":["private_key_jwt","none"])",
          R"("token_endpoint_auth_method":"private_key_jwt",)"
          R"("token_endpoint_auth_methods_supported":["private_key_jwt","none"])",
          R"("token_endpoint_auth_method":null)",
          R"("token_endpoint_auth_methods_supported":[])"}) {
        BOOST_TEST_CONTEXT(good) BOOST_TEST(code_of(read(document_with(good))) == "ok");
    }
    for (const auto* bad :
         {R"("token_endpoint_auth_method":"private_key_jwt")",
          R"("token_endpoint_auth_methods_supported":["private_key_jwt"])",
          R"("token_endpoint_auth_method":"tls_client_auth")", R"("token_endpoint_auth_method":7)",
          R"("token_endpoint_auth_methods_supported":"none")"}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(code_of(read(document_with(bad))) == "invalid_client_document");
    }
}

BOOST_AUTO_TEST_CASE(
    keys_in_the_document_prove_a_client_that_offers_nothing_less, *label("R28") * label("R38")) {
    static const auto keys = "\"jwks\":" + TestKey::ec().jwks();
    for (const auto* method :
         {R"("token_endpoint_auth_method":"private_key_jwt",)",
          R"("token_endpoint_auth_methods_supported":["private_key_jwt"],)"}) {
        const auto client = read(document_with(method + keys));
        BOOST_REQUIRE_MESSAGE(client, method);
        BOOST_TEST((client->auth == ClientAuth::private_key_jwt));
        BOOST_TEST(code_of(check_jwks(client->jwks)) == "ok");
    }
    BOOST_TEST(
        code_of(read(document_with(
            R"("token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[]})"))) ==
        "invalid_client_document");
}

BOOST_AUTO_TEST_CASE(
    a_client_that_offers_none_and_keys_may_use_either_of_them, *label("R28") * label("XE1")) {
    static const auto keys = "\"jwks\":" + TestKey::ec().jwks();
    for (const auto* method :
         {R"("token_endpoint_auth_methods_supported":["private_key_jwt","none"],)",
          R"("token_endpoint_auth_method":"private_key_jwt",)"
          R"("token_endpoint_auth_methods_supported":["none","private_key_jwt"],)",
          R"("token_endpoint_auth_method":"none",)"
          R"("token_endpoint_auth_methods_supported":["private_key_jwt"],)"}) {
        BOOST_TEST_CONTEXT(method) {
            const auto client = read(document_with(method + keys));
            BOOST_TEST((client->auth == ClientAuth::none));
            BOOST_TEST(client->takes_assertions());
            BOOST_TEST(code_of(check_jwks(client->jwks)) == "ok");
            // Keys that cannot be used are left out, for the client need not prove itself.
            const auto without = read(document_with(std::string(method) + R"("jwks":{"keys":[]})"));
            BOOST_TEST(code_of(without) == "ok");
            BOOST_TEST(!without->takes_assertions());
        }
    }
    const auto open = read(document_with(R"("token_endpoint_auth_method":"none",)" + keys));
    BOOST_TEST(!open->takes_assertions());
}

BOOST_AUTO_TEST_CASE(
    a_documents_keys_may_stand_at_an_address_of_its_own_origin, *label("R28") * label("R38")) {
    auto policy = sample_policy();
    policy.documents = open_policy();
    const auto with = [&](const std::string& uri, const std::string& more = "") {
        return read(
            DocumentAnswer{
                200,
                "application/json",
                document_with(
                    R"("token_endpoint_auth_method":"private_key_jwt","jwks_uri":")" + uri + "\"" +
                    more),
                false,
                {}},
            policy);
    };
    const auto client = with("https://app.example/jwks");
    BOOST_REQUIRE_MESSAGE(client, "refused");
    BOOST_TEST(client->jwks_uri == "https://app.example/jwks");
    BOOST_TEST(client->jwks.empty());
    for (const auto* bad :
         {"https://other.example/jwks", "https://app.example:8443/jwks", "http://app.example/jwks",
          "https://10.0.0.1/jwks", "https://app.example", ""}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(code_of(with(bad)) == "invalid_client_document");
    }
    BOOST_TEST(
        code_of(with("https://app.example/jwks", ",\"jwks\":" + TestKey::ec().jwks())) ==
        "invalid_client_document");
}

BOOST_AUTO_TEST_CASE(
    an_address_of_keys_is_checked_like_that_of_a_document,
    *label("R38") * label("R37") * label("K26")) {
    auto policy = open_policy();
    BOOST_TEST(code_of(validate_keys_url("https://keys.example/jwks", policy)) == "ok");
    BOOST_TEST(validate_keys_url("https://keys.example/jwks", policy)->max_bytes == 65536U);
    for (const auto* bad :
         {"https://127.0.0.1/jwks", "https://[::1]/jwks", "https://2130706433/jwks",
          "https://u@keys.example/jwks", "https://keys.example:8443/jwks",
          "ftp://keys.example/jwks"}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(code_of(validate_keys_url(bad, policy)) == "invalid_client_metadata");
    }
    policy.denied_hosts = {"keys.example"};
    BOOST_TEST(
        code_of(validate_keys_url("https://keys.example/jwks", policy)) ==
        "invalid_client_metadata");
    BOOST_TEST(
        code_of(validate_keys_url("https://app.example/jwks", DocumentPolicy())) ==
        "invalid_client_metadata");
}

BOOST_AUTO_TEST_CASE(an_answer_is_a_set_of_keys_or_nothing, *label("R38")) {
    const auto checked_answer = [](int status, const std::string& type, const std::string& body) {
        return code_of(validate_key_set(DocumentAnswer{status, type, body, false, {}}));
    };
    static const auto keys = TestKey::ec().jwks();
    BOOST_TEST(checked_answer(200, "application/json", keys) == "ok");
    BOOST_TEST(checked_answer(200, "application/jwk-set+json; charset=utf-8", keys) == "ok");
    BOOST_TEST(checked_answer(302, "application/json", keys) == "invalid_client_metadata");
    BOOST_TEST(checked_answer(200, "text/html", keys) == "invalid_client_metadata");
    BOOST_TEST(
        checked_answer(200, "application/json", keys + std::string(65536, ' ')) ==
        "invalid_client_metadata");
    BOOST_TEST(
        checked_answer(200, "application/json", R"({"keys":[]})") == "invalid_client_metadata");
}

BOOST_AUTO_TEST_CASE(grants_and_addresses_that_are_not_for_us_are_dropped, *label("R29")) {
    const auto claude = read(
        document_with(R"x("grant_types":["authorization_code","refresh_token",)x"
                      R"x("urn:ietf:params:oauth:grant-type:jwt-bearer"],)x"
                      R"x("redirect_uris":["javascript:alert(1)","https://app.example/cb"])x"));
    BOOST_REQUIRE(claude);
    BOOST_TEST(claude->refresh);
    BOOST_TEST(join(claude->redirect_uris, " ") == "https://app.example/cb");
    BOOST_TEST(!read(document_with(""))->refresh);
    auto policy = sample_policy();
    policy.refresh_idle = Span(0);
    BOOST_TEST(!read(
                    DocumentAnswer{
                        200,
                        "application/json",
                        document_with(R"("grant_types":["authorization_code","refresh_token"])"),
                        false,
                        {}},
                    policy)
                    ->refresh);
    for (const auto* bad :
         {R"("grant_types":["client_credentials"])", R"("grant_types":"authorization_code")",
          R"("response_types":["token"])",
          R"x("redirect_uris":["javascript:alert(1)","http://evil.example/cb"])x",
          R"("scope":"a  \" b")"}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(code_of(read(document_with(bad))) == "invalid_client_document");
    }
}

BOOST_AUTO_TEST_CASE(
    a_document_is_read_as_tolerantly_as_a_registration, *label("XE6") * label("N10")) {
    const auto client = read(document_with(
        R"x("grant_types":["authorization_code",7,null,"refresh_token"],)x"
        R"x("response_types":["code",{}],"application_type":"native",)x"
        R"x("logo_uri":7,"contacts":"none","client_uri":"https://app.example/",)x"
        R"x("redirect_uris":[null,"https://app.example/cb","https://app.example/cb",)x"
        R"x("data:x"])x"));
    BOOST_REQUIRE(client);
    BOOST_TEST(client->refresh);
    BOOST_TEST(join(client->redirect_uris, " ") == "https://app.example/cb");
    BOOST_TEST(client->dropped_redirects);
    BOOST_TEST(
        client->metadata == R"({"application_type":"native","client_uri":"https://app.example/"})");
    BOOST_TEST(read(document_with(R"("application_type":7)"))->metadata == "{}");
    const auto twice =
        read(document_with(R"("redirect_uris":["http://127.0.0.1/cb","http://127.0.0.1/cb"])"));
    BOOST_TEST((twice->redirect_uris.size() == 1U && !twice->dropped_redirects));
    for (const auto* bad :
         {R"("redirect_uris":[null,7])", R"("redirect_uris":{})", R"("client_name":7)",
          R"("grant_types":[7])", R"("response_types":{})"})
        BOOST_TEST_CONTEXT(bad)
    BOOST_TEST(code_of(read(document_with(bad))) == "invalid_client_document");
}

BOOST_AUTO_TEST_CASE(
    a_document_keeps_the_addresses_that_the_operator_lists_and_needs_one, *label("XD7")) {
    auto policy = sample_policy();
    policy.redirects.hosts = {"app.example"};
    const auto read_uris = [&](const std::string& uris) {
        return read(
            {200, "application/json", document_with("\"redirect_uris\":" + uris), false, {}},
            policy);
    };
    const auto kept = read_uris(R"(["http://localhost/cb","https://app.example/cb"])");
    BOOST_REQUIRE(kept);
    BOOST_TEST((kept->redirect_uris == std::vector<std::string>{"https://app.example/cb"}));
    const auto none = read_uris(R"(["http://localhost/cb","https://evil.example/cb"])");
    BOOST_TEST(code_of(none) == "invalid_client_document");
    BOOST_TEST(
        none.error().message ==
        "none of the redirect_uris can be used: this server takes no redirect URI on the person's "
        "own computer");
}

BOOST_AUTO_TEST_CASE(a_document_needs_a_name_that_can_be_seen, *label("XD6")) {
    for (const auto* hidden : {" ", "\u200B", "\u3164\u2800", "\u202E"})
        BOOST_TEST_CONTEXT(to_hex(hidden))
    BOOST_TEST(
        code_of(read(document_with(std::string(R"("client_name":")") + hidden + "\""))) ==
        "invalid_client_document");
}

BOOST_AUTO_TEST_CASE(a_document_is_kept_as_its_host_says_within_our_bounds, *label("R32")) {
    BOOST_TEST(lifetime("max-age=600") == 600);
    BOOST_TEST(lifetime("public, Max-Age=600") == 600);
    BOOST_TEST(lifetime("max-age=600", "100") == 500);
    BOOST_TEST(lifetime("max-age=600, s-maxage=700") == 700);
    BOOST_TEST(lifetime("max-age=59") == 60);
    BOOST_TEST(lifetime("max-age=61") == 61);
    BOOST_TEST(lifetime("max-age=86399") == 86399);
    BOOST_TEST(lifetime("max-age=86401") == 86400);
    BOOST_TEST(lifetime("max-age=99999999999999999999999") == 86400);
    for (const auto* short_lived :
         {"no-store", "no-cache", "max-age=600, no-store", "max-age=0", "max-age=x", "max-age="}) {
        BOOST_TEST_CONTEXT(short_lived) BOOST_TEST(lifetime(short_lived) == 60);
    }
    BOOST_TEST(lifetime("") == 3600);
    BOOST_TEST(lifetime("", "", "Fri, 15 Jan 2027 08:10:00 GMT") == 600);
    BOOST_TEST(lifetime("max-age=300", "", "Fri, 15 Jan 2027 08:10:00 GMT") == 300);
    for (const auto* past :
         {"0", "-1", "Fri, 15 Jan 2027 07:10:00 GMT", "Fri, 32 Jan 2027 08:10:00 GMT",
          "Fri, 15 Jan 2027 08:10:00", "Friday"}) {
        BOOST_TEST_CONTEXT(past) BOOST_TEST(lifetime("", "", past) == 60);
    }
}

BOOST_AUTO_TEST_SUITE_END()
