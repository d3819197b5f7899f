// The SQL implementation of Store; private to this room. Its verbs are spread over sql_*.cpp by subject, each statement
// beside its bindings, because a positional `?` and what fills it must be read together.
#pragma once

#include "connection.h"
#include "consentgate/store/store.h"

namespace consentgate::store {

class SqlStore final : public Store {
public:
    explicit SqlStore(StoreConfig config) : sessions_(config.remembered), accounts_(config.remembered), enquiries_(config.remembered), db_(std::move(config)) {}

    void put_client(const core::Client& client) override;
    std::optional<core::Client> find_client(const core::ClientId& id) override;
    std::vector<core::Client> list_clients() override;
    Outcome disable_client(const core::ClientId& id) override;
    Outcome use_assertion(const core::Digest& assertion, core::Instant expires_at, const std::string& use) override;
    void put_resource_server(const core::ResourceServer& server) override;
    std::optional<core::ResourceServer> find_resource_server(const core::ResourceServerId& id) override;
    std::vector<core::ResourceServer> list_resource_servers() override;
    Outcome disable_resource_server(const core::ResourceServerId& id) override;
    Enquiry find_enquiry(const core::ResourceServerId& server, const core::Digest& token) override;
    void touch_client(const core::ClientId& id, core::Instant now) override;

    std::optional<core::Instant> find_document(const core::ClientId& id) override;
    Outcome put_document(const core::Client& client, core::Instant expires_at) override;
    Outcome claim_keys(const core::ClientId& id, core::Instant now, core::Instant before) override;
    Outcome put_keys(const core::Client& client) override;

    void put_flow(const core::Flow& flow) override;
    std::optional<FlowView> find_flow(const core::FlowId& id) override;
    std::optional<core::Digest> find_settled(const core::FlowId& id) override;
    Outcome choose_identity(const core::FlowId& id, std::int64_t revision, const core::Identity& identity, core::Instant now) override;
    Outcome settle_flow(const core::Settlement& settlement) override;
    Outcome deny_flow(const core::FlowId& id, core::Instant now) override;

    std::optional<CodeView> find_code(const core::Digest& hash) override;
    Outcome redeem_code(const core::Digest& hash, const std::string& redemption, const std::optional<core::RefreshToken>& refresh, core::Instant now) override;
    std::optional<core::SessionView> find_session(const core::Digest& token) override;
    std::vector<core::SessionView> list_sessions(core::Instant now) override;
    std::vector<core::SessionView> list_browser_sessions(const core::Digest& browser, core::Instant now) override;
    std::optional<core::SessionView> find_session(const core::SessionId& id) override;
    std::vector<core::SessionView> list_consents(const core::Digest& browser, const core::ClientId& client) override;
    Outcome revoke_session(const core::SessionId& id, core::Instant now) override;
    Outcome revoke_access_token(const core::Digest& token, core::Instant now) override;

    std::optional<core::RefreshView> find_refresh_token(const core::Digest& hash) override;
    Outcome rotate_refresh_token(const core::Rotation& rotation, core::Instant now) override;
    void put_access_token(const core::AccessToken& token) override;

    void put_virtual_key(const core::VirtualKey& key) override;
    std::optional<core::VirtualKey> find_virtual_key(const core::VirtualKeyId& id) override;
    std::optional<core::VirtualKey> find_virtual_key(const core::Digest& hash) override;
    std::vector<core::VirtualKey> list_virtual_keys() override;
    Outcome disable_virtual_key(const core::VirtualKeyId& id, core::Instant now) override;

    void put_service(const core::Service& service) override;
    std::optional<core::Service> find_service(const core::ServiceId& id) override;
    std::vector<core::Service> list_services() override;
    Outcome update_service(const core::Service& service) override;
    Outcome remove_service(const core::ServiceId& id, bool leave) override;

    void put_upstream_state(const core::UpstreamState& state) override;
    std::optional<core::UpstreamState> find_upstream_state(const core::Digest& state) override;
    bool has_upstream_state(const core::Digest& browser, const core::ServiceId& service) override;
    Outcome take_upstream_state(const core::Digest& state, core::Instant now) override;
    Outcome use_link(const core::Digest& link, core::Instant expires_at, const std::string& use) override;

    Outcome connect_in_flow(const core::FlowId& flow, const core::UpstreamToken& token, core::Instant now) override;
    Outcome connect_in_session(const core::SessionId& session, const core::UpstreamToken& token, core::Instant now) override;
    std::optional<core::UpstreamToken> find_upstream_token(const std::string& owner, const core::ServiceId& service) override;
    Account find_account(const std::string& owner, const core::ServiceId& service) override;
    std::vector<core::UpstreamToken> list_upstream_tokens(const std::string& owner) override;
    void touch_upstream_token(const std::string& id, core::Instant now) override;
    Outcome end_upstream_token(const std::string& id, core::Instant now) override;
    std::vector<core::UpstreamToken> list_ended_tokens(core::Instant now, std::size_t most) override;
    void postpone_ended_tokens(const core::ServiceId& service, core::Instant until) override;
    std::size_t end_tokens_at(const core::ServiceId& service, core::Instant now, std::size_t most) override;
    std::vector<core::UpstreamToken> list_ended_tokens_at(const core::ServiceId& service, core::Instant now, std::size_t most) override;
    std::size_t count_tokens_at(const core::ServiceId& service) override;
    Outcome remove_upstream_token(const std::string& id) override;
    Outcome claim_refresh(const std::string& id, std::int64_t version, const std::string& lease, core::Instant until, core::Instant now) override;
    Outcome keep_refreshed(const core::UpstreamToken& token, const std::string& lease, core::Instant now) override;
    Outcome note_refresh_failure(const core::UpstreamToken& token, const std::string& lease, core::Instant now) override;

    Swept sweep(core::Instant now, core::Instant unused_since, std::size_t most) override;
    std::vector<ServerKeyRecord> list_server_keys() override;
    void put_server_key(const ServerKeyRecord& key, core::Instant now) override;
    Outcome set_server_key_state(const core::KeyId& key, KeyState state) override;
    std::vector<KeyUse> list_key_uses(core::Instant now) override;
    std::vector<core::UpstreamToken> list_tokens_to_rekey(const core::KeyId& key, const std::string& after, std::size_t most) override;
    std::size_t rekey_upstream_tokens(const std::vector<RekeyedToken>& tokens) override;
    Outcome rekey_service(const core::Service& service, const core::KeyId& before) override;
    Step rekey_refresh_tokens(const core::KeyId& key, core::Instant used_before, const std::string& after, std::size_t most) override;
    int schema_version() override;

private:
    // Parts of settle_flow, inside its transaction.
    void insert_session(const core::Session& session);
    void insert_code(const core::IssuedCode& code);
    // Of redeem_code and rotate_refresh_token.
    void insert_refresh_token(const core::RefreshToken& token);
    void insert_access_token(const core::AccessToken& token);
    std::optional<core::SessionView> find_refreshed_session(const core::Digest& token); // by an access token that a refresh gave
    void transfer_upstream_tokens(const std::string& from, const std::string& to, core::Instant now);

    void insert_client(const core::Client& client);
    void change_keys(const core::Client& client);
    std::size_t sweep_documents(core::Instant now, std::size_t most);
    std::vector<std::string> find_ended_keys(core::Instant now, std::size_t most);

    void end_tokens_of(const std::string& owner, core::Instant now);
    void insert_upstream_token(const core::UpstreamToken& token, const std::string& owner, core::Instant now);

    // A table of things that are good once.
    struct Once {
        const char *used, *own, *insert;
    };
    Outcome use_once(const Once& sql, const core::Digest& thing, core::Instant expires_at, const std::string& use);

    bool has_flow(const core::FlowId& id);
    template <class... Bound> std::vector<core::VirtualKey> query_virtual_keys(const char* sql, const Bound&... bound);
    template <class... Bound> std::vector<core::SessionView> query_sessions(const char* sql, const Bound&... bound);
    // Values of one text column, for the two-step deletes of sweep.
    std::vector<std::string> names(const char* sql, core::Instant before, std::size_t most);

    Recent<core::SessionView> sessions_; // by token
    Recent<Account> accounts_;           // by owner and service
    Recent<Enquiry> enquiries_;          // by resource server and token, of tokens that were found
    Connection db_;
};

inline Outcome outcome(std::size_t rows) { return rows == 1 ? Outcome::done : Outcome::gone; }

} // namespace consentgate::store
