// The table of virtual keys; private to this module.
#pragma once

#include "columns.h"

#include "consentgate/core/oauth/consent.h"

namespace consentgate::store {

template <>
inline constexpr auto table_of<core::VirtualKey> = table<core::VirtualKey>(
    "virtual_key", column("id", &core::VirtualKey::id), blob("name", &core::VirtualKey::name),
    column("key_hash", &core::VirtualKey::hash), column("active", &core::VirtualKey::active),
    blob("services", &core::VirtualKey::services),
    column("created_at", &core::VirtualKey::created_at),
    column("expires_at", &core::VirtualKey::expires_at));

} // namespace consentgate::store
