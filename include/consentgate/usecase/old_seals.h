// Linked accounts that were sealed before their owner was part of the seal: they open from the
// migration until all of them are sealed anew, and never after. The permission is a row whose mark
// only the key file can make, so that whoever can write to the database cannot grant it.
// spec: docs/requirements.md XC14
#pragma once

#include "consentgate/usecase/dependencies.h"

#include <cstddef>

namespace consentgate::usecase {

// By the migration that brought the new form.
void permit_old_seals(Dependencies& deps, core::Instant now);

bool opens_old_seals(Dependencies& deps, core::Instant now);

// One bounded batch. An account that does not open becomes broken: its person connects anew. Ends
// the permission when none is left, an hour after the migration at the earliest, because workers of
// the version before may run for so long.
// out: how many were sealed anew or became broken
std::size_t seal_old_accounts_anew(Dependencies& deps, core::Instant now);

} // namespace consentgate::usecase
