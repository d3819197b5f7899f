// The tables of codes and tokens; private to this module.
#pragma once

#include "client_url_column.h"

#include "consentgate/core/oauth/refresh.h"

namespace consentgate::store {

template <>
inline constexpr auto table_of<core::IssuedCode> = table<core::IssuedCode>(
    "code", column("code_hash", &core::IssuedCode::hash),
    column("session_id", &core::IssuedCode::session_id),
    column("client_id", &core::IssuedCode::client_id),
    blob("redirect_uri", &core::IssuedCode::redirect_uri),
    column("code_challenge", &core::IssuedCode::code_challenge),
    column("key_id", &core::IssuedCode::key_id),
    column("expires_at", &core::IssuedCode::expires_at),
    later(column("redeemed_at", &core::IssuedCode::redeemed_at)),
    bare("redemption", Column::Kind::text), blob("state", &core::IssuedCode::state),
    client_url(&core::IssuedCode::client_id));

template <>
inline constexpr auto table_of<core::RefreshToken> = table<core::RefreshToken>(
    "refresh_token", column("token_hash", &core::RefreshToken::hash),
    column("session_id", &core::RefreshToken::session_id),
    column("key_id", &core::RefreshToken::key_id),
    column("expires_at", &core::RefreshToken::expires_at),
    later(column("used_at", &core::RefreshToken::used_at)),
    later(column("late_repeats", &core::RefreshToken::late_repeats)));

template <>
inline constexpr auto table_of<core::AccessToken> = table<core::AccessToken>(
    "access_token", column("token_hash", &core::AccessToken::hash),
    column("session_id", &core::AccessToken::session_id), blob("scope", &core::AccessToken::scope),
    column("expires_at", &core::AccessToken::expires_at));

} // namespace consentgate::store
