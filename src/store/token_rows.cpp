#include "token_rows.h"

namespace consentgate::store {

void insert_code(Database& db, const core::IssuedCode& code) {
    db.run(
        "INSERT INTO code (code_hash, session_id, client_id, redirect_uri, code_challenge, key_id, expires_at, state) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        code.hash, code.session_id, code.client_id, to_blob(code.redirect_uri), code.code_challenge,
        code.key_id, code.expires_at, to_blob(code.state.value_or("")));
}

void insert_refresh_token(Database& db, const core::RefreshToken& token) {
    db.run(
        "INSERT INTO refresh_token (token_hash, session_id, key_id, expires_at) VALUES (?, ?, ?, ?)",
        token.hash, token.session_id, token.key_id, token.expires_at);
}

void insert_access_token(Database& db, const core::AccessToken& token) {
    db.run(
        "INSERT INTO access_token (token_hash, session_id, scope, expires_at) VALUES (?, ?, ?, ?)",
        token.hash, token.session_id, to_blob(token.scope.text()), token.expires_at);
}

} // namespace consentgate::store
