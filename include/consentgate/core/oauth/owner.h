// Owners of upstream tokens. Each has one spelling, under which its tokens are stored, so that the
// database can hold "one per owner and service".
#pragma once

#include "consentgate/core/base/ids.h"

#include <string>
#include <string_view>

namespace consentgate::core {

enum class OwnerKind {
    flow,          // a consent in progress
    session,       // a session whose identity proves nothing
    virtual_key,   // every session of the key
    verified_user, // every session of the user whom the web server names; the id is a digest
    ended,         // none: the tokens wait for their revocation at the service
};

class Owner {
public:
    Owner() = default;
    static Owner of(const FlowId& flow) { return {OwnerKind::flow, flow.text}; }
    static Owner of(const SessionId& session) { return {OwnerKind::session, session.text}; }
    static Owner of(const VirtualKeyId& key) { return {OwnerKind::virtual_key, key.text}; }
    static Owner verified_user(const std::string& name);
    static Owner ended(const std::string& account) { return {OwnerKind::ended, account}; }

    // The inverse of text(). fail: throws std::invalid_argument for a text of another form
    static Owner parse(std::string_view text);

    OwnerKind kind() const { return kind_; }
    const std::string& id() const { return id_; }
    std::string text() const; // "flow:…", "session:…", "key:…", "user:…", "ended:…"
    // With the first 8 characters of the id: enough to find somebody, and too little to be them.
    std::string short_text() const;

    bool operator==(const Owner&) const = default;

private:
    Owner(OwnerKind kind, std::string id) : kind_(kind), id_(std::move(id)) {}

    OwnerKind kind_ = OwnerKind::ended;
    std::string id_;
};

} // namespace consentgate::core
