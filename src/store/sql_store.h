// The SQL implementation of Store; private to this module. Its verbs are spread over sql_*.cpp by
// subject, each statement beside its bindings, because a positional `?` and what fills it must be
// read together.
#pragma once

#include "consentgate/store/store.h"
#include "database.h"

namespace consentgate::store {

class SqlStore final : public Store {
public:
    explicit SqlStore(StoreConfig config)
        : sessions_(config.may_reuse_consent),
          accounts_(config.may_reuse_consent),
          lookups_cache_(config.may_reuse_consent),
          db_(std::move(config)) {}

    void put_client(const core::Client& client) override;
    std::optional<core::Client> find_client(const core::ClientId& id) override;
    std::vector<core::Client> list_clients() override;
    Applied disable_client(const core::ClientId& id) override;
    Applied use_assertion(
        const core::Digest& assertion, core::Instant expires_at, const std::string& use) override;
    void put_resource_server(const core::ResourceServer& server) override;
    std::optional<core::ResourceServer> find_resource_server(
        const core::ResourceServerId& id) override;
    std::vector<core::ResourceServer> list_resource_servers() override;
    Applied disable_resource_server(const core::ResourceServerId& id) override;
    IntrospectionLookup find_introspection_lookup(
        const core::ResourceServerId& server, const core::Digest& token) override;
    void record_client_use(const core::ClientId& id, core::Instant now) override;

    std::optional<core::Instant> find_document(const core::ClientId& id) override;
    Applied put_document(const core::Client& client, core::Instant expires_at) override;
    Applied claim_keys(const core::ClientId& id, core::Instant now, core::Instant before) override;
    Applied save_keys(const core::Client& client) override;

    void put_flow(const core::Flow& flow) override;
    std::optional<FlowView> find_flow(const core::FlowId& id) override;
    std::optional<core::Digest> find_finalized(const core::FlowId& id) override;
    Applied choose_identity(
        const core::FlowId& id, std::int64_t revision, const core::Identity& identity,
        core::Instant now) override;
    Applied finalize_flow(const core::Finalization& finalization) override;
    Applied deny_flow(const core::FlowId& id, core::Instant now) override;

    std::optional<CodeView> find_code(const core::Digest& hash) override;
    Applied redeem_code(
        const core::Digest& hash, const std::string& redemption,
        const std::optional<core::RefreshToken>& refresh, core::Instant now) override;
    std::optional<core::SessionView> find_session(const core::Digest& token) override;
    std::vector<core::SessionView> list_sessions(core::Instant now) override;
    std::vector<core::SessionView> list_browser_sessions(
        const core::Digest& browser, core::Instant now) override;
    std::optional<core::SessionView> find_session(const core::SessionId& id) override;
    std::vector<core::SessionView> list_consents(
        const core::Digest& browser, const core::ClientId& client) override;
    Applied revoke_session(const core::SessionId& id, core::Instant now) override;
    Applied revoke_access_token(const core::Digest& token, core::Instant now) override;

    std::optional<core::RefreshView> find_refresh_token(const core::Digest& hash) override;
    Applied rotate_refresh_token(const core::Rotation& rotation, core::Instant now) override;
    void put_access_token(const core::AccessToken& token) override;

    void put_virtual_key(const core::VirtualKey& key) override;
    std::optional<core::VirtualKey> find_virtual_key(const core::VirtualKeyId& id) override;
    std::optional<core::VirtualKey> find_virtual_key(const core::Digest& hash) override;
    std::vector<core::VirtualKey> list_virtual_keys() override;
    Applied disable_virtual_key(const core::VirtualKeyId& id, core::Instant now) override;

    void put_service(const core::Service& service) override;
    std::optional<core::Service> find_service(const core::ServiceId& id) override;
    std::vector<core::Service> list_services() override;
    Applied update_service(const core::Service& service) override;
    Applied remove_service(const core::ServiceId& id, bool leave) override;

    void put_upstream_state(const core::UpstreamState& state) override;
    std::optional<core::UpstreamState> find_upstream_state(const core::Digest& state) override;
    bool has_upstream_state(const core::Digest& browser, const core::ServiceId& service) override;
    Applied consume_upstream_state(const core::Digest& state, core::Instant now) override;
    Applied use_link(
        const core::Digest& link, core::Instant expires_at, const std::string& use) override;

    Applied connect_in_flow(
        const core::FlowId& flow, const core::LinkedAccount& token, core::Instant now) override;
    Applied connect_in_session(
        const core::SessionId& session, const core::LinkedAccount& token,
        core::Instant now) override;
    std::optional<core::LinkedAccount> find_account(
        const std::string& owner, const core::ServiceId& service) override;
    ServiceAccount find_service_account(
        const std::string& owner, const core::ServiceId& service) override;
    std::vector<core::LinkedAccount> list_accounts(const std::string& owner) override;
    void record_account_use(const std::string& id, core::Instant now) override;
    Applied end_account(const std::string& id, core::Instant now) override;
    std::vector<core::LinkedAccount> list_accounts_to_revoke(
        core::Instant now, std::size_t limit) override;
    void postpone_revocations(const core::ServiceId& service, core::Instant until) override;
    std::size_t end_accounts_at(
        const core::ServiceId& service, core::Instant now, std::size_t limit) override;
    std::vector<core::LinkedAccount> list_accounts_to_revoke_at(
        const core::ServiceId& service, core::Instant now, std::size_t limit) override;
    std::size_t count_accounts_at(const core::ServiceId& service) override;
    Applied remove_account(const std::string& id) override;
    Applied claim_refresh(
        const std::string& id, std::int64_t version, const std::string& lease, core::Instant until,
        core::Instant now) override;
    Applied save_refreshed(
        const core::LinkedAccount& token, const std::string& lease, core::Instant now) override;
    Applied note_refresh_failure(
        const core::LinkedAccount& token, const std::string& lease, core::Instant now) override;

    Swept sweep(core::Instant now, core::Instant unused_since, std::size_t limit) override;
    std::vector<ServerKeyRecord> list_server_keys() override;
    void put_server_key(const ServerKeyRecord& key, core::Instant now) override;
    Applied set_server_key_state(const core::KeyId& key, KeyState state) override;
    std::vector<KeyUse> list_key_uses(core::Instant now) override;
    std::vector<core::LinkedAccount> list_accounts_to_rekey(
        const core::KeyId& key, const std::string& after, std::size_t limit) override;
    std::size_t rekey_accounts(const std::vector<RekeyedAccount>& tokens) override;
    Applied rekey_service(const core::Service& service, const core::KeyId& before) override;
    Step rekey_refresh_tokens(
        const core::KeyId& key, core::Instant used_before, const std::string& after,
        std::size_t limit) override;
    int schema_version() override;

private:
    // Parts of finalize_flow, inside its transaction.
    void insert_session(const core::Session& session);
    void insert_code(const core::IssuedCode& code);
    // Of redeem_code and rotate_refresh_token.
    void insert_refresh_token(const core::RefreshToken& token);
    void insert_access_token(const core::AccessToken& token);
    std::optional<core::SessionView> find_refreshed_session(
        const core::Digest& token); // by an access token that a refresh gave
    void transfer_accounts(const std::string& from, const std::string& to, core::Instant now);

    void insert_client(const core::Client& client);
    void change_keys(const core::Client& client);
    std::size_t sweep_documents(core::Instant now, std::size_t limit);
    std::vector<std::string> find_ended_keys(core::Instant now, std::size_t limit);

    void end_accounts_of(const std::string& owner, core::Instant now);
    void insert_account(
        const core::LinkedAccount& token, const std::string& owner, core::Instant now);

    // A table of things that are good once.
    struct Once {
        const char *used, *own, *insert;
    };
    Applied use_once(
        const Once& sql, const core::Digest& thing, core::Instant expires_at,
        const std::string& use);

    bool has_flow(const core::FlowId& id);
    template <class... Bound>
    std::vector<core::VirtualKey> query_virtual_keys(const char* sql, const Bound&... bound);
    template <class... Bound>
    std::vector<core::SessionView> query_sessions(const char* sql, const Bound&... bound);
    // Values of one text column, for the two-step deletes of sweep.
    std::vector<std::string> names(const char* sql, core::Instant before, std::size_t limit);

    Recent<core::SessionView> sessions_; // by token
    Recent<ServiceAccount> accounts_;    // by owner and service
    Recent<IntrospectionLookup>
        lookups_cache_; // by resource server and token, of tokens that were found
    Database db_;
};

inline Applied applied(std::size_t rows) { return rows == 1 ? Applied::yes : Applied::no; }

} // namespace consentgate::store
