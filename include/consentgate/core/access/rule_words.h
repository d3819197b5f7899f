// A rule in words, as the command line, an exported file and people read it.
// spec: docs/requirements_signin.md SI63, SI70
#pragma once

#include "consentgate/core/access/rules.h"

#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

// A target as options name it. fail: invalid_request: a service stands alone
Result<Target> make_target(std::string resource, std::string scope, std::string service);

// A rule about a proof needs a resource. fail: invalid_request
Checked check_proof_target(const Rule& rule);

// The options of a target, with a blank before each: " --resource https://…"; empty for signing in.
std::string target_words(const Target& target);

// A file of rules and an export hold this.
struct RuleFile {
    std::optional<bool> open{}; // `default everyone` or `default nobody`
    std::vector<Rule> rules{};  // in the order of the lines; without numbers
};

// One rule a line, in the words of the command; `#` begins a comment line. A word with blanks
// stands between quotation marks, in which a backslash stands before another one and before a mark.
// fail: invalid_request; the message names the line
Result<RuleFile> parse_rule_file(std::string_view text);

// The inverse.
std::string rule_file(const std::vector<Rule>& rules, bool open);

} // namespace consentgate::core
