#include "admin_access.h"
#include "admin_names.h"
#include "near_words.h"

#include "consentgate/core/access/proof.h"
#include "consentgate/core/base/text.h"
#include "consentgate/usecase/access_rules.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>

namespace consentgate::app::admin {

std::runtime_error failed(const core::Error& error) { return std::runtime_error(error.message); }

core::Who read_who(Context& context, const std::string& word) {
    const auto parsed = core::Who::parse(word);
    if (!parsed) throw UsageError(parsed.error().message);
    const auto who = usecase::complete_who(context.deps(), *parsed);
    if (!who) throw failed(who.error());
    return *who;
}

namespace {

// A rule may name what nobody knows. out: empty when all is known
std::string unknown_in(const core::Rule& rule, const usecase::KnownNames& names) {
    std::string unknown;
    const auto look = [&](const char* what, const std::string& name,
                          const std::vector<std::string>& known) {
        if (name.empty() || std::find(known.begin(), known.end(), name) != known.end()) return;
        unknown += (unknown.empty() ? "" : "; ") + std::string("there is no ") + what + " '" +
                   name + "'" + did_you_mean(name, known);
    };
    const auto& who = rule.who;
    if (who.has_realm()) look("identity provider", who.realm, names.realms);
    if (who.kind == core::WhoKind::team) look("team", who.name, names.teams);
    if (who.kind == core::WhoKind::key) look("key", who.name, names.keys);
    look("resource", rule.target.resource, names.resources);
    look("scope", rule.target.scope, names.scopes);
    look("service", rule.target.service, names.services);
    if (rule.asks_for_proof())
        for (const auto& idp : names.unaskable)
            unknown += (unknown.empty() ? "" : "; ") + std::string("people of '") + idp +
                       "' can never give such a proof, because that provider cannot be asked for "
                       "one";
    return unknown;
}

// A sign-in has one acr, so two lists without a common value would let nobody in.
std::string contradiction_of(Context& context, const core::Rule& rule) {
    if (rule.effect != core::Effect::acr) return {};
    auto rules = usecase::read_access(context.deps()).rules;
    rules.push_back(rule);
    std::vector<std::string> scopes{""};
    for (const auto& one : rules) scopes.push_back(one.target.scope);
    const core::AccessRules all(rules, {});
    const auto& policy = context.config().policy;
    for (const auto& scope : scopes) {
        const auto demanded = core::demanded_proof(
            all, rule.target.resource, core::ScopeSet::parse(scope).value_or(core::ScopeSet()),
            policy);
        if (demanded.is_impossible())
            return "no sign-in has two values of acr: with the rules that are there nobody could "
                   "let an app use that resource" +
                   (scope.empty() ? "" : " with scope " + scope);
    }
    return {};
}

// fail: throws UsageError
core::Target read_target(Context& context, const Arguments& arguments) {
    const auto resource = arguments.one("resource").value_or("");
    const auto service = arguments.one("service").value_or("");
    auto target = core::make_target(
        of_option([&] { return resource_url(context, resource); }),
        arguments.one("scope").value_or(""),
        of_option([&] { return service_id(context, service); }));
    if (!target) throw UsageError(target.error().message);
    return std::move(*target);
}

core::Rule read_rule(Context& context, const Arguments& arguments, core::Effect effect) {
    auto rule = usecase::complete_rule(
        context.deps(), {.effect = effect,
                         .who = read_who(context, arguments.words.front()),
                         .target = read_target(context, arguments)});
    if (!rule) throw failed(rule.error());
    return *rule;
}

core::Rule read_proof_rule(Context& context, const Arguments& arguments, core::Effect effect) {
    const core::Rule said{
        .effect = effect,
        .proof = arguments.words.front(),
        .target = read_target(context, arguments)};
    const auto valid = core::check_proof(effect, said.proof).and_then([&] {
        return core::check_proof_target(said);
    });
    if (!valid) throw UsageError(valid.error().message);
    auto rule = usecase::complete_rule(context.deps(), said);
    if (!rule) throw failed(rule.error());
    return *rule;
}

std::string shown_target(const core::Target& target) {
    const auto words = core::target_words(target);
    return words.empty() ? "signing in" : words.substr(1);
}

// Whether somebody who is known here, or who needs not be known, may come to the target.
bool somebody_may(Context& context, const core::Target& target) {
    const auto records = usecase::read_access(context.deps());
    const core::AccessRules rules(records.rules, records.members, records.open);
    const usecase::Somebody unknown[] = {
        {{core::IdentityKind::skipped, {}}}, {{core::IdentityKind::verified_user, "-"}}};
    bool may = false;
    const auto look = [&](const usecase::Somebody& one) {
        const auto& person = one.person;
        may = may || rules.decide(target, {one.identity, person ? &*person : nullptr}).yes;
    };
    for (const auto& one : unknown) look(one);
    usecase::for_each_known(context.deps(), context.now, look);
    return may;
}

// An operator who meant "also" must not lock everybody else out without a word.
void say_what_changes(Context& context, const core::Rule& rule) {
    const auto rules = usecase::read_access(context.deps()).rules;
    const auto about_it = std::count_if(rules.begin(), rules.end(), [&](const auto& one) {
        return one.effect == core::Effect::allow && one.target == rule.target;
    });
    const auto target = shown_target(rule.target);
    if (rule.effect == core::Effect::allow && about_it == 1 &&
        rule.who.kind != core::WhoKind::everyone)
        std::cerr << "This is the first rule that allows it: from now on nobody else may ("
                  << target << ").\n";
    if (rule.asks_for_proof())
        std::cerr << "People sign in again for it where their sign-in does not fit. A key or a "
                     "typed name gives no such proof, and gets no session there any more.\n";
    if (!somebody_may(context, rule.target))
        std::cerr << "Nobody who is known here may now (" << target
                  << "); people who have not signed in yet are not counted.\n";
}

int add(Context& context, const Arguments& arguments, const core::Rule& rule) {
    auto unknown = unknown_in(rule, usecase::known_names(context.deps()));
    if (rule.who.kind == core::WhoKind::group && rule.who.realm == core::remote_realm &&
        !context.config().remote_groups)
        unknown = "the web server names no groups; the key remote_groups of the configuration says "
                  "where it does";
    if (unknown.empty()) unknown = contradiction_of(context, rule);
    if (!unknown.empty() && !arguments.has("force"))
        throw std::runtime_error(unknown + "; --force keeps the rule all the same");
    const auto added = usecase::add_rule(context.deps(), rule, context.now);
    if (!added) throw failed(added.error());
    print_row(arguments, {number(static_cast<std::size_t>(added->number)), added->text()});
    say_what_changes(context, *added);
    return 0;
}

int allow(Context& context, const Arguments& arguments) {
    return add(context, arguments, read_rule(context, arguments, core::Effect::allow));
}

int deny(Context& context, const Arguments& arguments) {
    return add(context, arguments, read_rule(context, arguments, core::Effect::deny));
}

int fresh(Context& context, const Arguments& arguments) {
    return add(context, arguments, read_proof_rule(context, arguments, core::Effect::fresh));
}

int acr(Context& context, const Arguments& arguments) {
    return add(context, arguments, read_proof_rule(context, arguments, core::Effect::acr));
}

int set_default(Context& context, const Arguments& arguments) {
    const auto& word = arguments.words.front();
    if (word != "everyone" && word != "nobody")
        throw UsageError("access default takes everyone or nobody");
    const auto changed = usecase::set_access_default(context.deps(), word == "everyone");
    if (!changed) throw failed(changed.error());
    std::cerr << (*changed ? "Signing in and resources without a rule are now for "
                           : "It was so before: signing in and resources without a rule are for ")
              << word << ".\n";
    return 0;
}

// How many people and keys a rule names now, and when a provider last named its group.
struct Reach {
    std::size_t matches = 0;
    std::optional<core::Instant> last_named{};
};

std::vector<Reach> reach_of(Context& context, const store::AccessRecords& records) {
    const core::AccessRules rules(records.rules, records.members, records.open);
    std::vector<Reach> all(records.rules.size());
    usecase::for_each_known(context.deps(), context.now, [&](const usecase::Somebody& one) {
        const auto& person = one.person;
        for (std::size_t at = 0; at < all.size(); ++at) {
            if (records.rules[at].asks_for_proof()) continue; // it names nobody
            const auto match =
                rules.matches(records.rules[at].who, {one.identity, person ? &*person : nullptr});
            if (match != core::Match::yes) continue;
            ++all[at].matches;
            if (person)
                all[at].last_named =
                    std::max(all[at].last_named, std::optional(person->snapshot_at));
        }
    });
    return all;
}

int list(Context& context, const Arguments& arguments) {
    const auto records = usecase::read_access(context.deps());
    const auto reach = reach_of(context, records);
    const auto cell = [](const std::string& text) {
        return text.empty() ? Cell("-", nullptr) : Cell(text);
    };
    std::vector<Row> rows;
    for (std::size_t at = 0; at < records.rules.size(); ++at) {
        const auto& rule = records.rules[at];
        const bool of_group = !rule.asks_for_proof() && rule.who.kind == core::WhoKind::group;
        rows.push_back(
            {number(static_cast<std::size_t>(rule.number)), std::string(core::name_of(rule.effect)),
             rule.asks_for_proof() ? rule.proof : rule.who.text(), cell(rule.target.resource),
             cell(rule.target.scope), cell(rule.target.service), number(reach[at].matches),
             of_group ? when(reach[at].last_named) : Cell("-", nullptr), when(rule.created_at)});
    }
    print_rows(arguments, rows);
    std::cerr << "Signing in and resources without a rule are for "
              << (records.open ? "everyone.\n" : "nobody.\n");
    return 0;
}

int remove(Context& context, const Arguments& arguments) {
    const auto wanted = core::parse_number(arguments.words.front());
    if (!wanted) throw UsageError("access remove takes the number of a rule");
    const auto removed = usecase::remove_rule(context.deps(), *wanted);
    require_found(removed, "access list");
    std::cerr << "Removed: " << removed->text() << "\n";
    if (!somebody_may(context, removed->target))
        std::cerr << "Nobody who is known here may now (" << shown_target(removed->target)
                  << ").\n";
    return 0;
}

int export_rules(Context& context, const Arguments&) {
    const auto records = usecase::read_access(context.deps());
    std::cout << core::rule_file(records.rules, records.open);
    return 0;
}

std::string read_text(const std::string& name) {
    if (name == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
    std::ifstream in(name, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + name);
    return {std::istreambuf_iterator<char>(in), {}};
}

core::RuleFile read_file(Context& context, const Arguments& arguments) {
    auto file = core::parse_rule_file(read_text(arguments.words.front()));
    if (!file) throw failed(file.error());
    const auto names = usecase::known_names(context.deps());
    for (auto& rule : file->rules) {
        auto whole = usecase::complete_rule(context.deps(), rule);
        if (!whole) throw std::runtime_error(rule.text() + ": " + whole.error().message);
        rule = std::move(*whole);
        const auto unknown = unknown_in(rule, names);
        if (!unknown.empty() && !arguments.has("force"))
            throw std::runtime_error(
                rule.text() + ": " + unknown + "; --force keeps such rules all the same");
    }
    return *file;
}

int apply(Context& context, const Arguments& arguments) {
    const auto file = read_file(context, arguments);
    const bool dry_run = arguments.has("dry-run");
    const auto changes = usecase::apply_rules(context.deps(), file, dry_run, context.now);
    if (!changes) throw failed(changes.error());
    std::vector<std::string> added, removed;
    for (const auto& rule : changes->added) added.push_back(rule.text());
    for (const auto& rule : changes->removed) removed.push_back(rule.text());
    if (arguments.has("json")) {
        print_row(
            arguments, {Cell("", core::json_array(added)), Cell("", core::json_array(removed)),
                        number(changes->kept), yes_no(!dry_run)});
        return 0;
    }
    for (const auto& rule : removed) std::cout << "- " << rule << "\n";
    for (const auto& rule : added) std::cout << "+ " << rule << "\n";
    if (changes->open)
        std::cout << "+ default " << (*changes->open ? "everyone" : "nobody") << "\n";
    std::cerr << added.size() << " added, " << removed.size() << " removed, " << changes->kept
              << " kept" << (dry_run ? "; nothing was changed (--dry-run)" : "") << ".\n";
    return 0;
}

std::vector<Option> proof_options() {
    return {
        {"resource", "URL", "about this guarded resource"},
        {"scope", "NAME", "for a session there with this scope alone"},
        {"force", "", "keep a rule that names something unknown, or that some can never meet"}};
}

std::vector<Option> rule_options() {
    return {
        {"resource", "URL", "about this guarded resource; without an option: about signing in"},
        {"scope", "NAME", "about this scope, everywhere or at --resource"},
        {"service", "ID", "about this service's accounts"},
        {"force", "", "keep a rule that names something unknown"}};
}

std::vector<Command> proof_commands() {
    return {
        {.name = "access fresh",
         .operand = "MINUTES",
         .summary = "want a sign-in at most so old when people let an app use a resource",
         .example = "consentgate-admin access fresh 30 --resource https://tools.example.org/mcp",
         .options = proof_options(),
         .json = {"number", "rule"},
         .run = fresh},
        {.name = "access acr",
         .operand = "VALUE",
         .summary = "want a sign-in with this acr, as the provider says it, when people let an app "
                    "use a resource",
         .example = "consentgate-admin access acr urn:example:mfa "
                    "--resource https://tools.example.org/mcp",
         .options = proof_options(),
         .json = {"number", "rule"},
         .run = acr},
    };
}

} // namespace

std::vector<Command> access_commands() {
    std::vector<Command> commands{
        {.name = "access allow",
         .operand = "WHO",
         .summary = "let somebody use something, and nobody else whom no rule allows it",
         .example = "consentgate-admin access allow corp/group:eng "
                    "--resource https://tools.example.org/mcp",
         .options = rule_options(),
         .json = {"number", "rule"},
         .run = allow},
        {.name = "access deny",
         .operand = "WHO",
         .summary = "refuse somebody something, whatever else allows it",
         .example = "consentgate-admin access deny unverified",
         .options = rule_options(),
         .json = {"number", "rule"},
         .run = deny},
        {.name = "access default",
         .operand = "everyone|nobody",
         .summary = "say who may sign in, and use a resource, that no rule is about",
         .example = "consentgate-admin access default nobody",
         .run = set_default},
        {.name = "access list",
         .summary = "list the rules, how many people and keys each names now, and when its group "
                    "was last named by an identity provider",
         .example = "consentgate-admin access list --json",
         .json =
             {"number", "effect", "who", "resource", "scope", "service", "matches", "group_named",
              "created"},
         .audited = false,
         .run = list},
        {.name = "access remove",
         .operand = "NUMBER",
         .summary = "remove a rule",
         .example = "consentgate-admin access remove 3",
         .run = remove},
        {.name = "access export",
         .summary = "print the rules as a file for access apply",
         .example = "consentgate-admin access export > rules.txt",
         .audited = false,
         .run = export_rules},
        {.name = "access apply",
         .operand = "FILE",
         .summary = "make the rules those of a file, all of them or none; - is stdin",
         .example = "consentgate-admin access apply rules.txt --dry-run",
         .options =
             {{"dry-run", "", "say what would change, and change nothing"},
              {"force", "", "keep rules that name something unknown"}},
         .json = {"added", "removed", "kept", "applied"},
         .run = apply},
        access_test_command(),
    };
    const auto more = proof_commands();
    commands.insert(commands.begin() + 2, more.begin(), more.end());
    return commands;
}

} // namespace consentgate::app::admin
