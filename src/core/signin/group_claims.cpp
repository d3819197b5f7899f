#include "group_claims.h"

#include "consentgate/core/base/text.h"

#include <algorithm>
#include <utility>

namespace consentgate::core {
namespace {

constexpr std::size_t max_groups = 2000, max_groups_bytes = 64 * 1024, max_group_bytes = 255;
constexpr std::size_t cut_by_okta = 100; // groups: it leaves out the others without a word

// Absent: the entry is no name.
const std::string* name_in(const Json& entry) {
    if (entry.text() != nullptr) return entry.text();
    const auto* object = entry.object();
    const auto* name = object == nullptr ? nullptr : object->find("name");
    return name == nullptr ? nullptr : name->text();
}

bool is_group(const std::string& name) {
    return !name.empty() && name.size() <= max_group_bytes && !has_control(name);
}

// The names as they came, null for an entry without one.
std::vector<const std::string*> names_in(const Json& claim) {
    if (claim.text() != nullptr) return {claim.text()};
    std::vector<const std::string*> names;
    if (const auto* object = claim.object()) {
        for (const auto& member : object->members()) names.push_back(&member.name);
    } else if (const auto* array = claim.array()) {
        for (const auto& entry : *array) names.push_back(name_in(entry));
    }
    return names;
}

} // namespace

NamedGroups read_group_names(const std::vector<const std::string*>& names) {
    NamedGroups read;
    read.sent = true;
    std::size_t bytes = 0;
    for (const auto* name : names) {
        if (name == nullptr || !is_group(*name)) {
            ++read.dropped;
            continue;
        }
        bytes += name->size();
        read.groups.push_back(*name);
    }
    read.known = names.size() <= max_groups && bytes <= max_groups_bytes;
    if (!read.known) read.groups.clear();
    std::sort(read.groups.begin(), read.groups.end());
    read.groups.erase(std::unique(read.groups.begin(), read.groups.end()), read.groups.end());
    return read;
}

NamedGroups read_groups(const Json* claim, const IdentityProvider& provider) {
    if (claim == nullptr || claim->is_null()) return {};
    const auto names = names_in(*claim);
    auto read = read_group_names(names);
    const bool shaped =
        claim->text() != nullptr || claim->array() != nullptr || claim->object() != nullptr;
    const bool cut = provider.kind == ProviderKind::okta && names.size() == cut_by_okta;
    read.known = read.known && shaped && !cut;
    if (!read.known) read.groups.clear();
    return read;
}

bool groups_are_elsewhere(const JsonObject& claims, const IdentityProvider& provider) {
    const auto member = claim_member(provider.groups_claim);
    const auto* elsewhere = claims.object("_claim_names");
    if (elsewhere != nullptr && elsewhere->contains(member)) return true;
    const bool many =
        claims.flag("hasgroups").value_or(false) || claims.text("hasgroups") == "true";
    return many && member == "groups";
}

} // namespace consentgate::core
