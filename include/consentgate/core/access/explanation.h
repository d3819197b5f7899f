// Why rules let somebody do something or not, in steps that an operator reads.
// spec: docs/requirements_signin.md SI69
#pragma once

#include "consentgate/core/access/rules.h"
#include "consentgate/core/oauth/policy.h"

#include <string>
#include <vector>

namespace consentgate::core {

struct Question {
    std::string resource;  // the published spelling
    ScopeSet scopes{};     // that are asked for, with all that they imply
    std::string service{}; // empty: none is asked for
};

// One decision on the way.
struct Step {
    std::string
        about; // "sign in", "resource", "scope delete", "scope delete there", "service notion"
    Verdict verdict;
    std::string why;               // the rule that decided, or that there is none
    std::vector<std::string> help; // what would change a no, one sentence each
};

// Every step is yes exactly when check_resource, may_have_scope for each scope, and check_service
// allow it.
// out: refers to the rules
std::vector<Step> explain(
    const AccessRules& rules, const Subject& subject, const Question& question,
    const Policy& policy);

} // namespace consentgate::core
