#include "consentgate/usecase/access_rules.h"

#include "consentgate/core/oauth/admission.h"
#include "consentgate/core/signin/remote_groups.h"
#include "consentgate/usecase/people.h"
#include "consentgate/usecase/rights.h"

#include <algorithm>

namespace consentgate::usecase {
namespace {

using core::IdentityKind;

Somebody holder_of(core::VirtualKey key) {
    return {{IdentityKind::virtual_key, key.id.text}, std::nullopt, std::move(key)};
}

// Why somebody is stopped before any rule is asked.
std::string standing_of(
    const Somebody& somebody, const Rights& rights, const core::Policy& policy, core::Instant now) {
    if (const auto admitted = core::check_admitted(somebody.identity, policy); !admitted)
        return admitted.error().reason;
    if (somebody.key && !somebody.key->usable(now)) return "the key is disabled or has expired";
    if (const auto stands = core::check_person(somebody.identity, rights.standing); !stands)
        return stands.error().reason;
    return {};
}

} // namespace

void for_each_known(
    Dependencies& deps, core::Instant now, const std::function<void(const Somebody&)>& meet) {
    deps.store.access.for_each_person([&](const core::Person& person) {
        meet({core::identity_of(person), person, std::nullopt});
    });
    for (auto& key : deps.store.virtual_keys.list())
        if (key.usable(now)) meet(holder_of(std::move(key)));
}

core::Result<std::vector<Somebody>> find_somebody(Dependencies& deps, const std::string& word) {
    if (word == "unverified") return std::vector{Somebody{{IdentityKind::skipped, {}}}};
    if (word.starts_with("remote/user:")) {
        Somebody one{{IdentityKind::verified_user, word.substr(12)}};
        one.person = deps.store.people.find(*core::snapshot_of(one.identity));
        return std::vector{std::move(one)};
    }
    std::vector<Somebody> found;
    if (word.starts_with("key:")) {
        if (auto key = deps.store.virtual_keys.find(core::VirtualKeyId(word.substr(4))))
            found.push_back(holder_of(std::move(*key)));
        return found;
    }
    auto people = find_people(deps, word);
    if (!people)
        return core::make_error(
            people.error().code,
            core::PublicMessage{"WHO is key:ID, unverified, remote/user:NAME, an e-mail "
                                "address, IDP/SUB, or user: and 8 or more digits of a "
                                "person's id"});
    for (auto& person : *people)
        found.push_back({core::identity_of(person), std::move(person), std::nullopt});
    return found;
}

AccessAnswer ask_access(
    Dependencies& deps, const Somebody& somebody, const core::Question& question,
    core::Instant now) {
    const auto rights = rights_now(deps, somebody.identity);
    AccessAnswer answer{.why = standing_of(somebody, rights, deps.policy, now)};
    answer.rules = rights.rules;
    answer.steps = core::explain(*rights.rules, rights.subject(), question, deps.policy);
    answer.yes =
        answer.why.empty() && rights.check_resource(question.resource) &&
        rights.check_needed_scope(question.resource, question.scopes, deps.policy) &&
        (question.service.empty() || rights.may_use_service(core::ServiceId(question.service)));
    return answer;
}

} // namespace consentgate::usecase
