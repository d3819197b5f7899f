// Ways to finalize a flow: our store, and the programs that it is compared with.
#pragma once

#include "consentgate/core/oauth/consent.h"
#include "consentgate/store/open.h"

#include <array>
#include <functional>
#include <memory>
#include <string>

namespace consentgate::bench {

class Finalizer {
public:
    virtual ~Finalizer() = default;
    virtual void finalize(
        const core::Finalization& finalization) = 0; // throws when it was not done
};

// Opens the database at once, so that no measured transaction pays for it. Call it after the fork.
using OpenFinalizer = std::function<std::unique_ptr<Finalizer>()>;

// The statements of all of them, between the engine's own BEGIN and COMMIT.
enum Step { consume, insert_session, insert_code, steps };
inline constexpr std::array<const char*, steps> step_texts = {
    "DELETE FROM flow WHERE id = ? AND revision = ? AND expires_at > ? AND "
    "COALESCE((SELECT p.version FROM policy_version p WHERE p.id = 'policy'), 0) = ?",
    "INSERT INTO session (id, flow_id, token_hash, browser_hash, client_id, identity_kind, "
    "identity_value, virtual_key_id, scope, "
    "resource, created_at, expires_at, revoked_at, redirect_uri, client_url, person_id, "
    "signin_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "INSERT INTO code (code_hash, session_id, client_id, redirect_uri, code_challenge, key_id, "
    "expires_at, state, client_url) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
};

// A comparison means something only while both sides run the same statements: finalizes this flow
// with our store, and throws when its statements differ.
void check_step_texts(const store::StoreConfig& config, const core::Finalization& finalization);

std::unique_ptr<Finalizer> open_our_finalizer(const store::StoreConfig& config);

// A plain C program against the engine's own library: statements prepared once, the engine's own
// waiting, no exceptions on the way, no copies of bound values.
std::unique_ptr<Finalizer> open_sqlite_finalizer(const store::StoreConfig& config);
std::unique_ptr<Finalizer> open_mariadb_finalizer(const store::StoreConfig& config);

} // namespace consentgate::bench
