// Tests src/app/admin_line.cpp and what texts say of its commands: docs/operating.md lists each,
// and the programs know each that a text asks an operator to type.
#include "app/admin.h"

#include "consentgate/core/base/text.h"

#include <Poco/String.h>

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

using namespace consentgate;
using namespace consentgate::app;
using boost::unit_test::label;

namespace {

std::string read(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::set<std::string> command_names() {
    std::set<std::string> names;
    for (const auto& command : admin::all_commands()) names.insert(command.name);
    return names;
}

// The commands of a cell like `key add\|list`, `sweep`.
void add_commands_of(const std::string& cell, std::set<std::string>& names) {
    static const std::regex code("`([^`]+)`");
    for (std::sregex_iterator one(cell.begin(), cell.end(), code), end; one != end; ++one) {
        const auto call = Poco::replace((*one)[1].str(), "\\|", "|");
        const auto noun = call.substr(0, call.find(' '));
        if (command_names().contains(noun)) // a command of one word; what follows is its operand
            names.insert(noun);
        else
            for (const auto& verb : core::split(call.substr(noun.size() + 1), '|'))
                names.insert(noun + " " + verb);
    }
}

// Texts that stand side by side are one.
std::string joined_texts(const std::string& source) {
    static const std::regex seam("\"\\s*\"");
    return std::regex_replace(source, seam, "");
}

} // namespace

BOOST_AUTO_TEST_SUITE(command_texts)

BOOST_AUTO_TEST_CASE(the_table_of_the_operators_document_has_every_command, *label("O16")) {
    std::set<std::string> listed;
    for (const auto& line : core::split(read("docs/operating.md"), '\n')) {
        if (line == "## Logs") break;
        if (line.starts_with("| `")) add_commands_of(line.substr(0, line.find(" | ")), listed);
    }
    BOOST_TEST(listed == command_names(), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_command_that_a_text_tells_somebody_to_type_is_there, *label("XF2")) {
    static const std::regex call("consentgate-admin ([a-z]+(-[a-z]+)*)( [a-z]+)?");
    const auto names = command_names();
    std::size_t found = 0;
    for (const auto* folder : {"src", "include", "conf"}) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
            if (!entry.is_regular_file()) continue;
            const auto text = joined_texts(read(entry.path()));
            for (std::sregex_iterator one(text.begin(), text.end(), call), end; one != end; ++one) {
                if ((*one)[1] == "of" || (*one)[1] == "that")
                    continue; // "the … of the newer version"
                ++found;
                BOOST_TEST_CONTEXT(entry.path().string() + ": " + one->str())
                BOOST_TEST(
                    (names.contains((*one)[1]) ||
                     names.contains((*one)[1].str() + (*one)[3].str())));
            }
        }
    }
    BOOST_TEST(found > 50U);
}

BOOST_AUTO_TEST_CASE(the_columns_of_every_help_text_are_aligned, *label("XF4")) {
    const auto column = [](const std::string& text, const std::string& of) {
        const auto at = text.find("  " + of + "\n");
        BOOST_REQUIRE(at != std::string::npos); // two blanks before it, and nothing after
        return at + 2 - (text.rfind('\n', at) + 1);
    };
    const auto all = admin::overview("");
    for (const auto& command : admin::all_commands()) {
        BOOST_TEST_CONTEXT(command.name) {
            BOOST_TEST(
                column(all, command.summary) == column(
                                                    all, "read the configuration, report every "
                                                         "problem, and say who can come in"));
            const auto help = admin::help(command);
            for (const auto& option : admin::options_of(command))
                BOOST_TEST(
                    column(help, option.meaning + (option.repeated() ? "; may be repeated" : "")) ==
                    column(help, "the configuration file"));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
