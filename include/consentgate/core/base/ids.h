// Names of rows. Each kind is a type of its own, so that a session id cannot be passed where a flow
// id is meant. Shape: ASCII, at most max_id_bytes (indexable on every engine), never empty once
// issued. A client_id that is a URL may be longer; the store makes a key of it.
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <utility>

namespace consentgate::core {

template <class Kind> struct Id {
    std::string text;

    Id() = default;
    explicit Id(std::string value) : text(std::move(value)) {}
    auto operator<=>(const Id&) const = default;
};

inline constexpr std::size_t max_id_bytes = 190;

using ClientId = Id<struct ClientKind>;
using FlowId = Id<struct FlowKind>;
using SessionId = Id<struct SessionKind>;
using VirtualKeyId = Id<struct VirtualKeyKind>;
using ResourceServerId = Id<struct ResourceServerKind>;
using ServiceId = Id<struct ServiceKind>; // mcp_client_id on the wire
using KeyId = Id<struct KeyKind>;         // a server key of the key file
using IdpId = Id<struct IdpKind>;         // an identity provider
using PersonId = Id<struct PersonKind>;   // one human at one identity provider
using SigninId = Id<struct SigninKind>;   // one sign-in of one browser

} // namespace consentgate::core
