// The table of sessions, and the view of a session with its client and its virtual key; private to
// this module.
#pragma once

#include "client_url_column.h"
#include "virtual_key_table.h"

#include "consentgate/core/oauth/access.h"
#include "consentgate/core/signin/remote_groups.h"

namespace consentgate::store {

template <>
inline constexpr auto table_of<core::Session> = table<core::Session>(
    "session", column("id", &core::Session::id), column("flow_id", &core::Session::flow_id),
    column("token_hash", &core::Session::token), column("browser_hash", &core::Session::browser),
    column("client_id", &core::Session::client_id),
    column(
        "identity_kind", [](auto& session) -> auto& { return session.identity.kind; }),
    blob(
        "identity_value", [](auto& session) -> auto& { return session.identity.value; }),
    derived(
        "virtual_key_id",
        [](const core::Session& session) {
            return session.identity.kind == core::IdentityKind::virtual_key
                       ? std::optional<std::string_view>(session.identity.value)
                       : std::nullopt;
        }),
    blob("scope", &core::Session::scope), blob("resource", &core::Session::resource),
    column("created_at", &core::Session::created_at),
    column("expires_at", &core::Session::expires_at),
    column("revoked_at", &core::Session::revoked_at),
    later(column("token_expires_at", &core::Session::token_expires_at)),
    blob("redirect_uri", &core::Session::redirect_uri),
    later(column("last_used_at", &core::Session::last_used_at)),
    later(null_if_empty(column("last_used_from", &core::Session::last_used_from))),
    client_url(&core::Session::client_id),
    derived(
        "person_id",
        [](const core::Session& session) { return core::snapshot_of(session.identity); }),
    column("signin_id", &core::Session::signin));

// The version of the rules, and the standing of the session's person. SQLite opens every table of a
// join for each execution, and a table in a CASE only when it comes to that. Few sessions have a
// person, so a CASE asks for what only people have.
inline constexpr auto standing_columns =
    sql("p.version, o.id, o.version, o.disabled_at, CASE WHEN o.id IS NULL THEN NULL ELSE "
        "(SELECT i.active FROM idp i WHERE i.id = o.idp_id) END, o.name");
inline constexpr auto standing_joins = sql("LEFT JOIN policy_version p ON p.id = 'policy' "
                                           "LEFT JOIN person o ON o.id = s.person_id ");
core::AccessStanding read_standing(Row& row);

// A session with the standing of its client and of its virtual key, where there is one.
template <>
inline constexpr auto columns<core::SessionView> =
    sql(columns<core::Session, 's'>, ", c.name, c.active, ", columns<core::VirtualKey, 'v'>, ", ",
        standing_columns,
        ", CASE WHEN s.signin_id IS NULL THEN NULL ELSE "
        "(SELECT b.auth_time FROM browser_signin b WHERE b.id = s.signin_id) END");
inline constexpr auto session_view_joins =
    sql("LEFT JOIN client c ON c.id = s.client_id "
        "LEFT JOIN virtual_key v ON v.id = s.virtual_key_id ",
        standing_joins);
template <> core::SessionView read(Row& row);

// The session of an access token that a refresh gave. Call inside read().
std::optional<core::SessionView> find_refreshed_session(Database& db, const core::Digest& token);

} // namespace consentgate::store
