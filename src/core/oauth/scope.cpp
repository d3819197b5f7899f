#include "consentgate/core/oauth/scope.h"

#include "consentgate/core/base/text.h"

#include <algorithm>

namespace consentgate::core {
namespace {

bool scope_token(std::string_view name) {
    return std::all_of(name.begin(), name.end(), [](char c) {
        return c == 0x21 || (c >= 0x23 && c <= 0x5B) || (c >= 0x5D && c <= 0x7E);
    });
}

} // namespace

std::optional<ScopeSet> ScopeSet::parse(std::string_view text) {
    ScopeSet set;
    for (auto& name : split(text, ' ')) {
        if (!scope_token(name)) return std::nullopt;
        if (!set.contains(name)) set.names_.push_back(std::move(name));
    }
    return set;
}

bool ScopeSet::contains(std::string_view name) const {
    return std::find(names_.begin(), names_.end(), name) != names_.end();
}

bool ScopeSet::covers(const ScopeSet& other) const {
    return std::all_of(other.names_.begin(), other.names_.end(), [&](const std::string& name) {
        return contains(name);
    });
}

ScopeSet ScopeSet::within(const ScopeSet& other) const {
    ScopeSet common;
    std::copy_if(
        names_.begin(), names_.end(), std::back_inserter(common.names_),
        [&](const std::string& name) { return other.contains(name); });
    return common;
}

ScopeSet ScopeSet::with(const ScopeSet& other) const {
    auto all = *this;
    for (const auto& name : other.names_) {
        if (!contains(name)) all.names_.push_back(name);
    }
    return all;
}

ScopeSet ScopeSet::without(const ScopeSet& other) const {
    ScopeSet rest;
    std::copy_if(
        names_.begin(), names_.end(), std::back_inserter(rest.names_),
        [&](const std::string& name) { return !other.contains(name); });
    return rest;
}

std::string ScopeSet::text() const { return join(names_, " "); }

} // namespace consentgate::core
