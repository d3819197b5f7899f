#include "consentgate/usecase/rights.h"

#include "consentgate/core/signin/remote_groups.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace consentgate::usecase {

core::Checked Rights::check_sign_in() const {
    if (auto stands = core::check_person(identity, standing); !stands) return stands;
    return core::check_sign_in(*rules, subject());
}

core::Checked Rights::check_resource(const std::string& resource) const {
    if (auto stands = core::check_person(identity, standing); !stands) return stands;
    return core::check_resource(*rules, subject(), resource);
}

bool Rights::may_use_service(const core::ServiceId& service) const {
    return static_cast<bool>(check_service(service));
}

core::Checked Rights::check_service(const core::ServiceId& service) const {
    return core::check_service(*rules, subject(), service.text);
}

core::Checked Rights::check_needed_scope(
    const std::string& resource, const core::ScopeSet& needed, const core::Policy& policy) const {
    return core::check_needed_scope(*rules, subject(), resource, needed, policy);
}

core::ScopeSet Rights::permitted_scope(
    const std::string& resource, const core::ScopeSet& granted, const core::Policy& policy) const {
    return core::permitted_scope(*rules, subject(), resource, granted, policy);
}

Rights rights_of(Dependencies& deps, core::Identity identity, core::AccessStanding standing) {
    auto rules = deps.store.access.rules(standing.policy_version);
    Rights rights{
        .identity = std::move(identity),
        .standing = std::move(standing),
        .rules = std::move(rules),
        .person = nullptr};
    const auto& mark = rights.standing.person;
    if (mark) rights.person = deps.store.access.person(mark->id, mark->version);
    if (mark && !rights.person) rights.standing.person.reset(); // it was forgotten a moment ago
    return rights;
}

Rights rights_now(Dependencies& deps, core::Identity identity) {
    auto standing = deps.store.access.standing(core::snapshot_of(identity));
    return rights_of(deps, std::move(identity), std::move(standing));
}

Rights rights_in(Dependencies& deps, const core::FlowView& flow, core::Identity identity) {
    if (core::snapshot_of(identity)) return rights_now(deps, std::move(identity));
    return rights_of(deps, std::move(identity), {.policy_version = flow.policy_version});
}

void count_refusal(const Dependencies& deps, const core::Error& error, std::string_view where) {
    if (error.code == core::ErrorCode::access_refused)
        deps.count(sys::Metric::access_refusals, {{"where", where}});
}

core::Error leading_back(core::Error refusal, const core::Flow& flow) {
    if (refusal.code == core::ErrorCode::access_refused)
        refusal.back = core::revive_return_path(flow);
    return refusal;
}

core::Result<PermittedFlow> permit_flow(
    Dependencies& deps, const core::FlowView& view, core::Identity identity) {
    PermittedFlow permitted{
        .flow = view.flow, .refused = {}, .rights = rights_in(deps, view, std::move(identity))};
    const auto& [rights, resource] = std::tie(permitted.rights, permitted.flow.resource);
    auto may = resource.empty() ? rights.check_sign_in() : rights.check_resource(resource);
    if (!may)
        return leading_back(name_refused(deps, std::move(may).error(), rights), permitted.flow);
    if (resource.empty()) return permitted;
    auto& scope = permitted.flow.scope;
    const auto asked = std::exchange(scope, rights.permitted_scope(resource, scope, deps.policy));
    permitted.refused = asked.without(scope);
    if (!scope.empty() || asked.empty()) return permitted;
    return leading_back(
        name_refused(
            deps,
            core::make_error(
                core::ErrorCode::access_refused,
                core::PublicMessage{"this account may not have what the app asks for"},
                core::LogDetail{"rules refuse every scope"}, "scope"),
            rights),
        permitted.flow);
}

core::Checked check_may_sign_in(
    Dependencies& deps, const core::FlowView& flow, const core::Identity& identity) {
    const auto rights = rights_in(deps, flow, identity);
    auto checked = rights.check_sign_in();
    return checked ? checked : name_refused(deps, std::move(checked).error(), rights);
}

bool may_keys_sign_in(Dependencies& deps, const core::FlowView& flow) {
    const auto rules = deps.store.access.rules(flow.policy_version);
    const core::Identity some_key{core::IdentityKind::virtual_key, {}};
    const auto verdict = rules->decide({}, {some_key});
    if (verdict.yes || verdict.reason != core::Verdict::Reason::none_matches) return verdict.yes;
    const auto allowing = rules->allowing({});
    return std::any_of(allowing.begin(), allowing.end(), [](const core::Rule* rule) {
        return rule->who.kind == core::WhoKind::key || rule->who.kind == core::WhoKind::team;
    });
}

core::Error name_refused(Dependencies& deps, core::Error refusal, const Rights& rights) {
    if (refusal.code != core::ErrorCode::access_refused) return refusal;
    core::RefusedAccount account;
    if (const auto* known = refusal.find<core::RefusedAccount>()) account = *known;
    if (rights.person && rights.identity.is_person()) {
        account.name = rights.person->email.empty() ? rights.person->name : rights.person->email;
        const auto idp = deps.store.idps.find(rights.person->idp);
        account.provider = idp ? idp->title : std::string();
    }
    refusal.details = std::move(account);
    return refusal;
}

} // namespace consentgate::usecase
