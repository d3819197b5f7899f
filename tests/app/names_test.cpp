// The names that operators and programs depend on: tests/app/names.txt holds them all, and this
// file derives the same list from the program. It also tests src/app/old_names.cpp.
#include "app/admin.h"

#include "consentgate/app/config.h"
#include "consentgate/app/old_names.h"
#include "consentgate/app/version.h"
#include "consentgate/sys/metrics.h"
#include "tests/support/environment.h"
#include "tests/support/temp_folder.h"

#include <Poco/String.h>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

using namespace consentgate;
using namespace consentgate::app;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

using Lines = std::set<std::string>;

std::string read(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

Lines lines_of(const std::string& text) {
    Lines lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        if (!line.empty() && line.front() != '#') lines.insert(line);
    }
    return lines;
}

void add_commands(Lines& lines) {
    for (const auto& command : admin::all_commands()) {
        lines.insert(
            "command " + command.name + (command.operand.empty() ? "" : " " + command.operand));
        for (const auto& option : admin::options_of(command))
            lines.insert(
                "option " + command.name + " --" + option.name +
                (option.value.empty() ? "" : " " + option.value));
        for (const auto& member : command.json) lines.insert("json " + command.name + " " + member);
    }
}

void add_metrics(Lines& lines) {
    for (const auto& metric : sys::metric_names()) {
        auto line = "metric " + metric.name;
        for (const auto& name : metric.labels) line += " " + name;
        lines.insert(line);
    }
}

// The text of a call, from its opening to its closing parenthesis.
std::string call_at(const std::string& source, std::size_t open) {
    int depth = 0;
    bool quoted = false;
    for (auto at = open; at < source.size(); ++at) {
        if (source[at] == '"' && source[at - 1] != '\\') quoted = !quoted;
        if (quoted) continue;
        if (source[at] == '(') ++depth;
        if (source[at] == ')' && --depth == 0) return source.substr(open, at - open);
    }
    return {};
}

// An event is named where it is written, so its name and fields are read from the sources.
void add_log_calls(Lines& lines, const std::string& source) {
    static const std::regex name(R"rx(^\(\s*"(\w+)")rx"), field(R"rx(\{\s*"(\w+)",)rx");
    for (const std::string kind : {"event", "audit"}) {
        for (const auto* object : {"log.", "log_.", "log_"}) {
            const auto call = object + kind + "(";
            for (auto at = source.find(call); at != std::string::npos;
                 at = source.find(call, at + 1)) {
                const auto text = call_at(source, at + call.size() - 1);
                std::smatch found;
                if (!std::regex_search(text, found, name)) continue; // the declaration
                auto line = kind + " " + found[1].str();
                for (std::sregex_iterator one(text.begin(), text.end(), field), end; one != end;
                     ++one)
                    line += " " + (*one)[1].str();
                lines.insert(line);
            }
        }
    }
}

Lines names_of_the_program() {
    Lines lines;
    add_commands(lines);
    add_metrics(lines);
    for (const auto& key : known_keys()) lines.insert("key " + key.name);
    for (const auto& entry : std::filesystem::recursive_directory_iterator("src")) {
        if (entry.path().extension() == ".cpp") add_log_calls(lines, read(entry.path()));
    }
    return lines;
}

// The second word of the lines of a kind: names of events, keys, metrics.
bool is_listed(const Lines& lines, const std::string& kind, const std::string& name) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
        return line == kind + " " + name || line.starts_with(kind + " " + name + " ");
    });
}

// A word of a line after its name.
bool is_word_of(
    const Lines& lines, const std::string& kind, std::string_view where, std::string_view word) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
        const auto begins = kind + " " + std::string(where);
        return line.starts_with(begins) &&
               (line + " ").find(" " + std::string(word) + " ") != std::string::npos;
    });
}

// The error of a command line, or the name of its command.
std::string read_line(std::vector<std::string> line) {
    const auto commands = admin::all_commands();
    std::string notice;
    try {
        const auto* command = admin::find_command(commands, line, notice);
        if (command == nullptr) return "no command";
        admin::read_arguments(*command, line);
        return notice;
    } catch (const admin::UsageError& error) {
        return error.what();
    }
}

std::string problems_of(const std::string& text) {
    const TempFolder folder;
    try {
        read_config(folder.write("consentgate.conf", text));
        return "";
    } catch (const ConfigError& error) {
        return error.what();
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(names)

BOOST_AUTO_TEST_CASE(
    every_name_that_an_operator_or_a_program_sees_is_in_the_list_and_no_other, *label("O2")) {
    const auto listed = lines_of(read("tests/app/names.txt"));
    const auto names = names_of_the_program();
    BOOST_TEST(names.size() > 200U);
    for (const auto& name : names) {
        BOOST_TEST_CONTEXT("in the program, not in tests/app/names.txt: " + name)
        BOOST_TEST(listed.contains(name));
    }
    for (const auto& name : listed) {
        BOOST_TEST_CONTEXT("in tests/app/names.txt, not in the program: " + name)
        BOOST_TEST(names.contains(name));
    }
}

// A command that says nothing is recorded, so that none is forgotten: these say that they only
// read, or, as setup, run others that are recorded.
BOOST_AUTO_TEST_CASE(every_command_is_recorded_but_those_that_only_read, *label("XA4")) {
    Lines silent;
    for (const auto& command : admin::all_commands())
        if (!command.audited) silent.insert(command.name);
    const Lines reading{"access export",   "access list",      "access test",   "call-log",
                        "check",           "client list",      "client show",   "doctor",
                        "idp list",        "idp show",         "idp test",      "key list",
                        "key show",        "metrics",          "resource list", "resource show",
                        "server-key list", "service list",     "service show",  "service test",
                        "session list",    "session show",     "setup",         "sweep",
                        "team list",       "token introspect", "user list",     "user show"};
    BOOST_TEST(silent == reading, boost::test_tools::per_element());
}

// A command that is new among them is looked at.
BOOST_AUTO_TEST_CASE(every_command_that_ends_something_for_good_asks_before, *label("XF4")) {
    Lines asking;
    for (const auto& command : admin::all_commands())
        if (command.destroys) asking.insert(command.name);
    const Lines ending{"client remove",   "idp remove",   "key disable",       "key rotate",
                       "resource remove", "resource set", "server-key remove", "service remove",
                       "session revoke",  "user end",     "user remove"};
    BOOST_TEST(asking == ending, boost::test_tools::per_element());
    for (const auto& command : admin::all_commands())
        if (command.name.ends_with(" remove") && !ending.contains(command.name))
            BOOST_TEST((command.name == "access remove" || command.name == "team remove"));
}

BOOST_AUTO_TEST_CASE(
    every_list_and_every_show_prints_json_and_every_command_an_example, *label("XF4")) {
    for (const auto& command : admin::all_commands()) {
        BOOST_TEST_CONTEXT(command.name) {
            if (command.name.ends_with(" list") || command.name.ends_with(" show"))
                BOOST_TEST(!command.json.empty());
            BOOST_TEST(command.example.starts_with("consentgate-admin " + command.name));
            BOOST_TEST(!command.summary.empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(an_operand_in_brackets_may_be_left_out_and_any_other_may_not, *label("XA4")) {
    BOOST_TEST(read_line({"session", "revoke"}) == "");
    BOOST_TEST(
        read_line({"session", "revoke", "a", "b"}) ==
        "'b' is one word too many: it takes [ID]; see consentgate-admin session revoke --help");
    BOOST_TEST(
        read_line({"key", "disable"}) ==
        "key disable needs KEY, as in: consentgate-admin key disable vk_Zk3v9QkqT0aXb1");
}

BOOST_AUTO_TEST_CASE(a_mistyped_option_is_answered_with_the_near_ones, *label("XA6")) {
    BOOST_TEST(
        read_line({"resource", "set", "--scope", "mcp"}) ==
        "there is no option --scope; did you mean --scopes?; see consentgate-admin resource set "
        "--help");
    BOOST_TEST(
        read_line({"resource", "set", "--xyz"}) ==
        "there is no option --xyz; see consentgate-admin resource set --help");
}

BOOST_AUTO_TEST_CASE(an_option_stands_once_unless_it_says_that_it_may_be_repeated, *label("XF4")) {
    const std::string twice = " was given more than once; see consentgate-admin key ";
    BOOST_TEST(
        read_line({"key", "add", "a", "--expires-days", "1", "--expires-days=2"}) ==
        "--expires-days" + twice + "add --help");
    BOOST_TEST(read_line({"key", "list", "--json", "--json"}) == "--json" + twice + "list --help");
    BOOST_TEST(read_line({"key", "add", "a", "--service", "x", "--service=y"}) == "");
}

BOOST_AUTO_TEST_CASE(
    words_after_two_dashes_are_operands_and_one_dash_alone_is_the_standard_input, *label("XF4")) {
    BOOST_TEST(read_line({"key", "add", "--", "--odd"}) == "");
    BOOST_TEST(read_line({"key", "add", "-"}) == "");
    BOOST_TEST(read_line({"key", "add", "-x"}).starts_with("there is no option -x"));
}

BOOST_AUTO_TEST_CASE(an_id_that_begins_with_a_dash_is_no_option, *label("XF4")) {
    for (const char* id : {"-Ha6sYvWy8vRr1WLR2YjYA", "--a6sYvWy8vRr1WLR2YjYA"}) {
        BOOST_TEST(read_line({"session", "show", id}) == "");
        BOOST_TEST(read_line({"session", "revoke", id, "--yes"}) == "");
    }
    BOOST_TEST(read_line({"session", "show", "-Ha6"}).starts_with("there is no option -Ha6"));
    BOOST_TEST(read_line({"session", "show", "--expires-in-many-days"})
                   .starts_with("there is no option --expires-in-many-days"));
}

BOOST_AUTO_TEST_CASE(a_command_that_is_unknown_is_answered_with_the_near_ones, *label("XF4")) {
    const auto said = [](const std::string& command, const std::string& meant, const char* where) {
        return "there is no command '" + command + "'" +
               (meant.empty() ? "" : "; did you mean " + meant + "?") + "; see consentgate-admin " +
               where + "--help";
    };
    BOOST_TEST(read_line({"kye", "list"}) == said("kye list", "key list", ""));
    BOOST_TEST(read_line({"keys"}) == said("keys", "key", ""));
    BOOST_TEST(read_line({"key", "lst"}) == said("key lst", "key list", "key "));
    BOOST_TEST(
        read_line({"service", "delete", "x"}) ==
        said("service delete", "service remove or service disable", "service "));
    BOOST_TEST(read_line({"add", "key", "Anna"}) == said("add key", "key add", ""));
    BOOST_TEST(read_line({"database", "migrate"}) == said("database migrate", "migrate", ""));
    BOOST_TEST(read_line({"people", "ls"}) == said("people ls", "user list", ""));
    BOOST_TEST(read_line({"xyzzy"}) == said("xyzzy", "", ""));
    BOOST_TEST(read_line({"key"}) == "no command"); // its overview follows
    BOOST_TEST(read_line({}) == "no command");
}

BOOST_AUTO_TEST_CASE(
    an_old_command_still_runs_for_one_version_and_names_the_new_one, *label("O2")) {
    for (const auto& old : old_names(NameKind::command)) {
        BOOST_TEST_CONTEXT(old.before)
        BOOST_TEST(
            read_line({std::string(old.before), "list"}) ==
            renamed_text(old) + "; the old word goes with the next version");
    }
    BOOST_TEST(read_line({"server-key", "list"}) == "");
}

BOOST_AUTO_TEST_CASE(an_old_option_fails_and_names_the_new_one, *label("O2")) {
    const auto commands = admin::all_commands();
    for (const auto& old : old_names(NameKind::option)) {
        BOOST_TEST_CONTEXT(old.where << " --" << old.before) {
            std::vector<std::string> line;
            std::istringstream words{std::string(old.where)};
            for (std::string word; words >> word;) line.push_back(word);
            line.push_back("--" + std::string(old.before));
            BOOST_TEST(
                read_line(line) ==
                "--" + std::string(old.before) + " is now called --" + std::string(old.now));
            const auto command =
                std::find_if(commands.begin(), commands.end(), [&](const admin::Command& known) {
                    return known.name == old.where;
                });
            BOOST_REQUIRE((command != commands.end()));
            const auto options = admin::options_of(*command);
            BOOST_TEST(std::any_of(options.begin(), options.end(), [&](const auto& option) {
                return option.name == old.now;
            }));
        }
    }
}

BOOST_AUTO_TEST_CASE(an_old_key_fails_with_all_other_problems_and_names_the_new_one, *label("O2")) {
    Environment environment;
    for (const auto& key : known_keys())
        environment.unset("CONSENTGATE_" + Poco::toUpper(key.name));
    for (const auto& old : old_names(NameKind::config_key)) {
        BOOST_TEST_CONTEXT(old.before) {
            const auto problems =
                problems_of("issuer = ftp://x\n" + std::string(old.before) + " = 1\n");
            BOOST_TEST(
                problems.find(std::string(old.before) + " is now called " + std::string(old.now)) !=
                std::string::npos);
            BOOST_TEST(problems.find("issuer ") != std::string::npos);
            BOOST_TEST(problems.find("is not a key") == std::string::npos);

            const auto variable = "CONSENTGATE_" + Poco::toUpper(std::string(old.before));
            environment.set(variable, "1");
            BOOST_TEST(
                problems_of("issuer = https://auth.example.org\n") ==
                variable + " is now called CONSENTGATE_" + Poco::toUpper(std::string(old.now)));
            environment.unset(variable);
        }
    }
}

BOOST_AUTO_TEST_CASE(no_old_name_is_left_in_the_list_and_every_new_one_is_there, *label("O2")) {
    const auto listed = lines_of(read("tests/app/names.txt"));
    const auto check = [&](NameKind kind, const std::string& word, bool second_word) {
        for (const auto& old : old_names(kind)) {
            BOOST_TEST_CONTEXT(word << " " << old.where << " " << old.before) {
                const std::string before(old.before), now(old.now);
                if (second_word) {
                    BOOST_TEST(!is_listed(listed, word, before));
                    BOOST_TEST(is_listed(listed, word, now));
                } else {
                    BOOST_TEST(!is_word_of(listed, word, old.where, before));
                    BOOST_TEST(is_word_of(listed, word, old.where, now));
                }
            }
        }
    };
    check(NameKind::command, "command", true);
    check(NameKind::config_key, "key", true);
    check(NameKind::json_member, "json", false);
    check(NameKind::log_event, "event", true);
    check(NameKind::audit, "audit", true);
    check(NameKind::label, "metric", false);
    for (const auto& old : old_names(NameKind::log_field)) {
        BOOST_TEST_CONTEXT(old.where << " " << old.before) {
            const bool of_event = is_word_of(listed, "event", old.where, old.now);
            const bool of_audit = is_word_of(listed, "audit", old.where, old.now);
            BOOST_TEST((of_event || of_audit));
            BOOST_TEST(!is_word_of(listed, "event", old.where, old.before));
            BOOST_TEST(!is_word_of(listed, "audit", old.where, old.before));
        }
    }
}

BOOST_AUTO_TEST_CASE(the_version_is_that_of_the_package, *label("O2")) {
    const std::string version(app::version());
    BOOST_TEST(std::regex_match(version, std::regex(R"(\d+(\.\d+)+\S*)")));
}

BOOST_AUTO_TEST_SUITE_END()
