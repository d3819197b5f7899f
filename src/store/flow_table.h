// The table of flows; private to this module.
#pragma once

#include "client_url_column.h"

namespace consentgate::store {

template <>
inline constexpr auto table_of<core::Flow> = table<core::Flow>(
    "flow", column("id", &core::Flow::id), column("client_id", &core::Flow::client_id),
    column("browser_hash", &core::Flow::browser), blob("redirect_uri", &core::Flow::redirect_uri),
    blob("state", &core::Flow::state), column("code_challenge", &core::Flow::code_challenge),
    blob("scope", &core::Flow::scope), blob("resource", &core::Flow::resource),
    column(
        "identity_kind", [](auto& flow) -> auto& { return flow.identity.kind; }),
    blob(
        "identity_value", [](auto& flow) -> auto& { return flow.identity.value; }),
    column("revision", &core::Flow::revision), column("created_at", &core::Flow::created_at),
    column("expires_at", &core::Flow::expires_at), client_url(&core::Flow::client_id),
    column("denied_at", &core::Flow::denied_at));

} // namespace consentgate::store
