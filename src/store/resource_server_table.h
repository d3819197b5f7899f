// The table of resource servers; private to this module.
#pragma once

#include "columns.h"

#include "consentgate/core/oauth/introspection.h"

namespace consentgate::store {

template <>
inline constexpr auto table_of<core::ResourceServer> = table<core::ResourceServer>(
    "resource_server", column("id", &core::ResourceServer::id),
    blob("resource", &core::ResourceServer::resource),
    column("secret_hash", &core::ResourceServer::secret),
    column("active", &core::ResourceServer::active),
    column("created_at", &core::ResourceServer::created_at),
    blob("services", &core::ResourceServer::services), blob("scope", &core::ResourceServer::scope));

} // namespace consentgate::store
