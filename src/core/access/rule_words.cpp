#include "consentgate/core/access/rule_words.h"

#include "consentgate/core/access/proof.h"
#include "consentgate/core/base/text.h"

#include <algorithm>
#include <utility>

namespace consentgate::core {
namespace {

Error unreadable(std::string message) {
    return make_error(ErrorCode::invalid_request, PublicMessage{std::move(message)});
}

std::string quoted(const std::string& word) {
    if (!word.empty() && word.find_first_of(" \t\"\\#") == word.npos) return word;
    std::string out = "\"";
    for (const char c : word) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

// out: absent: a quotation mark is missing
std::optional<std::vector<std::string>> words_of(std::string_view line) {
    std::vector<std::string> words;
    std::string word;
    bool within = false, begun = false;
    for (std::size_t at = 0; at < line.size(); ++at) {
        const char c = line[at];
        if (within && c == '\\' && at + 1 < line.size()) {
            word += line[++at];
        } else if (c == '"') {
            within = !within;
            begun = true;
        } else if (!within && (c == ' ' || c == '\t')) {
            if (begun) words.push_back(std::exchange(word, {}));
            begun = false;
        } else {
            word += c;
            begun = true;
        }
    }
    if (begun) words.push_back(std::move(word));
    if (within) return std::nullopt;
    return words;
}

std::string* part_of(Target& target, std::string_view option) {
    if (option == "--resource") return &target.resource;
    if (option == "--scope") return &target.scope;
    return option == "--service" ? &target.service : nullptr;
}

// Whom the rule names, or the proof that it asks for.
Checked read_subject(const std::vector<std::string>& words, Rule& rule) {
    if (words.size() < 2)
        return unreadable(
            words.front() + (rule.effect == Effect::fresh ? " needs minutes"
                             : rule.effect == Effect::acr ? " needs a value"
                                                          : " needs a WHO"));
    if (rule.asks_for_proof()) {
        rule.proof = words[1];
        return check_proof(rule.effect, rule.proof);
    }
    auto who = Who::parse(words[1]);
    if (!who) return who.error();
    rule.who = std::move(*who);
    return Nothing{};
}

Result<Rule> parse_rule(const std::vector<std::string>& words) {
    Rule rule;
    const auto effect = effect_of(words.front());
    if (!effect) return unreadable("a line begins with allow, deny, fresh, acr or default");
    rule.effect = *effect;
    if (auto read = read_subject(words, rule); !read) return std::move(read).error();
    Target parts;
    for (std::size_t at = 2; at < words.size(); at += 2) {
        auto* part = part_of(parts, words[at]);
        if (part == nullptr)
            return unreadable(
                "then come --resource, --scope and --service, not '" + words[at] + "'");
        if (at + 1 == words.size()) return unreadable(words[at] + " needs a value");
        if (!part->empty()) return unreadable(words[at] + " stands twice");
        *part = words[at + 1];
    }
    auto target = make_target(parts.resource, parts.scope, parts.service);
    if (!target) return target.error();
    rule.target = std::move(*target);
    if (auto about = check_proof_target(rule); !about) return std::move(about).error();
    return rule;
}

Checked read_default(const std::vector<std::string>& words, RuleFile& file) {
    if (words.size() != 2 || (words[1] != "everyone" && words[1] != "nobody"))
        return unreadable("default is followed by everyone or nobody");
    if (file.open) return unreadable("default stands twice");
    file.open = words[1] == "everyone";
    return Nothing{};
}

} // namespace

Result<Target> make_target(std::string resource, std::string scope, std::string service) {
    if (!service.empty() && !(resource.empty() && scope.empty()))
        return unreadable(
            "a rule about a service stands for itself, without --resource and --scope");
    return Target{std::move(resource), std::move(scope), std::move(service)};
}

Checked check_proof_target(const Rule& rule) {
    if (!rule.asks_for_proof() || (!rule.target.resource.empty() && rule.target.service.empty()))
        return Nothing{};
    return unreadable(
        std::string(name_of(rule.effect)) + " is about a resource: it needs --resource");
}

std::string target_words(const Target& target) {
    std::string words;
    const auto add = [&](const char* option, const std::string& value) {
        if (!value.empty()) words += std::string(" ") + option + " " + quoted(value);
    };
    add("--resource", target.resource);
    add("--scope", target.scope);
    add("--service", target.service);
    return words;
}

std::string Rule::text() const {
    return std::string(name_of(effect)) + " " + quoted(asks_for_proof() ? proof : who.text()) +
           target_words(target);
}

Result<RuleFile> parse_rule_file(std::string_view text) {
    RuleFile file;
    std::size_t number = 0;
    for (text = without_byte_order_mark(text); !text.empty();) {
        ++number;
        const auto end = std::min(text.find('\n'), text.size());
        const auto trimmed = trim(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (trimmed.empty() || trimmed.starts_with('#')) continue;
        const auto at_line = [&](Error error) {
            error.message = "line " + std::to_string(number) + ": " + error.message;
            return error;
        };
        if (!valid_utf8(trimmed)) return at_line(unreadable("it is not UTF-8"));
        const auto words = words_of(trimmed);
        if (!words) return at_line(unreadable("a quotation mark is missing"));
        if (words->front() == "default") {
            if (auto read = read_default(*words, file); !read) return at_line(read.error());
            continue;
        }
        auto rule = parse_rule(*words);
        if (!rule) return at_line(std::move(rule).error());
        file.rules.push_back(std::move(*rule));
    }
    return file;
}

std::string rule_file(const std::vector<Rule>& rules, bool open) {
    std::string text = open ? "default everyone\n" : "default nobody\n";
    for (const auto& rule : rules) text += rule.text() + "\n";
    return text;
}

} // namespace consentgate::core
