#include "consentgate/core/oauth/scope.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(scope)

// spec: RFC 6749 section 3.3: %x21 / %x23-5B / %x5D-7E
BOOST_AUTO_TEST_CASE(a_scope_name_has_the_characters_of_rfc6749_and_no_other, *label("A17")) {
    for (int byte = 1; byte < 256; ++byte) {
        if (byte == ' ') continue; // separates
        const bool allowed = byte >= 0x21 && byte <= 0x7E && byte != '"' && byte != '\\';
        BOOST_TEST_CONTEXT(byte)
        BOOST_TEST(
            ScopeSet::parse(std::string("a") + static_cast<char>(byte)).has_value() == allowed);
    }
}

BOOST_AUTO_TEST_CASE(names_keep_their_order_and_count_once) {
    BOOST_TEST(scopes("b a b c a").text() == "b a c");
    BOOST_TEST(scopes("  b   a ").text() == "b a");
    BOOST_TEST(scopes("").empty());
    BOOST_TEST(scopes("   ").empty());
}

BOOST_AUTO_TEST_CASE(a_loop_over_the_inside_of_a_temporary_walks_what_is_there) {
    const std::vector<std::string> long_names{std::string(40, 'a'), std::string(40, 'b')};
    std::vector<std::string> seen;
    for (const auto& name : scopes(long_names[0] + " " + long_names[1]).names())
        seen.push_back(name);
    const auto found = [&] { return Result<std::vector<std::string>>(long_names); };
    for (const auto& name : *found()) seen.push_back(name);
    BOOST_TEST(
        seen == (std::vector{long_names[0], long_names[1], long_names[0], long_names[1]}),
        boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(names_are_compared_with_their_case) {
    BOOST_TEST(scopes("mcp").contains("mcp"));
    BOOST_TEST(!scopes("mcp").contains("MCP"));
    BOOST_TEST(!scopes("mcp").contains("mc"));
    BOOST_TEST(!scopes("mcp").contains(""));
}

BOOST_AUTO_TEST_CASE(within_narrows_and_never_widens, *label("A17")) {
    BOOST_TEST(
        scopes("x mcp y profile").within(scopes("profile mcp other")).text() == "mcp profile");
    BOOST_TEST(scopes("x").within(scopes("mcp")).empty());
    BOOST_TEST(scopes("").within(scopes("mcp")).empty());
    BOOST_TEST(scopes("mcp").within(scopes("")).empty());
}

BOOST_AUTO_TEST_CASE(the_catalogue_is_the_configured_scopes_in_order) {
    BOOST_TEST(sample_policy().catalogue().text() == "mcp profile");
    BOOST_TEST(sample_policy().words("profile") == "See the name you signed in with");
    BOOST_TEST(sample_policy().words("unknown") == "unknown");
}

BOOST_AUTO_TEST_SUITE_END()
