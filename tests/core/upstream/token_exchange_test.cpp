#include "consentgate/core/upstream/token_exchange.h"

#include "consentgate/core/base/text.h"

#include "tests/support/requests.h"
#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

const std::string type =
    "subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token";

std::string parsed(const std::string& form) {
    return code_of(parse_token_exchange(web::read_exchange_request(form_of(form))));
}

Service service(const std::string& id, const std::string& url) {
    Service made;
    made.id = ServiceId(id);
    made.url = url;
    return made;
}

} // namespace

BOOST_AUTO_TEST_SUITE(token_exchange)

BOOST_AUTO_TEST_CASE(a_request_names_a_session_token_and_a_service, *label("RS7")) {
    BOOST_TEST(parsed("subject_token=t&" + type + "&audience=notion") == "ok");
    BOOST_TEST(
        parsed("subject_token=t&" + type + "&resource=https%3A%2F%2Fa.example%2Fmcp") == "ok");
    BOOST_TEST(parsed(type + "&audience=notion") == "invalid_request");
    BOOST_TEST(parsed("subject_token=t&audience=notion") == "invalid_request");
    BOOST_TEST(
        parsed("subject_token=t&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt&"
               "audience=notion") == "invalid_request");
    BOOST_TEST(parsed("subject_token=t&" + type) == "invalid_request");
    BOOST_TEST(
        parsed("subject_token=t&" + type + "&audience=notion&actor_token=x") == "invalid_request");
    BOOST_TEST(
        parsed(
            "subject_token=t&" + type +
            "&audience=notion&"
            "requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Arefresh_token") ==
        "invalid_request");
    BOOST_TEST(
        parsed(
            "subject_token=t&" + type +
            "&resource=https%3A%2F%2Fa.example&resource=https%3A%2F%2Fb.example") ==
        "invalid_target");
}

BOOST_AUTO_TEST_CASE(a_request_may_name_the_token_that_was_refused_by_its_hash, *label("M8")) {
    const auto with = [](const std::string& hash) {
        return parsed("subject_token=t&" + type + "&audience=notion&refused_token_hash=" + hash);
    };
    const auto hash = to_base64url(sha256_bytes("refused"));
    BOOST_TEST(with(hash) == "ok");
    BOOST_TEST(is_hash_of(hash, Secret("refused")));
    BOOST_TEST(!is_hash_of(hash, Secret("another")));
    for (const auto& odd :
         {hash + "A", hash.substr(1), std::string(42, 'A') + "%3D",
          hash + "&refused_token_hash=" + hash})
        BOOST_TEST(with(odd) == "invalid_request");
}

BOOST_AUTO_TEST_CASE(
    a_resource_server_gets_tokens_for_its_own_services_only, *label("RS7") * label("K24")) {
    const std::vector<Service> services{
        service("github", "https://github.example/mcp"),
        service("notion", "https://notion.example/mcp")};
    ResourceServer server;
    server.services = {"notion"};
    const auto valid = [&](std::optional<std::string> audience,
                           std::optional<std::string> resource) {
        const auto target = authorize_target(
            {Secret("t"), std::move(audience), std::move(resource)}, server, services);
        return target ? target->id.text : std::string(traits(target.error().code).name);
    };
    BOOST_TEST(valid("notion", std::nullopt) == "notion");
    BOOST_TEST(valid(std::nullopt, "https://NOTION.example/mcp") == "notion");
    BOOST_TEST(valid("notion", "https://notion.example/mcp") == "notion");
    BOOST_TEST(valid("notion", "https://github.example/mcp") == "invalid_target");
    BOOST_TEST(valid("github", std::nullopt) == "invalid_target");
    BOOST_TEST(valid("nothing", std::nullopt) == "invalid_target");
    server.services.clear();
    BOOST_TEST(valid("notion", std::nullopt) == "invalid_target");
}

BOOST_AUTO_TEST_CASE(the_answer_is_that_of_the_rfc, *label("RS7")) {
    const auto document =
        json_of(token_exchange_response(Secret("at"), noon + Span(60), "a b", noon));
    BOOST_TEST(
        members_of(*document) == "access_token issued_token_type token_type expires_in scope");
    BOOST_TEST(member_of(*document, "access_token") == "at");
    BOOST_TEST(member_of(*document, "issued_token_type") == access_token_type);
    BOOST_TEST(document->integer("expires_in").value() == 60);
    BOOST_TEST(
        members_of(*json_of(token_exchange_response(Secret("at"), std::nullopt, "", noon))) ==
        "access_token issued_token_type token_type");
    const auto key =
        json_of(token_exchange_response(Secret("k"), std::nullopt, "", noon, TokenKind::key));
    BOOST_TEST(member_of(*key, "token_type") == "N_A", "a key is no bearer token");
}

BOOST_AUTO_TEST_SUITE_END()
