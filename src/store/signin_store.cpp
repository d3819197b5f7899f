#include "consentgate/store/signin_store.h"

#include "signin_tables.h"

namespace consentgate::store {

namespace {

bool has_person(Database& db, const core::PersonId& id) {
    return db.has("SELECT 1 FROM person WHERE id = ?", id);
}

void write_person(Database& db, const core::Person& person) {
    if (!renew_person(db, person) && !has_person(db, person.id)) insert(db, person);
}

// The new proof is the one that the app wanted. no: the flow is not as it was read.
Applied give_flow(
    Database& db, const core::Flow& flow, const core::Identity& identity, core::Instant now) {
    if (give_identity(db, flow.id, flow.revision, identity, now) == Applied::no) return Applied::no;
    db.run("UPDATE flow SET wanted_prompt = NULL WHERE id = ?", flow.id);
    return Applied::yes;
}

} // namespace

void SigninStore::put_state(const core::SigninState& state) {
    db_.write(
        [&] {
            std::vector<std::string> open;
            db_.query(
                "SELECT state_hash FROM signin_state WHERE browser_hash = ? "
                "ORDER BY expires_at, state_hash",
                [&](Row& row) { row.read_into(open); }, state.browser);
            for (std::size_t at = 0; at + core::max_signin_states <= open.size(); ++at)
                db_.run("DELETE FROM signin_state WHERE state_hash = ?", open[at]);
            insert(db_, state);
            return Applied::yes;
        },
        [&] { return db_.has("SELECT 1 FROM signin_state WHERE state_hash = ?", state.state); });
}

std::optional<core::SigninState> SigninStore::find_state(const core::Digest& state) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::SigninState>, " FROM signin_state WHERE state_hash = ?");
    return find_row<core::SigninState>(db_, statement, state);
}

// After a lost answer to the commit, a missing row may have been deleted by another request, so it
// counts as consumed before: the person tries again.
Applied SigninStore::consume_state(const core::Digest& state, core::Instant now) {
    return db_.rewrite([&] {
        return applied(db_.run(
            "DELETE FROM signin_state WHERE state_hash = ? AND expires_at > ?", state, now));
    });
}

// Two first sign-ins of one person at the same moment both insert the person: one of them fails,
// and finds the person when it tries again.
Applied SigninStore::finish(const FinishedSignin& finished, core::Instant now) {
    const auto write = [&] {
        return db_.write(
            [&] {
                if (finished.flow &&
                    give_flow(db_, *finished.flow, core::identity_of(finished.person), now) ==
                        Applied::no)
                    return Applied::no;
                write_person(db_, finished.person);
                if (finished.replaced)
                    db_.run(
                        "UPDATE browser_signin SET ended_at = ?, ended_by = ? "
                        "WHERE cookie_hash = ? AND ended_at IS NULL",
                        now, core::name_of(core::SigninEnd::replaced), *finished.replaced);
                insert(db_, finished.signin);
                return Applied::yes;
            },
            [&] {
                return db_.has("SELECT 1 FROM browser_signin WHERE id = ?", finished.signin.id);
            });
    };
    const auto known = [&] { return has_person(db_, finished.person.id); };
    const bool before = db_.read(known);
    try {
        return write();
    } catch (const StoreFailure&) {
        if (before || !db_.read(known)) throw;
        return write();
    }
}

std::optional<core::SignedIn> SigninStore::find(const core::Digest& cookie) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::BrowserSignin, 'b'>, ", ", columns<core::Person, 'p'>,
            ", i.title, i.active FROM browser_signin b JOIN person p ON p.id = b.person_id ",
            "JOIN idp i ON i.id = b.idp_id WHERE b.cookie_hash = ?");
    return db_.read([&] {
        std::optional<core::SignedIn> found;
        const auto read_row = [&](Row& row) {
            auto& signed_in = found.emplace();
            signed_in.signin = read<core::BrowserSignin>(row);
            signed_in.person = read<core::Person>(row);
            row.read_into(from_blob(signed_in.idp_title), signed_in.idp_active);
        };
        db_.query(statement, read_row, cookie);
        return found;
    });
}

Applied SigninStore::end(const core::SigninId& id, core::SigninEnd by, core::Instant now) {
    return db_.write(
        [&] {
            return applied(db_.run(
                "UPDATE browser_signin SET ended_at = ?, ended_by = ? "
                "WHERE id = ? AND ended_at IS NULL",
                now, core::name_of(by), id));
        },
        [&] {
            return db_.has(
                "SELECT 1 FROM browser_signin WHERE id = ? AND ended_at IS NOT NULL", id);
        });
}

bool SigninStore::is_of(const core::SigninId& id, const core::PersonId& person) {
    return db_.read([&] {
        return db_.has("SELECT 1 FROM browser_signin WHERE id = ? AND person_id = ?", id, person);
    });
}

std::size_t SigninStore::end_all(
    const core::PersonId& person, core::SigninEnd by, core::Instant now) {
    std::size_t ended = 0;
    db_.rewrite([&] {
        ended = db_.run(
            "UPDATE browser_signin SET ended_at = ?, ended_by = ? "
            "WHERE person_id = ? AND ended_at IS NULL",
            now, core::name_of(by), person);
        return Applied::yes;
    });
    return ended;
}

std::vector<core::BrowserSignin> SigninStore::list_of_person(
    const core::PersonId& id, core::Instant now) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::BrowserSignin>, " FROM browser_signin WHERE person_id = ? ",
            "AND ended_at IS NULL AND expires_at > ? ORDER BY signed_in_at DESC, id LIMIT 100");
    return list_rows<core::BrowserSignin>(db_, statement, id, now);
}

} // namespace consentgate::store
