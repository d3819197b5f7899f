// Rows of codes and tokens; private to this module.
#pragma once

#include "database.h"

#include "consentgate/core/oauth/refresh.h"

namespace consentgate::store {

void insert_code(Database& db, const core::IssuedCode& code);
void insert_refresh_token(Database& db, const core::RefreshToken& token);
void insert_access_token(Database& db, const core::AccessToken& token);

} // namespace consentgate::store
