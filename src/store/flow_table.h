// The table of flows; private to this module.
#pragma once

#include "client_url_column.h"

namespace consentgate::store {

template <> inline constexpr auto kind_of<core::Span> = Column::Kind::number;

// A flow has neither resource nor scopes while the person has to choose. The columns are NOT NULL,
// and an empty text would be NULL there: a blank stands for it.
template <class Get> struct BlankIfEmpty : BlobColumn<Get> {
    template <class Entity> OwnedBytes bind(const Entity& entity) const {
        const auto bytes = BlobColumn<Get>::bind(entity);
        const Value value(bytes);
        return {value.null ? std::string(" ") : std::string(value.data)};
    }
    template <class Entity> void read(Row& row, Entity& entity) const {
        BlobColumn<Get>::read(row, entity);
        auto& member = std::invoke(this->get, entity);
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(member)>, std::string>) {
            if (member == " ") member.clear(); // a set of scopes has no blank in it
        }
    }
};

template <class Get> constexpr BlankIfEmpty<Get> blank_if_empty(BlobColumn<Get> column) {
    return {column};
}

template <>
inline constexpr auto table_of<core::Flow> = table<core::Flow>(
    "flow", column("id", &core::Flow::id), column("client_id", &core::Flow::client_id),
    column("browser_hash", &core::Flow::browser), blob("redirect_uri", &core::Flow::redirect_uri),
    blob("state", &core::Flow::state), column("code_challenge", &core::Flow::code_challenge),
    blank_if_empty(blob("scope", &core::Flow::scope)),
    blank_if_empty(blob("resource", &core::Flow::resource)),
    column(
        "identity_kind", [](auto& flow) -> auto& { return flow.identity.kind; }),
    blob(
        "identity_value", [](auto& flow) -> auto& { return flow.identity.value; }),
    column("revision", &core::Flow::revision), column("created_at", &core::Flow::created_at),
    column("expires_at", &core::Flow::expires_at), client_url(&core::Flow::client_id),
    column("resource_by_person", &core::Flow::resource_by_person),
    blob("asked_scope", &core::Flow::asked_scope), column("denied_at", &core::Flow::denied_at),
    null_if_empty(column(
        "wanted_prompt", [](auto& flow) -> auto& { return flow.wanted_proof.prompt; })),
    column(
        "wanted_max_age", [](auto& flow) -> auto& { return flow.wanted_proof.max_age; }));

// Call inside write(). no: the flow is not as it was read.
Applied give_identity(
    Database& db, const core::FlowId& id, std::int64_t revision, const core::Identity& identity,
    core::Instant now);

} // namespace consentgate::store
