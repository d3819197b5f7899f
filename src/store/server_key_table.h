// The table of server keys; private to this module.
#pragma once

#include "columns.h"

namespace consentgate::store {

template <>
inline constexpr auto table_of<core::ServerKeyRecord> = table<core::ServerKeyRecord>(
    "server_key", column("id", &core::ServerKeyRecord::id),
    column("fingerprint", &core::ServerKeyRecord::fingerprint),
    column("created_at", &core::ServerKeyRecord::created_at),
    column("state", &core::ServerKeyRecord::state));

} // namespace consentgate::store
