// Things that are good once; private to this module.
#pragma once

#include "database.h"

namespace consentgate::store {

// The statements for a table of such things.
struct Once {
    const char *used, *own, *insert;
};

// Marks a thing as used. no: it was used before.
// in: use  a fresh id that tells this use from another one
Applied use_once(
    Database& db, const Once& sql, const core::Digest& thing, core::Instant expires_at,
    const std::string& use);

} // namespace consentgate::store
