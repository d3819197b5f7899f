// Browsers on the way to an identity provider and back, and their sign-ins. in, out, fail, threads:
// as store.h says for all stores.
#pragma once

#include "consentgate/core/oauth/flow.h"
#include "consentgate/core/signin/browser_signin.h"
#include "consentgate/store/failure.h"

#include <optional>
#include <string>
#include <vector>

namespace consentgate::store {

class Database;

// The rows that the provider's good answer writes. spec: docs/requirements_signin.md SI23
struct FinishedSignin {
    core::Person person;                    // as the provider says now
    core::BrowserSignin signin;             // the new one
    std::optional<core::Digest> replaced{}; // the cookie of the browser's earlier one
    // The flow that it is for, at the revision that was read; absent: none, or it is over.
    std::optional<core::Flow> flow{};
};

class SigninStore {
public:
    explicit SigninStore(Database& db) : db_(db) {}

    // Deletes the oldest of this browser when it has too many.
    void put_state(const core::SigninState& state);
    std::optional<core::SigninState> find_state(const core::Digest& state);
    // Deletes it. no: another request did, or it has expired.
    Applied consume_state(const core::Digest& state, core::Instant now);

    // One transaction: writes the person, whose snapshot stays when it is from a later ID token;
    // ends the browser's earlier sign-in; makes the new one; and gives the person to the flow,
    // whose accounts end when they were another's.
    // no: the flow is not as it was read; nothing is written.
    Applied finish(const FinishedSignin& finished, core::Instant now);

    // By its cookie, ended ones too.
    std::optional<core::SignedIn> find(const core::Digest& cookie);
    // no: it had ended before.
    Applied end(const core::SigninId& id, core::SigninEnd by, core::Instant now);
    bool is_of(const core::SigninId& id, const core::PersonId& person);
    // All of a person that have not ended. out: how many
    std::size_t end_all(const core::PersonId& person, core::SigninEnd by, core::Instant now);
    // Those of a person that stand now, newest first, at most 100.
    std::vector<core::BrowserSignin> list_of_person(const core::PersonId& id, core::Instant now);

private:
    Database& db_;
};

} // namespace consentgate::store
