// Sign-ins that end from outside, with the sessions that came of them. in, out, fail, threads: as
// store.h says for all stores.
#pragma once

#include "consentgate/core/oauth/views.h"
#include "consentgate/core/signin/browser_signin.h"
#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/store/failure.h"

#include <optional>
#include <string>
#include <vector>

namespace consentgate::store {

class Database;

// A provider's logout token that was believed. spec: docs/requirements_signin.md SI60, SI61
struct Logout {
    core::Digest use;                       // of its jti
    std::string id;                         // fresh, of this request
    core::IdpId idp;                        // that sent it
    core::LogoutEffect effect{};            // that the operator wants
    std::optional<core::Digest> sid{};      // the sign-ins that it names,
    std::optional<core::PersonId> person{}; // and the person; one of the two is there
    core::Instant issued_at{};
    core::Instant forget_after{};
};

struct EndedSignins {
    std::vector<core::SigninId> signins;
    std::vector<core::Session> sessions; // as they were
};

class LogoutStore {
public:
    explicit LogoutStore(Database& db) : db_(db) {}

    // One transaction: the token is used up, and ends the sign-ins and sessions that its effect
    // says, with the linked accounts that are the sessions' alone.
    // out: absent: the token was used before, and nothing ends
    std::optional<EndedSignins> apply(const Logout& logout, core::Instant now);
    // A logout was here while the sign-in was under way, so that it must not stand.
    // in: issued_at  of its ID token
    bool came_meanwhile(const core::BrowserSignin& signin, core::Instant issued_at);

private:
    void end_late_ones(const Logout& logout, core::Instant now, EndedSignins& ended);

    Database& db_;
};

} // namespace consentgate::store
