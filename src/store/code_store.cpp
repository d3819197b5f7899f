#include "consentgate/store/code_store.h"

#include "session_table.h"
#include "token_tables.h"

namespace consentgate::store {

std::optional<core::CodeView> CodeStore::find(const core::Digest& hash) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::Session, 's'>, ", ", columns<core::IssuedCode, 'k'>, ", ",
            standing_columns, " FROM code k JOIN session s ON s.id = k.session_id ", standing_joins,
            "WHERE k.code_hash = ?");
    return db_.read([&] {
        std::optional<core::CodeView> found;
        const auto read_view = [&](Row& row) {
            auto& view = found.emplace();
            view.session = read<core::Session>(row);
            view.code = read<core::IssuedCode>(row);
            view.standing = read_standing(row);
        };
        db_.query(statement, read_view, hash);
        return found;
    });
}

Applied CodeStore::redeem(
    const core::Digest& hash, const std::string& redemption,
    const std::optional<core::RefreshToken>& refresh, core::Instant now) {
    return db_.write(
        [&] {
            const auto redeemed = db_.run(
                "UPDATE code SET redeemed_at = ?, redemption = ? "
                "WHERE code_hash = ? AND redeemed_at IS NULL AND expires_at > ?",
                now, redemption, hash, now);
            if (redeemed != 1) return Applied::no;
            if (refresh) {
                db_.run(
                    "UPDATE session SET token_expires_at = expires_at, expires_at = ? "
                    "WHERE id = ? AND token_expires_at IS NULL",
                    refresh->expires_at, refresh->session_id);
                insert(db_, *refresh);
            }
            return Applied::yes;
        },
        [&] {
            return db_.has(
                "SELECT 1 FROM code WHERE code_hash = ? AND redemption = ?", hash, redemption);
        });
}

} // namespace consentgate::store
