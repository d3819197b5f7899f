#include "admin_access.h"
#include "admin_names.h"
#include "near_words.h"

#include "consentgate/core/base/text.h"
#include "consentgate/usecase/access_rules.h"

#include <iostream>

namespace consentgate::app::admin {
namespace {

std::string shown(const usecase::Somebody& somebody) {
    if (somebody.key) return somebody.key->name + " (key:" + somebody.key->id.text + ")";
    if (!somebody.person)
        return somebody.identity.is_verified() ? "remote/user:" + somebody.identity.value
                                               : "somebody who does not say who they are";
    const auto& person = *somebody.person;
    constexpr std::size_t digits = 8;
    const auto last = when(person.last_signin).shown;
    return (person.email.empty() ? person.name : person.email) + " (" + person.idp.text +
           ", user:" + person.id.text.substr(0, digits) + "), last signed in " + last +
           ", groups: " +
           (!person.groups_known    ? "unknown"
            : person.groups.empty() ? "none"
                                    : core::join(person.groups, " "));
}

usecase::Somebody find_one(Context& context, const std::string& word) {
    auto found = usecase::find_somebody(context.deps(), word);
    if (!found) throw UsageError(found.error().message);
    if (found->empty())
        throw std::runtime_error(
            "nobody here is '" + word + "'; people are known from their first sign-in on");
    if (found->size() == 1) return std::move(found->front());
    std::string all;
    for (const auto& one : *found) all += "\n  " + shown(one);
    throw std::runtime_error("'" + word + "' means several people:" + all);
}

core::Question read_question(Context& context, const Arguments& arguments) {
    const auto names = usecase::known_names(context.deps());
    core::Question question{.resource = resource_url(context, arguments.words[1])};
    require_known("resource", question.resource, names.resources, "resource list");
    std::string scopes;
    for (const auto& scope : arguments.all("scope")) {
        require_known("scope", scope, names.scopes, "");
        scopes += (scopes.empty() ? "" : " ") + scope;
    }
    question.scopes = core::ScopeSet::parse(scopes).value_or(core::ScopeSet());
    if (const auto service = arguments.one("service")) {
        question.service = of_option([&] { return named_service(context, *service); }).id.text;
    }
    return question;
}

core::JsonArray json_steps(const usecase::AccessAnswer& answer) {
    core::JsonArray steps;
    for (const auto& step : answer.steps) {
        core::JsonObject object;
        object.set("about", step.about).set("yes", step.verdict.yes).set("why", step.why);
        object.set("help", core::json_array(step.help));
        steps.emplace_back(std::move(object));
    }
    return steps;
}

void print_steps(const usecase::AccessAnswer& answer) {
    if (!answer.why.empty()) std::cout << "stopped before any rule: " << answer.why << "\n";
    std::size_t width = 0;
    for (const auto& step : answer.steps) width = std::max(width, step.about.size());
    for (const auto& step : answer.steps)
        std::cout << step.about << std::string(width + 2 - step.about.size(), ' ')
                  << (step.verdict.yes ? "yes  " : "no   ") << step.why << "\n";
    for (const auto& step : answer.steps)
        for (const auto& help : step.help) std::cout << help << "\n";
}

int test(Context& context, const Arguments& arguments) {
    const auto somebody = find_one(context, arguments.words[0]);
    const auto question = read_question(context, arguments);
    const auto answer = usecase::ask_access(context.deps(), somebody, question, context.now);
    if (arguments.has("json")) {
        print_row(
            arguments, {shown(somebody), question.resource, yes_no(answer.yes),
                        answer.why.empty() ? Cell("", nullptr) : Cell(answer.why),
                        Cell("", json_steps(answer))});
    } else {
        std::cout << shown(somebody) << "\n";
        print_steps(answer);
        std::cout << (answer.yes ? "yes\n" : "no\n");
    }
    return answer.yes ? 0 : 1;
}

} // namespace

Command access_test_command() {
    return {
        .name = "access test",
        .operand = "WHO RESOURCE",
        .summary = "say whether somebody may use a resource, which rule decides, and what would "
                   "help; exit status 1: they may not",
        .example = "consentgate-admin access test anna@example.org https://tools.example.org/mcp",
        .options =
            {{"scope", "NAME...", "with this scope, too"},
             {"service", "ID", "with this service's accounts, too"}},
        .json =
            {"who", "resource", "yes", "stopped", "steps", "steps.about", "steps.yes", "steps.why",
             "steps.help"},
        .audited = false,
        .run = test};
}

} // namespace consentgate::app::admin
