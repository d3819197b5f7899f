// The table of virtual keys; private to this module.
#pragma once

#include "columns.h"

#include "consentgate/core/oauth/consent.h"

namespace consentgate::store {

// A text that a key had before, and that works until then.
struct FormerKey {
    core::Digest hash;
    core::VirtualKeyId key;
    core::Instant expires_at{};
};
template <>
inline constexpr auto table_of<FormerKey> = table<FormerKey>(
    "former_key", column("key_hash", &FormerKey::hash), column("virtual_key_id", &FormerKey::key),
    column("expires_at", &FormerKey::expires_at));

template <>
inline constexpr auto table_of<core::VirtualKey> = table<core::VirtualKey>(
    "virtual_key", column("id", &core::VirtualKey::id), blob("name", &core::VirtualKey::name),
    column("key_hash", &core::VirtualKey::hash), column("active", &core::VirtualKey::active),
    blob("services", &core::VirtualKey::services),
    column("created_at", &core::VirtualKey::created_at),
    column("expires_at", &core::VirtualKey::expires_at));

} // namespace consentgate::store
