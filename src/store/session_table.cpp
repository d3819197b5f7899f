#include "session_table.h"

namespace consentgate::store {

core::AccessStanding read_standing(Row& row) {
    core::AccessStanding standing;
    core::PersonMark person;
    row.read_into(
        standing.policy_version, person.id, person.version, person.disabled_at, person.idp_active,
        from_blob(person.name));
    if (!person.id.text.empty()) standing.person = std::move(person);
    return standing;
}

template <> core::SessionView read(Row& row) {
    core::SessionView view;
    view.session = read<core::Session>(row);
    row.read_into(from_blob(view.client_name), view.client_active);
    auto key = read<core::VirtualKey>(row);
    if (!key.id.text.empty()) view.virtual_key = std::move(key);
    view.standing = read_standing(row);
    row.read_into(view.auth_time);
    return view;
}

std::optional<core::SessionView> find_refreshed_session(Database& db, const core::Digest& token) {
    static constexpr auto statement =
        sql("SELECT ", columns<core::SessionView>, ", a.scope, a.expires_at FROM access_token a ",
            "JOIN session s ON s.id = a.session_id ", session_view_joins, "WHERE a.token_hash = ?");
    std::optional<core::SessionView> view;
    const auto read_view = [&](Row& row) {
        view = read<core::SessionView>(row);
        restore_bytes(row, view->session.scope);
        row.read_into(view->session.token_expires_at);
    };
    db.query(statement, read_view, token);
    return view;
}

} // namespace consentgate::store
