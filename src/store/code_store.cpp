#include "consentgate/store/code_store.h"

#include "session_row.h"
#include "token_rows.h"

namespace consentgate::store {

namespace {

core::CodeView read_code_view(Row& columns) {
    core::CodeView view;
    auto& code = view.code;
    std::string state;
    view.session = read_session(columns);
    columns.read_into(
        code.hash, code.client_id, from_blob(code.redirect_uri), code.code_challenge, code.key_id,
        code.expires_at, code.redeemed_at, from_blob(state));
    code.session_id = view.session.id;
    if (!state.empty()) code.state = std::move(state);
    return view;
}

} // namespace

std::optional<core::CodeView> CodeStore::find(const core::Digest& hash) {
    return db_.read([&] {
        std::optional<core::CodeView> found;
        db_.query(
            "SELECT " SESSION_COLUMNS
            ", k.code_hash, k.client_id, k.redirect_uri, k.code_challenge, k.key_id, k.expires_at, "
            "k.redeemed_at, k.state FROM code k JOIN session s ON s.id = k.session_id WHERE k.code_hash = ?",
            [&](Row& columns) { found = read_code_view(columns); }, hash);
        return found;
    });
}

Applied CodeStore::redeem(
    const core::Digest& hash, const std::string& redemption,
    const std::optional<core::RefreshToken>& refresh, core::Instant now) {
    return db_.write(
        [&] {
            const auto redeemed = db_.run(
                "UPDATE code SET redeemed_at = ?, redemption = ? WHERE code_hash = ? AND redeemed_at IS NULL AND expires_at > ?",
                now, redemption, hash, now);
            if (redeemed != 1) return Applied::no;
            if (refresh) {
                db_.run(
                    "UPDATE session SET token_expires_at = expires_at, expires_at = ? WHERE id = ? AND token_expires_at IS NULL",
                    refresh->expires_at, refresh->session_id);
                insert_refresh_token(db_, *refresh);
            }
            return Applied::yes;
        },
        [&] {
            return db_.has(
                "SELECT 1 FROM code WHERE code_hash = ? AND redemption = ?", hash, redemption);
        });
}

} // namespace consentgate::store
