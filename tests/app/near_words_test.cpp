// Tests src/app/near_words.cpp.
#include "app/near_words.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::app;
using boost::unit_test::label;
using Words = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(near_words_)

BOOST_AUTO_TEST_CASE(a_mistyped_word_is_near_its_own_and_an_unlike_one_is_not, *label("XA6")) {
    const Words known{"notion", "github", "slack", "notion-2"};
    BOOST_TEST((near_words("notoin", known) == Words{"notion"}));
    BOOST_TEST((near_words("Notion", known) == Words{"notion", "notion-2"}));
    BOOST_TEST((near_words("gihub", known) == Words{"github"}));
    BOOST_TEST((near_words("sl", known) == Words{"slack"}));
    BOOST_TEST(near_words("jira", known).empty());
    BOOST_TEST(near_words("", known).empty());
    BOOST_TEST(near_words("notion", {}).empty());
    BOOST_TEST(near_words(std::string(100000, 'n'), known).empty());
}

BOOST_AUTO_TEST_CASE(at_most_three_words_are_offered_the_nearest_first, *label("XA6")) {
    BOOST_TEST(
        (near_words("mcp", {"mcq", "mcp", "map", "mcp2", "xcp"}) == Words{"mcp", "mcq", "map"}));
}

BOOST_AUTO_TEST_CASE(the_question_names_the_words_or_is_not_asked, *label("XA6")) {
    BOOST_TEST(did_you_mean("notoin", {"notion"}) == "; did you mean notion?");
    BOOST_TEST(did_you_mean("ab", {"ab1", "ab2"}) == "; did you mean ab1 or ab2?");
    BOOST_TEST(did_you_mean("jira", {"notion"}).empty());
}

BOOST_AUTO_TEST_SUITE_END()
