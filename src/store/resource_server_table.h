// The table of resource servers; private to this module.
#pragma once

#include "columns.h"

#include "consentgate/core/oauth/introspection.h"

namespace consentgate::store {

// A word that cannot be read shares nothing. NULL is what there was before there was a choice.
inline void restore(Row& row, core::SharedGroups& groups) {
    std::string word;
    row.read_into(word);
    groups = word.empty() ? core::SharedGroups::named
                          : core::shared_groups_of(word).value_or(core::SharedGroups::none);
}
inline void restore(Row& row, core::AssertionPlace& place) {
    std::string word;
    row.read_into(word);
    place = core::assertion_place_of(word).value_or(core::AssertionPlace::off);
}

template <>
inline constexpr auto table_of<core::ResourceServer> = table<core::ResourceServer>(
    "resource_server", fixed(column("id", &core::ResourceServer::id)),
    fixed(blob("resource", &core::ResourceServer::resource)),
    column("secret_hash", &core::ResourceServer::secret),
    fixed(column("active", &core::ResourceServer::active)),
    fixed(column("created_at", &core::ResourceServer::created_at)),
    blob("services", &core::ResourceServer::services), blob("scope", &core::ResourceServer::scope),
    blob(
        "name", [](auto& server) -> auto& { return server.description.name; }),
    blob(
        "documentation", [](auto& server) -> auto& { return server.description.documentation; }),
    blob(
        "policy", [](auto& server) -> auto& { return server.description.policy; }),
    blob(
        "tos", [](auto& server) -> auto& { return server.description.tos; }),
    blob("origins", &core::ResourceServer::origins),
    column(
        "shared_groups", [](auto& server) -> auto& { return server.facts.groups; }),
    column(
        "assertion", [](auto& server) -> auto& { return server.facts.assertion; }));

} // namespace consentgate::store
