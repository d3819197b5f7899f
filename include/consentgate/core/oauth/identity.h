// The identity of a person, and how much it proves.
#pragma once

#include "consentgate/core/oauth/owner.h"

#include <optional>
#include <string>
#include <string_view>

namespace consentgate::core {

enum class IdentityKind { none, skipped, user_id, verified_user, virtual_key };

struct Identity {
    IdentityKind kind = IdentityKind::none;
    std::string value; // virtual key id or user id; empty for none and skipped

    bool is_chosen() const; // the person, or the web server, has answered; skipping is an answer
    bool is_skipped() const;
    bool is_typed() const;    // a name that the person typed, which proves nothing
    bool is_verified() const; // the web server names the person
    bool is_lasting() const;  // proven: the same in the next session, which may use its tokens
    std::optional<VirtualKeyId> virtual_key() const; // absent for every other kind

    // The owner of the upstream tokens of a session with this identity.
    // spec: docs/requirements.md S11
    Owner owner(const SessionId& session) const;

    bool operator==(const Identity&) const = default;
};

std::string_view name_of(IdentityKind kind); // "user_id"
std::optional<IdentityKind> identity_kind(
    std::string_view name); // the inverse; absent for another word

} // namespace consentgate::core
