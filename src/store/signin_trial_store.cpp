#include "consentgate/store/signin_trial_store.h"

#include "signin_tables.h"

namespace consentgate::store {

void SigninTrialStore::put(const core::SigninTrial& trial) {
    db_.write(
        [&] {
            insert(db_, trial);
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM signin_trial WHERE link_hash = ?", trial.link); });
}

std::optional<core::SigninTrial> SigninTrialStore::find(const core::Digest& link) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::SigninTrial>, " FROM signin_trial WHERE link_hash = ?");
    return find_row<core::SigninTrial>(db_, statement, link);
}

// After a lost answer to the commit the link counts as opened before: the operator makes another.
Applied SigninTrialStore::open(const core::Digest& link, core::Instant now) {
    return db_.rewrite([&] {
        return applied(db_.run(
            "UPDATE signin_trial SET opened_at = ? "
            "WHERE link_hash = ? AND opened_at IS NULL AND expires_at > ?",
            now, link, now));
    });
}

Applied SigninTrialStore::report(const core::SigninTrial& trial) {
    return db_.rewrite([&] {
        return applied(db_.run(
            "UPDATE signin_trial SET report = ?, key_id = ? WHERE link_hash = ? AND report IS NULL",
            to_blob(trial.report), trial.key_id, trial.link));
    });
}

Applied SigninTrialStore::remove(const core::Digest& link) {
    return db_.rewrite(
        [&] { return applied(db_.run("DELETE FROM signin_trial WHERE link_hash = ?", link)); });
}

} // namespace consentgate::store
