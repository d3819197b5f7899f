// Answers of Microsoft Graph, in the shapes of its documentation.
#include "consentgate/core/signin/graph.h"

#include "consentgate/core/signin/identity_provider.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using boost::unit_test::label;

namespace {

const std::string tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const std::string groups_url =
    "https://graph.microsoft.com/v1.0/me/transitiveMemberOf?$select=id&$top=999";

ServiceReply answer(std::string body, int status = 200) {
    return {.answered = true, .status = status, .body = Secret(std::move(body))};
}

std::string next_of(const std::string& next) {
    const auto page =
        read_graph_groups(answer(R"({"value":[],"@odata.nextLink":")" + next + "\"}"), groups_url);
    return page ? page->next : "refused: " + page.error().param;
}

} // namespace

BOOST_AUTO_TEST_SUITE(graph_answers)

BOOST_AUTO_TEST_CASE(the_address_follows_from_the_issuer, *label("SI55")) {
    BOOST_TEST(
        graph_groups_url("https://login.microsoftonline.com/" + tenant + "/v2.0") == groups_url);
    BOOST_TEST(graph_groups_url("https://login.microsoftonline.com/{tenantid}/v2.0") == groups_url);
    BOOST_TEST(graph_groups_url("https://login.microsoftonline.us/" + tenant + "/v2.0")
                   .starts_with("https://graph.microsoft.us/v1.0/"));
    BOOST_TEST(graph_groups_url("http://localhost:8080/" + tenant)
                   .starts_with("http://localhost:8080/v1.0/"));
    BOOST_TEST(graph_groups_url("https://login.microsoftonline.com.evil.test/x") == "");
    BOOST_TEST(graph_groups_url("https://sso.example.org") == "");
}

BOOST_AUTO_TEST_CASE(graph_is_asked_for_unknown_groups_when_the_operator_wants_it, *label("SI55")) {
    IdentityProvider entra;
    entra.kind = ProviderKind::entra;
    entra.groups_claim = "groups";
    entra.graph_groups = true;
    PersonClaims unknown, known;
    unknown.groups_known = false;
    BOOST_TEST(needs_graph(unknown, entra));
    BOOST_TEST(!needs_graph(known, entra));
    auto other = entra;
    other.graph_groups = false;
    BOOST_TEST(!needs_graph(unknown, other));
    other = entra;
    other.groups_claim = "roles"; // which Graph does not name
    BOOST_TEST(!needs_graph(unknown, other));
    other = entra;
    other.kind = ProviderKind::generic;
    BOOST_TEST(!needs_graph(unknown, other));
}

BOOST_AUTO_TEST_CASE(a_page_of_graph_names_groups_and_not_roles, *label("SI55")) {
    const auto page = read_graph_groups(
        answer(R"({"value":[{"@odata.type":"#microsoft.graph.group","id":"g1"},{"id":"g2"},
            {"@odata.type":"#microsoft.graph.directoryRole","id":"r1"}]})"),
        groups_url);
    BOOST_REQUIRE(bool(page));
    BOOST_TEST((page->names == std::vector<std::string>{"g1", "g2"}));
    BOOST_TEST(page->next.empty());
    for (const auto* body :
         {R"({"value":[{}]})", R"({"value":["g1"]})", R"({"value":{}})", "{}", "", "[]"})
        BOOST_TEST(!bool(read_graph_groups(answer(body), groups_url)), body);
    BOOST_TEST(!bool(read_graph_groups(answer(R"({"value":[]})", 403), groups_url)));
}

BOOST_AUTO_TEST_CASE(a_next_link_is_of_the_same_origin, *label("SI55") * label("SA28")) {
    const std::string next = "https://graph.microsoft.com/v1.0/users/1/x?$skiptoken=a";
    BOOST_TEST(next_of(next) == next);
    for (const auto* other :
         {"https://graph.windows.net/x", "http://graph.microsoft.com/v1.0/x",
          "https://graph.microsoft.com.evil.test/x", "https://graph.microsoft.com:444/x",
          "/v1.0/x"})
        BOOST_TEST(next_of(other) == "refused: next", other);
}

BOOST_AUTO_TEST_SUITE_END()
