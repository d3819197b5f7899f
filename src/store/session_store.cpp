#include "consentgate/store/session_store.h"

#include "account_tables.h"
#include "recent.h"
#include "session_table.h"

#include <set>

namespace consentgate::store {

namespace {

// The statement that finds sessions with a condition.
template <std::size_t Size> consteval auto sessions_where(const char (&condition)[Size]) {
    return sql(
        "SELECT ", columns<core::SessionView>, " FROM session s ", session_view_joins, "WHERE ",
        condition);
}

// The part that a filter adds to the condition of a statement. It refers to the filter.
class Condition {
public:
    // in: alias  of the table, with its dot; empty: none
    Condition(const core::SessionFilter& filter, const std::string& alias)
        : client_(filter.client ? client_key(*filter.client) : std::string()) {
        const auto require = [&](const char* column, Value value) {
            text += " AND " + alias + column + " = ?";
            values_.push_back(value);
        };
        if (filter.client) require("client_id", Value(client_));
        if (filter.resource) require("resource", Value(to_blob(*filter.resource)));
        if (filter.identity) require("identity_kind", Value(core::name_of(*filter.identity)));
        if (filter.key) require("virtual_key_id", Value(*filter.key));
        require_somebody(filter, alias);
    }
    Condition(const Condition&) = delete; // the values refer to it
    Condition& operator=(const Condition&) = delete;

    std::string text;

    // in: first, last  the values of the question marks before and after the condition's
    std::vector<Value> values_with(
        std::vector<Value> first, const std::vector<Value>& last = {}) const {
        first.insert(first.end(), values_.begin(), values_.end());
        first.insert(first.end(), last.begin(), last.end());
        return first;
    }

private:
    void require_somebody(const core::SessionFilter& filter, const std::string& alias) {
        std::string either;
        const auto add = [&](const std::string& one) {
            either += (either.empty() ? "" : " OR ") + one;
        };
        if (filter.user) { // the value of a virtual key is no name
            values_.push_back(Value(to_blob(*filter.user)));
            add("(" + alias + "identity_value = ? AND " + alias + "virtual_key_id IS NULL)");
        }
        if (filter.person) {
            values_.push_back(Value(*filter.person));
            add(alias + "person_id = ?");
        }
        if (!either.empty()) text += " AND (" + either + ")";
    }

    std::string client_;
    std::vector<Value> values_;
};

// Ends what belongs to the sessions of a batch alone. The owner's spelling comes in as a pattern,
// as in find_ended_keys.
void end_accounts_of_batch(
    Database& db, core::Instant now, const std::string& after, const std::string& last) {
    std::vector<std::string> ids;
    db.query(
        "SELECT t.id FROM session s JOIN upstream_token t ON t.owner = replace(?, '#', s.id) "
        "WHERE s.revoked_at = ? AND s.id > ? AND s.id <= ? AND t.ended_at IS NULL ORDER BY t.id",
        [&](Row& row) { row.read_into(ids); }, core::Owner::of(core::SessionId("#")).text(), now,
        after, last);
    for (const auto& id : ids) end_account(db, id, now);
}

} // namespace

SessionStore::SessionStore(Database& db, std::size_t max_cached)
    : db_(db), recent_(std::make_unique<decltype(recent_)::element_type>(max_cached)) {}
SessionStore::~SessionStore() = default;

// Most access tokens are the first of their session and stand in its row; only a token that is not
// found there is looked for among those that a refresh gave.
std::shared_ptr<const core::SessionView> SessionStore::find_shared(const core::Digest& token) {
    using Shared = std::shared_ptr<const core::SessionView>;
    static constexpr auto statement = sessions_where("s.token_hash = ?");
    const auto look_up = [&]() -> std::optional<Shared> {
        Shared found;
        const auto read_view = [&](Row& row) {
            found = std::make_shared<const core::SessionView>(read<core::SessionView>(row));
        };
        db_.query(statement, read_view, token);
        if (found) return found;
        auto refreshed = find_refreshed_session(db_, token);
        if (!refreshed) return std::nullopt;
        return std::make_shared<const core::SessionView>(*std::move(refreshed));
    };
    return db_.read_cached(*recent_, token.hex, look_up).value_or(nullptr);
}

std::optional<core::SessionView> SessionStore::find(const core::Digest& token) {
    const auto found = find_shared(token);
    return found ? std::optional(*found) : std::nullopt;
}

std::optional<core::SessionView> SessionStore::find(const core::SessionId& id) {
    static constexpr auto statement = sessions_where("s.id = ?");
    return find_row<core::SessionView>(db_, statement, id);
}

std::vector<core::SessionView> SessionStore::list(
    core::Instant now, const core::SessionFilter& filter, std::size_t limit) {
    static constexpr auto statement = sessions_where("s.revoked_at IS NULL AND s.expires_at > ?");
    const Condition condition(filter, "s.");
    const auto text = statement.text + condition.text + " ORDER BY s.created_at DESC, s.id LIMIT " +
                      std::to_string(limit);
    return db_.read([&] {
        std::vector<core::SessionView> found;
        db_.query(
            text.c_str(), [&](Row& row) { found.push_back(read<core::SessionView>(row)); },
            Values(condition.values_with({now})));
        return found;
    });
}

std::vector<core::SessionCount> SessionStore::count_by_identity(core::Instant now) {
    return db_.read([&] {
        std::vector<core::SessionCount> counts;
        db_.query(
            "SELECT identity_kind, COUNT(*) FROM session WHERE expires_at > ? AND "
            "revoked_at IS NULL GROUP BY identity_kind ORDER BY identity_kind",
            [&](Row& row) {
                auto& count = counts.emplace_back();
                std::int64_t sessions = 0;
                restore(row, count.kind);
                row.read_into(sessions);
                count.sessions = static_cast<std::size_t>(sessions);
            },
            now);
        return counts;
    });
}

std::vector<core::SessionView> SessionStore::list_of_browser(
    const core::Digest& browser, core::Instant now) {
    static constexpr auto statement =
        sessions_where("s.browser_hash = ? AND s.revoked_at IS NULL AND s.expires_at > ? "
                       "ORDER BY s.created_at DESC, s.id LIMIT 100");
    return list_rows<core::SessionView>(db_, statement, browser, now);
}

std::vector<core::SessionView> SessionStore::list_of_person(
    const core::PersonId& person, core::Instant now) {
    static constexpr auto statement =
        sessions_where("s.person_id = ? AND s.revoked_at IS NULL AND s.expires_at > ? "
                       "ORDER BY s.created_at DESC, s.id LIMIT 100");
    return list_rows<core::SessionView>(db_, statement, person, now);
}

std::vector<core::SessionView> SessionStore::list_consents(
    const core::Digest& browser, const core::ClientId& client) {
    static constexpr auto statement =
        sessions_where("s.browser_hash = ? AND s.client_id = ? AND s.revoked_at IS NULL "
                       "ORDER BY s.created_at DESC, s.id LIMIT 10");
    return list_rows<core::SessionView>(db_, statement, browser, client_key(client));
}

Applied SessionStore::revoke(const core::SessionId& id, core::Instant now) {
    return db_.write(
        [&] {
            if (db_.run(
                    "UPDATE session SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", now,
                    id) != 1)
                return Applied::no;
            end_accounts_of(db_, core::Owner::of(id), now); // those that are its alone
            return Applied::yes;
        },
        [&] {
            return db_.has("SELECT 1 FROM session WHERE id = ? AND revoked_at IS NOT NULL", id);
        });
}

// Without a LIMIT in the UPDATE, which is not portable: the batch is a range of ids. A session that
// was made in the range meanwhile ends too.
EndedSessions SessionStore::revoke_some(
    const core::SessionFilter& filter, const std::string& after, core::Instant now,
    std::size_t limit) {
    static const std::string alive = "revoked_at IS NULL AND expires_at > ?";
    const Condition condition(filter, "");
    const auto range = condition.text + " AND id > ? AND id <= ?";
    EndedSessions ended;
    std::vector<std::string> ids;
    db_.read([&] {
        ids.clear();
        const auto text = "SELECT id FROM session WHERE " + alive + condition.text +
                          " AND id > ? ORDER BY id LIMIT " + std::to_string(limit);
        return db_.query(
            text.c_str(), [&](Row& row) { row.read_into(ids); },
            Values(condition.values_with({now}, {after})));
    });
    if (ids.empty()) return ended;
    const auto last = ids.back();
    const auto revoked_now = [&] {
        std::vector<core::Session> found;
        const auto text = std::string(sql("SELECT ", columns<core::Session>, " FROM session ")) +
                          "WHERE revoked_at = ?" + range + " ORDER BY id";
        db_.query(
            text.c_str(), [&](Row& row) { found.push_back(read<core::Session>(row)); },
            Values(condition.values_with({now}, {after, last})));
        return found;
    };
    std::set<std::string> before; // those that another request ended within the same second
    const auto find_ended = [&] {
        ended = {.sessions = revoked_now(), .last = last};
        std::erase_if(
            ended.sessions, [&](const auto& session) { return before.contains(session.id.text); });
        return !ended.sessions.empty();
    };
    db_.write(
        [&] {
            before.clear();
            for (const auto& session : revoked_now()) before.insert(session.id.text);
            const auto text = "UPDATE session SET revoked_at = ? WHERE " + alive + range;
            db_.run(text.c_str(), Values(condition.values_with({now, now}, {after, last})));
            end_accounts_of_batch(db_, now, after, last);
            return find_ended() ? Applied::yes : Applied::no;
        },
        find_ended);
    return ended;
}

// Looks before it writes: the workers of a gate report the same sessions, and a transaction that
// changes nothing would still wait for the writer before it.
void SessionStore::record_uses(std::span<const SessionUse> uses) {
    static constexpr auto due = " WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)";
    static const auto find = std::string("SELECT 1 FROM session") + due;
    static const auto set_time = std::string("UPDATE session SET last_used_at = ?") + due;
    static const auto set_both =
        std::string("UPDATE session SET last_used_at = ?, last_used_from = ?") + due;
    const auto later = db_.read([&] {
        std::vector<const SessionUse*> found;
        for (const auto& use : uses)
            if (db_.has(find.c_str(), use.session, use.at)) found.push_back(&use);
        return found;
    });
    if (later.empty()) return;
    db_.rewrite([&] {
        for (const auto* use : later) {
            if (use->from.empty())
                db_.run(set_time.c_str(), use->at, use->session, use->at);
            else
                db_.run(set_both.c_str(), use->at, use->from, use->session, use->at);
        }
        return Applied::yes;
    });
}

} // namespace consentgate::store
