#include "consentgate/core/oauth/policy.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"

#include <algorithm>

namespace consentgate::core {

ScopeSet Policy::catalogue() const {
    std::vector<std::string> names;
    for (const auto& scope : scopes) names.push_back(scope.name);
    return ScopeSet::parse(join(names, " ")).value_or(ScopeSet{});
}

std::string Policy::words(std::string_view scope) const {
    for (const auto& known : scopes) {
        if (known.name == scope) return known.words;
    }
    return std::string(scope);
}

std::string Policy::issuer_path() const {
    return std::string(split_uri(issuer).value_or(UriParts{}).rest);
}

std::string Policy::origin() const {
    return issuer.substr(0, issuer.size() - issuer_path().size());
}

ScopeSet Policy::with_implied(const ScopeSet& granted) const {
    if (implications.empty()) return granted;
    auto all = granted.names();
    for (std::size_t i = 0; i < all.size(); ++i) { // grows while it is walked
        for (const auto& implication : implications) {
            if (implication.scope != all[i]) continue;
            for (const auto& name : implication.implied.names()) {
                if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
            }
        }
    }
    return ScopeSet::parse(join(all, " ")).value_or(granted);
}

std::optional<GuardedResource> Policy::known_resource(std::string_view named) const {
    for (const auto& resource : resources) {
        if (same_resource(resource.url, named)) return resource;
    }
    return std::nullopt;
}

std::optional<GuardedResource> Policy::meant_resource(std::string_view named) const {
    if (auto known = known_resource(named)) return known;
    const auto only = [&](auto&& fits) -> std::optional<GuardedResource> {
        const auto first = std::find_if(resources.begin(), resources.end(), fits);
        if (first == resources.end() || std::any_of(std::next(first), resources.end(), fits))
            return std::nullopt;
        return *first;
    };
    if (auto spelled = only([&](const auto& one) { return spells_resource(named, one.url); }))
        return spelled;
    return only([&](const auto& one) { return spells_resource(named, origin_of(one.url)); });
}

bool names_session_resource(std::string_view named, const std::string& resource) {
    return spells_resource(named, resource) || spells_resource(named, origin_of(resource));
}

} // namespace consentgate::core
