#include "consentgate/usecase/adoption.h"

#include "account_seal.h"

#include "consentgate/core/base/text.h"
#include "consentgate/usecase/people.h"
#include "consentgate/usecase/sessions.h"

#include <algorithm>
#include <map>

namespace consentgate::usecase {
namespace {

using core::ErrorCode;
using store::Applied;

constexpr int max_attempts = 5; // a worker refreshes the account meanwhile
constexpr std::size_t max_subject = 255;

bool has_account(Dependencies& deps, const core::Owner& owner, const core::ServiceId& service) {
    return deps.store.accounts.find(owner, service).has_value();
}

// fail: as adopt
core::Checked give(
    Dependencies& deps, const std::string& id, const core::Owner& owner, core::Instant now) {
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        auto account = deps.store.accounts.find_by_id(id);
        if (!account || account->ended_at || account->owner == owner) return core::Nothing{};
        const auto clear = open_tokens(deps, *account, now);
        if (!clear)
            return core::make_error(
                ErrorCode::server_error, core::PublicMessage{
                                             "the account at " + account->service.text +
                                             " does not open with the key file"});
        account->owner = owner;
        seal_tokens(deps, *account, *clear);
        if (deps.store.accounts.give(*account, now) == Applied::yes) return core::Nothing{};
    }
    return core::make_error(
        ErrorCode::store_unavailable,
        core::PublicMessage{"an account is being refreshed; try again in a minute"});
}

std::size_t end_sessions_of(Dependencies& deps, const core::Identity& identity, core::Instant now) {
    core::SessionFilter filter{.identity = identity.kind};
    if (const auto person = core::person_of(identity))
        filter.person = person;
    else
        filter.user = identity.value;
    return end_sessions(deps, filter, now, [](std::size_t) {});
}

std::string without_scheme(const std::string& issuer) {
    constexpr std::string_view scheme = "https://";
    return issuer.starts_with(scheme) ? issuer.substr(scheme.size()) : issuer;
}

} // namespace

// The old sessions end first: nobody uses the accounts by them while they move.
core::Result<Adopted> adopt(
    Dependencies& deps, const Adoption& adoption, bool dry_run, core::Instant now) {
    const auto from = adoption.from.owner(core::SessionId());
    const auto to = adoption.to.owner(core::SessionId());
    Adopted adopted;
    const auto accounts = deps.store.accounts.list(from);
    if (!dry_run) adopted.sessions = end_sessions_of(deps, adoption.from, now);
    for (const auto& account : accounts) {
        const bool taken = has_account(deps, to, account.service);
        (taken ? adopted.kept : adopted.moved).push_back(account.service);
        if (taken || dry_run) continue;
        if (auto given = give(deps, account.id, to, now); !given) return given.error();
        deps.log.audit(
            "account_adopted", {{"by", "operator"},
                                {"service", account.service.text},
                                {"from", from.short_text()},
                                {"subject", to.short_text()}});
    }
    return adopted;
}

std::vector<Adoption> find_module_names(Dependencies& deps, const core::IdentityProvider& idp) {
    std::map<std::string, core::Identity> named;
    const auto tail = "@" + without_scheme(idp.issuer);
    for (const auto& name : deps.store.people.list_remote_names()) {
        if (!name.ends_with(tail)) continue;
        const auto subject = name.substr(0, name.size() - tail.size());
        if (!subject.empty() && subject.size() <= max_subject)
            named.emplace(name, core::person_identity(idp.issuer, subject));
    }
    for (const auto& person : list_people(deps, {.idp = idp.id}, 1'000'000))
        named.emplace(
            person.subject + "@" + without_scheme(person.issuer), core::identity_of(person));
    std::vector<Adoption> adoptions;
    for (auto& [name, identity] : named)
        adoptions.push_back({{core::IdentityKind::verified_user, name}, std::move(identity)});
    return adoptions;
}

std::vector<core::Person> list_people_of_issuer(Dependencies& deps, const std::string& issuer) {
    std::vector<core::Person> people;
    deps.store.access.for_each_person([&](const core::Person& person) {
        if (person.issuer == issuer) people.push_back(person);
    });
    return people;
}

core::Result<Adopted> move_to_issuer(
    Dependencies& deps, const core::Person& person, const core::IdentityProvider& idp, bool dry_run,
    core::Instant now) {
    auto moved = person;
    moved.issuer = idp.issuer;
    moved.id = core::person_id(moved.issuer, moved.subject);
    moved.idp = idp.id;
    moved.version = 1;
    if (!dry_run) {
        deps.store.people.put(moved);
        // Whoever is disabled must not come back under the new address.
        if (person.disabled_at) deps.store.people.disable(moved.id, now);
    }
    auto adopted = adopt(deps, {core::identity_of(person), core::identity_of(moved)}, dry_run, now);
    if (adopted && !dry_run && adopted->kept.empty()) remove_person(deps, person, now);
    return adopted;
}

} // namespace consentgate::usecase
