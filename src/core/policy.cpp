#include "consentgate/core/policy.h"

#include "consentgate/core/text.h"
#include "consentgate/core/uri.h"

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

std::string Policy::issuer_path() const { return std::string(split_uri(issuer).value_or(UriParts{}).rest); }

std::string Policy::origin() const { return issuer.substr(0, issuer.size() - issuer_path().size()); }

std::optional<std::string> Policy::known_resource(std::string_view named) const {
    for (const auto& resource : resources) {
        if (same_resource(resource, named)) return resource;
    }
    return std::nullopt;
}

} // namespace consentgate::core
