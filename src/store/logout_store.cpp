#include "consentgate/store/logout_store.h"

#include "account_tables.h"
#include "once_tables.h"
#include "session_table.h"
#include "signin_tables.h"

#include <algorithm>

namespace consentgate::store {
namespace {

// A sign-in that ended before counts too: sessions that came of it may live.
struct FoundSignin {
    core::SigninId id;
    core::PersonId person;
    std::optional<core::Instant> ended_at;
};

template <class... Bound>
std::vector<FoundSignin> find_signins(Database& db, const char* condition, const Bound&... bound) {
    std::vector<FoundSignin> found;
    db.query(
        (std::string("SELECT id, person_id, ended_at FROM browser_signin WHERE ") + condition +
         " ORDER BY id")
            .c_str(),
        [&](Row& row) {
            auto& signin = found.emplace_back();
            row.read_into(signin.id, signin.person, signin.ended_at);
        },
        bound...);
    return found;
}

// First the sign-ins, so that no new session comes of them; the sessions after that.
void end_signins(
    Database& db, const std::vector<FoundSignin>& signins, core::SigninEnd by, core::Instant now,
    EndedSignins& ended) {
    for (const auto& signin : signins) {
        if (db.run(
                "UPDATE browser_signin SET ended_at = ?, ended_by = ? WHERE id = ? AND "
                "ended_at IS NULL",
                now, core::name_of(by), signin.id) == 1)
            ended.signins.push_back(signin.id);
    }
}

// in: column  of the session, which says whose it is
template <class Id>
void end_sessions(
    Database& db, const char* column, const Id& id, core::Instant now, EndedSignins& ended) {
    const auto text = std::string(sql("SELECT ", columns<core::Session>, " FROM session WHERE ")) +
                      column + " = ? AND revoked_at IS NULL AND expires_at > ? ORDER BY id";
    std::vector<core::Session> living;
    db.query(
        text.c_str(), [&](Row& row) { living.push_back(read<core::Session>(row)); }, id, now);
    for (auto& session : living) {
        if (db.run(
                "UPDATE session SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", now,
                session.id) != 1)
            continue; // another request ended it, and its accounts
        end_accounts_of(db, core::Owner::of(session.id), now);
        ended.sessions.push_back(std::move(session));
    }
}

void end_all_of(
    Database& db, const core::PersonId& person, core::SigninEnd by, core::Instant now,
    EndedSignins& ended) {
    end_signins(db, find_signins(db, "person_id = ?", person), by, now, ended);
    end_sessions(db, "person_id", person, now, ended);
}

std::vector<FoundSignin> named_by(Database& db, const Logout& logout) {
    if (!logout.sid) return find_signins(db, "person_id = ?", *logout.person);
    auto found = find_signins(db, "sid_hash = ?", *logout.sid);
    if (logout.person)
        std::erase_if(found, [&](const auto& one) { return one.person != *logout.person; });
    return found;
}

std::vector<FoundSignin> standing(Database& db, const Logout& logout) {
    auto found = named_by(db, logout);
    std::erase_if(found, [](const auto& one) { return one.ended_at.has_value(); });
    return found;
}

// Everybody whom the token means, when it means all that they have.
std::vector<core::PersonId> meant_people(
    const Logout& logout, const std::vector<FoundSignin>& signins) {
    std::vector<core::PersonId> people;
    if (logout.person) return {*logout.person};
    for (const auto& signin : signins)
        if (std::find(people.begin(), people.end(), signin.person) == people.end())
            people.push_back(signin.person);
    return people;
}

void take_effect(Database& db, const Logout& logout, core::Instant now, EndedSignins& ended) {
    using core::LogoutEffect;
    constexpr auto by = core::SigninEnd::logged_out;
    const auto signins = named_by(db, logout);
    if (logout.effect == LogoutEffect::person) {
        for (const auto& person : meant_people(logout, signins))
            end_all_of(db, person, by, now, ended);
        return;
    }
    end_signins(db, signins, by, now, ended);
    if (logout.effect == LogoutEffect::browser) return;
    if (!logout.sid) return end_sessions(db, "person_id", *logout.person, now, ended);
    for (const auto& signin : signins) end_sessions(db, "signin_id", signin.id, now, ended);
}

UsedLogoutToken row_of(const Logout& logout) {
    UsedLogoutToken row{
        .hash = logout.use,
        .used_by = logout.id,
        .sid = logout.sid,
        .issued_at = logout.issued_at,
        .expires_at = logout.forget_after};
    if (!logout.sid || logout.effect == core::LogoutEffect::person) row.person = logout.person;
    return row;
}

} // namespace

// The primary key makes the insert a compare-and-set, as in use_once.
std::optional<EndedSignins> LogoutStore::apply(const Logout& logout, core::Instant now) {
    const auto used = [&] {
        return db_.has("SELECT 1 FROM logout_token WHERE use_hash = ?", logout.use);
    };
    if (db_.read(used)) return std::nullopt;
    const auto own = [&] {
        return db_.has(
            "SELECT 1 FROM logout_token WHERE use_hash = ? AND used_by = ?", logout.use, logout.id);
    };
    EndedSignins ended;
    try {
        db_.write(
            [&] {
                ended = {};
                insert(db_, row_of(logout));
                take_effect(db_, logout, now, ended);
                return Applied::yes;
            },
            own);
    } catch (const StoreFailure&) { // another request was first
        if (!db_.read(used) || db_.read(own)) throw;
        return std::nullopt;
    }
    end_late_ones(logout, now, ended);
    return ended;
}

// A sign-in that was committed beside this logout saw no sign of it, and was not seen by it. One
// that is committed after it finds the row of the token.
void LogoutStore::end_late_ones(const Logout& logout, core::Instant now, EndedSignins& ended) {
    if (db_.read([&] { return standing(db_, logout).empty(); })) return;
    EndedSignins late;
    db_.rewrite([&] {
        late = {};
        take_effect(db_, logout, now, late);
        return Applied::yes;
    });
    std::move(late.signins.begin(), late.signins.end(), std::back_inserter(ended.signins));
    std::move(late.sessions.begin(), late.sessions.end(), std::back_inserter(ended.sessions));
}

bool LogoutStore::came_meanwhile(const core::BrowserSignin& signin, core::Instant issued_at) {
    const auto sid = signin.sid_hash();
    return db_.read([&] {
        return (sid && db_.has(
                           "SELECT 1 FROM logout_token WHERE sid_hash = ? AND issued_at >= ?", *sid,
                           issued_at)) ||
               db_.has(
                   "SELECT 1 FROM logout_token WHERE person_id = ? AND issued_at >= ?",
                   signin.person, issued_at);
    });
}

} // namespace consentgate::store
