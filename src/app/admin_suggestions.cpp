#include "admin_suggestions.h"

#include "near_words.h"

#include "consentgate/core/base/text.h"

#include <algorithm>
#include <iterator>

namespace consentgate::app::admin {
namespace {

using Words = std::vector<std::string>;

constexpr std::size_t most_meant = 3;

// Words of other programs for what commands here are called.
struct Synonym {
    std::string_view theirs, ours;
};
constexpr Synonym synonyms_of_nouns[] = {
    {"person", "user"},     {"people", "user"},     {"provider", "idp"},    {"login", "idp"},
    {"vk", "key"},          {"virtual-key", "key"}, {"token", "session"},   {"upstream", "service"},
    {"server", "resource"}, {"mcp", "resource"},    {"app", "client"},      {"rule", "access"},
    {"policy", "access"},   {"group", "team"},      {"diagnose", "doctor"}, {"status", "doctor"},
    {"restore", "import"},  {"upgrade", "migrate"}, {"init", "migrate"},    {"dump", "export"},
    {"config", "check"},    {"stats", "metrics"},   {"clean", "sweep"}};
constexpr Synonym synonyms_of_verbs[] = {
    {"create", "add"},     {"new", "add"},        {"register", "add"},      {"make", "add"},
    {"delete", "remove"},  {"rm", "remove"},      {"del", "remove"},        {"destroy", "remove"},
    {"delete", "disable"}, {"revoke", "disable"}, {"block", "disable"},     {"suspend", "disable"},
    {"delete", "revoke"},  {"remove", "disable"}, {"remove", "revoke"},     {"end", "revoke"},
    {"revoke", "end"},     {"logout", "end"},     {"unblock", "enable"},    {"restore", "enable"},
    {"ls", "list"},        {"all", "list"},       {"get", "show"},          {"info", "show"},
    {"describe", "show"},  {"view", "show"},      {"cat", "show"},          {"status", "show"},
    {"edit", "set"},       {"update", "set"},     {"modify", "set"},        {"change", "set"},
    {"rename", "set"},     {"renew", "rotate"},   {"regenerate", "rotate"}, {"check", "test"},
    {"ping", "test"},      {"verify", "test"},    {"grant", "allow"},       {"permit", "allow"},
    {"forbid", "deny"},    {"refuse", "deny"}};

std::string first_word(const std::string& name) { return name.substr(0, name.find(' ')); }

bool contains(const Words& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

void add_once(Words& words, const std::string& word) {
    if (!contains(words, word)) words.push_back(word);
}

// The nouns, and the commands of one word.
Words first_words(const std::vector<Command>& commands) {
    Words words;
    for (const auto& command : commands) add_once(words, first_word(command.name));
    return words;
}

Words verbs_of(const std::vector<Command>& commands, const std::string& noun) {
    Words verbs;
    for (const auto& command : commands)
        if (command.name.starts_with(noun + " "))
            verbs.push_back(command.name.substr(noun.size() + 1));
    return verbs;
}

// The known words that somebody may have meant, the likeliest first.
template <std::size_t size>
Words meant(const std::string& said, const Words& known, const Synonym (&synonyms)[size]) {
    auto word = core::lower_ascii(said);
    Words words;
    for (const auto& one : {word, word.substr(0, word.size() - (word.ends_with('s') ? 1 : 0))}) {
        if (contains(known, one)) add_once(words, one);
        for (const auto& synonym : synonyms)
            if (synonym.theirs == one && contains(known, std::string(synonym.ours)))
                add_once(words, std::string(synonym.ours));
    }
    if (!words.empty()) return words;
    return near_words(word, known);
}

void add_meant(
    Words& found, const std::vector<Command>& commands, const std::string& noun,
    const std::string& verb) {
    for (const auto& one : meant(noun, first_words(commands), synonyms_of_nouns)) {
        const auto verbs = verbs_of(commands, one);
        if (verbs.empty()) add_once(found, one); // a command of one word
        if (verb.empty()) continue;
        for (const auto& other : meant(verb, verbs, synonyms_of_verbs))
            add_once(found, one + " " + other);
    }
}

Words commands_meant(
    const std::vector<Command>& commands, const std::string& first, const std::string& second) {
    Words found;
    add_meant(found, commands, first, second);
    if (found.empty() && !second.empty()) add_meant(found, commands, second, first); // "add key"
    if (found.empty()) found = meant(first, first_words(commands), synonyms_of_nouns);
    if (found.empty())
        for (const auto& command : commands) // a verb alone
            if (command.name.ends_with(" " + first)) found.push_back(command.name);
    if (found.size() > most_meant) found.resize(most_meant);
    return found;
}

} // namespace

bool is_noun(const std::vector<Command>& commands, const std::string& word) {
    return !word.empty() && !verbs_of(commands, word).empty();
}

std::string unknown_command(
    const std::vector<Command>& commands, const std::string& first, const std::string& second) {
    const auto said = first + (second.empty() ? "" : " " + second);
    if (first == "help" || first == "version")
        return "there is no command '" + first + "'; did you mean --" + first + "?";
    const auto near = commands_meant(commands, first, second);
    return "there is no command '" + said + "'" +
           (near.empty() ? "" : "; did you mean " + core::join(near, " or ") + "?") +
           "; see consentgate-admin " + (is_noun(commands, first) ? first + " " : "") + "--help";
}

} // namespace consentgate::app::admin
