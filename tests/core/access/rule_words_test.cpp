#include "consentgate/core/access/rule_words.h"

#include "people.h"

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using core::Effect;

namespace {

std::string complaint(const std::string& text) {
    const auto file = core::parse_rule_file(text);
    return file ? "" : file.error().message;
}

} // namespace

BOOST_AUTO_TEST_SUITE(access_rule_words)

BOOST_AUTO_TEST_CASE(what_is_exported_reads_as_the_same_rules, *label("SI70")) {
    const std::vector<core::Rule> rules{
        rule(Effect::allow, "corp/group:Domain Users"),
        rule(Effect::deny, "corp/group:\"a\\b\" # c", {.resource = "https://a.example/mcp"}),
        rule(Effect::allow, "team:eng", {.resource = "https://a.example/mcp", .scope = "read"}),
        rule(Effect::deny, "everyone", {.service = "notion"}),
        proof(Effect::fresh, "30", {.resource = "https://a.example/mcp"}),
        proof(Effect::acr, "urn:mfa", {.resource = "https://a.example/mcp", .scope = "write"})};
    const auto text = core::rule_file(rules, false);
    const auto file = core::parse_rule_file(text);
    BOOST_REQUIRE_MESSAGE(static_cast<bool>(file), text);
    BOOST_TEST((file->open == false));
    BOOST_REQUIRE_EQUAL(file->rules.size(), rules.size());
    for (std::size_t at = 0; at < rules.size(); ++at)
        BOOST_TEST(file->rules[at].says_the_same(rules[at]), text);
    BOOST_TEST(core::rule_file(file->rules, *file->open) == text);
}

BOOST_AUTO_TEST_CASE(comments_blanks_and_line_ends_do_not_matter, *label("SI70")) {
    const auto file = core::parse_rule_file(
        "\xEF\xBB\xBF# who may use what\r\n\r\n  allow\tkeys   --scope  read \r\ndeny unverified");
    BOOST_REQUIRE(static_cast<bool>(file));
    BOOST_TEST(!file->open.has_value());
    BOOST_REQUIRE_EQUAL(file->rules.size(), 2U);
    BOOST_TEST(file->rules[0].text() == "allow keys --scope read");
    BOOST_TEST(file->rules[1].text() == "deny unverified");
}

BOOST_AUTO_TEST_CASE(a_line_that_is_no_rule_is_named, *label("SI70")) {
    const std::pair<const char*, const char*> wrong[] = {
        {"allow", "allow needs a WHO"},
        {"permit keys", "begins with allow, deny, fresh, acr or default"},
        {"allow anna", "names nobody"},
        {"allow keys --resources x", "not '--resources'"},
        {"allow keys --scope", "--scope needs a value"},
        {"allow keys --scope a --scope b", "stands twice"},
        {"allow keys --service n --scope a", "stands for itself"},
        {"allow \"keys", "quotation mark"},
        {"default some", "everyone or nobody"},
        {"fresh", "fresh needs minutes"},
        {"fresh soon --resource x", "fresh takes minutes"},
        {"acr \"a b\" --resource x", "acr takes one value"},
        {"fresh 5", "needs --resource"},
        {"acr mfa --service notion", "needs --resource"},
        {"allow keys \xFF", "UTF-8"}};
    for (const auto& [line, message] : wrong) {
        const auto said = complaint(std::string("# first\n\nallow keys\n") + line + "\n");
        BOOST_TEST(said.starts_with("line 4: "), line << ": " << said);
        BOOST_TEST(said.find(message) != std::string::npos, line << ": " << said);
    }
    BOOST_TEST(complaint("default nobody\ndefault everyone\n") == "line 2: default stands twice");
}

BOOST_AUTO_TEST_SUITE_END()
