// The identity of a person, and how much it proves.
#pragma once

#include "consentgate/core/oauth/owner.h"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

enum class IdentityKind { none, skipped, user_id, verified_user, virtual_key };

struct Identity {
    IdentityKind kind = IdentityKind::none;
    std::string value; // virtual key id or user id; empty for none and skipped

    bool is_chosen() const; // the person, or the web server, has answered; skipping is an answer
    bool is_skipped() const;
    bool is_typed() const;    // a name that the person typed, which proves nothing
    bool is_verified() const; // the web server names the person, or their identity provider
    bool is_person() const;   // their identity provider does: see core/signin/person.h
    bool is_lasting() const;  // proven: the same in the next session, which may use its tokens
    std::optional<VirtualKeyId> virtual_key() const; // absent for every other kind

    // The owner of the upstream tokens of a session with this identity.
    // spec: docs/requirements.md S11
    Owner owner(const SessionId& session) const;

    bool operator==(const Identity&) const = default;
};

std::string_view name_of(IdentityKind kind); // "user_id"
std::optional<IdentityKind> identity_kind(
    std::string_view name);                 // the inverse; absent for another word
std::vector<IdentityKind> identity_kinds(); // all of them

// A set of the kinds that a person can choose or be given.
class IdentityKinds {
public:
    IdentityKinds() = default; // empty
    IdentityKinds(std::initializer_list<IdentityKind> kinds);
    static IdentityKinds any(); // every kind but `none`, which is no answer

    bool contains(IdentityKind kind) const; // never `none`
    IdentityKinds with(IdentityKind kind) const;
    IdentityKinds without(IdentityKind kind) const;
    // "any", or names with blanks between, the most trustworthy first; empty for none.
    std::string text() const;

    bool operator==(const IdentityKinds&) const = default;

private:
    unsigned bits_ = 0; // one for each kind
};

} // namespace consentgate::core
