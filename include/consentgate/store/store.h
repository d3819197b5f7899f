// The one door to the database: verbs of the domain, each a single unit of work. No transaction
// leaves this module.
//
// find_ may be absent; put_ inserts; the others are conditional writes whose affected-row count is
// the answer. Threads: one Store belongs to one worker process and is used by one thread. Open it
// after the fork. Errors:  every verb throws StoreFailure when the database cannot do it; the world
// is then as it was before the call
//          (unless the failure says that its outcome is not known), and the next call tries the
//            database afresh.
#pragma once

#include "consentgate/core/oauth/access.h"
#include "consentgate/core/oauth/consent.h"
#include "consentgate/core/oauth/introspection.h"
#include "consentgate/core/oauth/refresh.h"
#include "consentgate/core/upstream/service.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace consentgate::store {

// The database is away, locked beyond the wait, read-only, full or broken. The text is for the log:
// it names the engine's kind of error and never holds SQL, values or connection strings.
class StoreFailure : public std::runtime_error {
public:
    explicit StoreFailure(const std::string& text, bool outcome_known = true)
        : std::runtime_error(text), outcome_known_(outcome_known) {}
    // False: the answer to a commit was lost and could not be found out in time, so it may have
    // taken effect.
    bool outcome_known() const { return outcome_known_; }

private:
    bool outcome_known_;
};

enum class Applied {
    yes,
    no
}; // gone: the row was not there, or not as the condition asked; nothing was written

// A flow with what its pages must name.
struct FlowView {
    core::Flow flow;
    std::string client_name;
    bool client_by_operator = false;
    bool client_active = false;
    std::string virtual_key_name; // of an identity that is a virtual key; else empty
};

// A code and the session it gives, as read in one statement.
struct CodeView {
    core::IssuedCode code;
    core::Session session;
};

// known: servers have it in their key files, and nothing was written with it yet. used: the key
// file must hold it. removed: nothing needs it any more; the row stays, so that a key file that
// still has it does not bring it back.
enum class KeyState { known, used, removed };

struct ServerKeyRecord {
    core::KeyId id;
    core::Digest fingerprint;
    KeyState state = KeyState::used;
    core::Instant created_at{};
};

// What needs a server key still.
struct KeyUse {
    core::KeyId key;
    std::size_t accounts = 0, services = 0; // which are encrypted with it
    std::size_t refresh_tokens = 0; // whose successors are computed with it, used ones included
    std::size_t codes = 0, upstream_states = 0; // these run out by themselves
    std::optional<core::Instant> last_use{};    // of its used refresh tokens
    std::optional<core::Instant> last_expiry{}; // of its codes and upstream states
    std::size_t total() const {
        return accounts + services + refresh_tokens + codes + upstream_states;
    }
};

// A row that was encrypted anew, and the key it was encrypted with before.
struct RekeyedAccount {
    core::LinkedAccount token;
    core::KeyId before;
};

// One step of a walk over a table.
struct Step {
    std::string last; // where the next step goes on; empty: this was the last one
    std::size_t found = 0, changed = 0;
};

struct IntrospectionLookup {
    std::optional<core::ResourceServer>
        server; // absent: there is none of that id, and nothing was looked for
    std::optional<core::SessionView> view; // as of find_session
};

// A service, and what an owner has connected there.
struct ServiceAccount {
    std::optional<core::Service>
        service; // absent: there is none of that id, and nothing was looked for
    std::optional<core::LinkedAccount> token; // absent: nothing is connected
};

struct Swept {
    std::size_t flows = 0, codes = 0, sessions = 0, tokens = 0, clients = 0;
    std::size_t keys = 0; // whose upstream tokens ended; they stay themselves
    std::size_t total() const { return flows + codes + sessions + tokens + clients + keys; }
};

class Store {
public:
    virtual ~Store() = default;

    // clients
    virtual void put_client(const core::Client& client) = 0;
    virtual std::optional<core::Client> find_client(const core::ClientId& id) = 0;
    virtual std::vector<core::Client> list_clients() = 0; // newest first
    virtual Applied disable_client(const core::ClientId& id) = 0;
    virtual void record_client_use(const core::ClientId& id, core::Instant now) = 0; // last_used_at

    // Uses up a client's assertion. gone: it was used before. in: use  a fresh id that marks who
    // used it
    virtual Applied use_assertion(
        const core::Digest& assertion, core::Instant expires_at, const std::string& use) = 0;

    // resource servers
    virtual void put_resource_server(const core::ResourceServer& server) = 0;
    virtual std::optional<core::ResourceServer> find_resource_server(
        const core::ResourceServerId& id) = 0;
    virtual std::vector<core::ResourceServer> list_resource_servers() = 0; // newest first
    // The one who asks about a token, and the session of that token: one question to the database,
    // because it is asked for each call to a server of theirs.
    virtual IntrospectionLookup find_introspection_lookup(
        const core::ResourceServerId& server, const core::Digest& token) = 0;
    virtual Applied disable_resource_server(const core::ResourceServerId& id) = 0;

    // Keys that are fetched at a client's jwks_uri. gone: another one has begun to look for a
    // client's other keys since `before`. done: it is for the caller to fetch them.
    virtual Applied claim_keys(
        const core::ClientId& id, core::Instant now, core::Instant before) = 0;
    // gone: the client has another jwks_uri by now, or is no more; nothing was written. in: client
    // id, jwks_uri, jwks, jwks_expires_at
    virtual Applied save_keys(const core::Client& client) = 0;

    // clients that a document describes
    // Until when the client's row stands for its document; absent when the client has none.
    virtual std::optional<core::Instant> find_document(const core::ClientId& id) = 0;
    // Inserts the client, or changes what its document says of it; an operator's word (`active`)
    // stays. gone: a client of that id is there that no document made; nothing was written.
    virtual Applied put_document(const core::Client& client, core::Instant expires_at) = 0;

    // flows
    virtual void put_flow(const core::Flow& flow) = 0;
    virtual std::optional<FlowView> find_flow(const core::FlowId& id) = 0;
    // The browser that finished this flow; absent when it was never finished, or so long ago that
    // its session is swept.
    virtual std::optional<core::Digest> find_finalized(const core::FlowId& id) = 0;
    // Sets who the person is and raises the revision. gone: the flow is finished, denied, expired
    // or changed meanwhile.
    virtual Applied choose_identity(
        const core::FlowId& id, std::int64_t revision, const core::Identity& identity,
        core::Instant now) = 0;
    // The heart: consumes the flow, creates the session, moves the upstream tokens, issues the
    // code; all or nothing. gone: the flow is no longer there as it was judged (finished, denied,
    // expired, or its identity changed).
    virtual Applied finalize_flow(const core::Finalization& finalization) = 0;
    // Deletes the flow and ends the upstream tokens connected during it.
    virtual Applied deny_flow(const core::FlowId& id, core::Instant now) = 0;

    // codes and sessions
    virtual std::optional<CodeView> find_code(const core::Digest& hash) = 0;
    // gone: spent, by this time. The code stays, marked, until its session is swept.
    // in: redemption  a fresh id that marks who redeemed it: when the answer to a commit is lost,
    //       it tells us from another
    //     refresh  the first refresh token of its session, when it gets one: the session then lasts
    //       as long as that
    virtual Applied redeem_code(
        const core::Digest& hash, const std::string& redemption,
        const std::optional<core::RefreshToken>& refresh, core::Instant now) = 0;
    // By any of its access tokens; scope and token_expires_at are then that token's.
    virtual std::optional<core::SessionView> find_session(const core::Digest& token) = 0;
    virtual std::vector<core::SessionView> list_sessions(
        core::Instant now) = 0; // alive, newest first, at most 1000
    // The latest sessions, still standing, by which this browser consented to this client, at most
    // 10, newest first.
    virtual std::vector<core::SessionView> list_consents(
        const core::Digest& browser, const core::ClientId& client) = 0;
    // All that this browser consented to and that stands, newest first, at most 100.
    virtual std::vector<core::SessionView> list_browser_sessions(
        const core::Digest& browser, core::Instant now) = 0;
    virtual std::optional<core::SessionView> find_session(const core::SessionId& id) = 0;
    virtual Applied revoke_session(
        const core::SessionId& id,
        core::Instant now) = 0; // with the upstream tokens that are its alone
    // Ends one access token; the session's other tokens stay. gone: there is none, or it has ended.
    virtual Applied revoke_access_token(const core::Digest& token, core::Instant now) = 0;

    // refresh tokens
    virtual std::optional<core::RefreshView> find_refresh_token(const core::Digest& hash) = 0;
    // Marks the token used and writes what follows it, and lets the session last as long. gone: it
    // was used meanwhile.
    virtual Applied rotate_refresh_token(const core::Rotation& rotation, core::Instant now) = 0;
    // An access token for a rotation that was made already; nothing when it is there.
    virtual void put_access_token(const core::AccessToken& token) = 0;

    // virtual keys
    virtual void put_virtual_key(const core::VirtualKey& key) = 0;
    virtual std::optional<core::VirtualKey> find_virtual_key(const core::VirtualKeyId& id) = 0;
    virtual std::optional<core::VirtualKey> find_virtual_key(const core::Digest& hash) = 0;
    virtual std::vector<core::VirtualKey> list_virtual_keys() = 0; // newest first
    // For good: what people connected with it ends too.
    virtual Applied disable_virtual_key(const core::VirtualKeyId& id, core::Instant now) = 0;

    // services
    virtual void put_service(const core::Service& service) = 0;
    virtual std::optional<core::Service> find_service(const core::ServiceId& id) = 0;
    virtual std::vector<core::Service> list_services() = 0; // by id
    // Writes all of it and raises the version. gone: it was changed or removed since
    // `service.version` was read.
    virtual Applied update_service(const core::Service& service) = 0;
    // gone: there is none, or something that people connected there is left, ended or not. in:
    // leave  removes that too, untold
    virtual Applied remove_service(const core::ServiceId& id, bool leave) = 0;

    // people on the way to a service and back
    virtual void put_upstream_state(const core::UpstreamState& state) = 0;
    virtual std::optional<core::UpstreamState> find_upstream_state(const core::Digest& state) = 0;
    // Whether this browser was sent to the service and has not come back.
    virtual bool has_upstream_state(
        const core::Digest& browser, const core::ServiceId& service) = 0;
    // Uses it up. gone: it was used before, or has expired.
    virtual Applied consume_upstream_state(const core::Digest& state, core::Instant now) = 0;
    // Uses up a link for connecting later. gone: it was used before. in: use  a fresh id that marks
    // who used it
    virtual Applied use_link(
        const core::Digest& link, core::Instant expires_at, const std::string& use) = 0;

    // upstream tokens. Connecting replaces what the owner had at the service.
    // The flow's; the owner is set here. gone: the flow is no longer open.
    virtual Applied connect_in_flow(
        const core::FlowId& flow, const core::LinkedAccount& token, core::Instant now) = 0;
    // The token's owner's, who is that of the session. gone: the session is over.
    virtual Applied connect_in_session(
        const core::SessionId& session, const core::LinkedAccount& token, core::Instant now) = 0;
    virtual std::optional<core::LinkedAccount> find_account(
        const std::string& owner, const core::ServiceId& service) = 0;
    virtual ServiceAccount find_service_account(
        const std::string& owner,
        const core::ServiceId& service) = 0; // both in one question to the database
    virtual std::vector<core::LinkedAccount> list_accounts(
        const std::string& owner) = 0;                                             // by service
    virtual void record_account_use(const std::string& id, core::Instant now) = 0; // last_used_at
    // Takes it from its owner; it stays until its service was told. gone: it has ended before
    virtual Applied end_account(const std::string& id, core::Instant now) = 0;
    // Of those that ended, whose services are to be told now, longest ended first. Who tells claims
    // it as for refreshing, and then removes it, or notes the failure and puts off all of the
    // service.
    virtual std::vector<core::LinkedAccount> list_accounts_to_revoke(
        core::Instant now, std::size_t limit) = 0;
    virtual void postpone_revocations(const core::ServiceId& service, core::Instant until) = 0;
    // All of one service: ends at most `most` of those that have not ended (out: how many); those
    // that have, and nobody tells of, put off or not; how many there are in all.
    virtual std::size_t end_accounts_at(
        const core::ServiceId& service, core::Instant now, std::size_t limit) = 0;
    virtual std::vector<core::LinkedAccount> list_accounts_to_revoke_at(
        const core::ServiceId& service, core::Instant now, std::size_t limit) = 0;
    virtual std::size_t count_accounts_at(const core::ServiceId& service) = 0;
    virtual Applied remove_account(const std::string& id) = 0;

    // Refreshing: whoever claims may ask the service, and nobody else before `until`.
    // in:  lease  a fresh id. gone: somebody holds a lease, or the token has changed since
    //             `version` was read
    virtual Applied claim_refresh(
        const std::string& id, std::int64_t version, const std::string& lease, core::Instant until,
        core::Instant now) = 0;
    // Both end the lease and write the token's state; `keep` writes its new content too. gone: the
    // lease is no longer ours.
    virtual Applied save_refreshed(
        const core::LinkedAccount& token, const std::string& lease, core::Instant now) = 0;
    virtual Applied note_refresh_failure(
        const core::LinkedAccount& token, const std::string& lease, core::Instant now) = 0;

    // upkeep Deletes what has been expired for long enough, at most `most` rows of each kind;
    // clients unused since `unused_since`. The upstream tokens of the flows and sessions among it
    // end, and those of virtual keys that are disabled or have expired.
    virtual Swept sweep(core::Instant now, core::Instant unused_since, std::size_t limit) = 0;
    virtual std::vector<ServerKeyRecord> list_server_keys() = 0; // oldest first
    virtual void put_server_key(const ServerKeyRecord& key, core::Instant now) = 0;
    virtual Applied set_server_key_state(const core::KeyId& key, KeyState state) = 0;

    // moving rows from older server keys to `key`
    virtual std::vector<KeyUse> list_key_uses(
        core::Instant now) = 0; // one of each key that has rows
    // Tokens under another key, in the order of their ids from `after` on, at most `most`.
    virtual std::vector<core::LinkedAccount> list_accounts_to_rekey(
        const core::KeyId& key, const std::string& after, std::size_t limit) = 0;
    // Each unless it was changed since it was read; lease and version stay, because what it says is
    // the same. out: how many
    virtual std::size_t rekey_accounts(const std::vector<RekeyedAccount>& tokens) = 0;
    // gone: it was changed since it was read.
    virtual Applied rekey_service(const core::Service& service, const core::KeyId& before) = 0;
    // Unused refresh tokens, and those used before `used_before`, which are not answered again.
    virtual Step rekey_refresh_tokens(
        const core::KeyId& key, core::Instant used_before, const std::string& after,
        std::size_t limit) = 0;
    virtual int schema_version() = 0; // 0 when there is no schema
};

} // namespace consentgate::store
