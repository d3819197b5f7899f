#include "consentgate/app/old_names.h"

#include <algorithm>
#include <array>

namespace consentgate::app {
namespace {

// The first word of a command. These still work until the next version, with a notice.
constexpr std::array commands{
    OldName{"", "vault", "server-key"},
};

constexpr std::array options{
    OldName{"server-key rotate", "unseen", "without-reload"},
    OldName{"service remove", "untold", "without-revocation"},
    OldName{"service add", "title", "name"},
    OldName{"client add", "keys", "keys-file"},
    OldName{"check", "keys", "defaults"},
};

constexpr std::array config_keys{
    OldName{"", "database_wait_ms", "database_timeout_ms"},
    OldName{"", "client_documents", "client_documents_enabled"},
};

constexpr std::array json_members{
    OldName{"client show", "proves_itself_by", "token_endpoint_auth_method"},
    OldName{"client show", "refreshes", "refresh_tokens"},
    OldName{"session list", "client", "client_name"},
    OldName{"session list", "since", "created"},
    OldName{"token introspect", "why_not", "reason"},
    OldName{"token introspect", "session", "session_id"},
    OldName{"token introspect", "client", "client_id"},
    OldName{"token introspect", "since", "created"},
    OldName{"resource add", "scopes", "scope"},
    OldName{"resource list", "scopes", "scope"},
    OldName{"service add", "auth_method", "token_endpoint_auth_method"},
    OldName{"service add", "has_secret", "has_client_secret"},
    OldName{"service add", "sends_iss", "authorization_response_iss_parameter_supported"},
    OldName{"service show", "auth_method", "token_endpoint_auth_method"},
    OldName{"service show", "has_secret", "has_client_secret"},
    OldName{"service show", "sends_iss", "authorization_response_iss_parameter_supported"},
    OldName{"server-key list", "use", "state"},
    OldName{"server-key list", "upstream_tokens", "linked_accounts"},
    OldName{"server-key list", "sign_ins", "upstream_authorizations"},
    OldName{"server-key rotate", "upstream_tokens", "linked_accounts"},
    OldName{"doctor", "what_to_do", "fix"},
};

constexpr std::array log_events{
    OldName{"", "document", "client_document"},
    OldName{"", "upstream", "upstream_authorization"},
    OldName{"", "refreshed", "upstream_refreshed"},
    OldName{"", "refresh_failed", "upstream_refresh_failed"},
    OldName{"", "registration", "upstream_registration"},
    OldName{"", "told", "upstream_revoked"},
    OldName{"", "untold", "upstream_revocation_failed"},
    OldName{"", "tell_failed", "revocation_worker_failed"},
};

constexpr std::array log_fields{
    OldName{"", "id", "event_id"},
    OldName{"", "why", "reason"},
    OldName{"", "fault", "error"},
    OldName{"", "connection", "account"},
    OldName{"upstream_revocation_failed", "again", "retry"},
    OldName{"worker_died", "next_in_ms", "restart_in_ms"},
    OldName{"consent_given", "identity", "identity_kind"},
    OldName{"virtual_key_used", "key", "virtual_key"},
    OldName{"token_replayed", "of", "kind"},
    OldName{"operator_command", "on", "operand"},
};

constexpr std::array audits{
    OldName{"", "consent", "consent_given"},
    OldName{"", "deny", "consent_denied"},
    OldName{"", "ended", "session_ended"},
    OldName{"", "disconnected", "account_disconnected"},
    OldName{"", "key_used", "virtual_key_used"},
    OldName{"", "replay", "token_replayed"},
    OldName{"", "revoked", "token_revoked"},
    OldName{"", "operator", "operator_command"},
};

constexpr std::array labels{
    OldName{"consentgate_store_retries_total", "why", "reason"},
    OldName{"consentgate_gate_decisions_total", "reason", "result"},
    OldName{"consentgate_workers", "part", "role"},
    OldName{"consentgate_worker_deaths_total", "part", "role"},
};

} // namespace

std::span<const OldName> old_names(NameKind kind) {
    switch (kind) {
    case NameKind::command: return commands;
    case NameKind::option: return options;
    case NameKind::config_key: return config_keys;
    case NameKind::json_member: return json_members;
    case NameKind::log_event: return log_events;
    case NameKind::log_field: return log_fields;
    case NameKind::audit: return audits;
    case NameKind::label: return labels;
    }
    return {};
}

const OldName* find_old_name(NameKind kind, std::string_view where, std::string_view name) {
    const auto names = old_names(kind);
    const auto found = std::find_if(names.begin(), names.end(), [&](const OldName& old) {
        return old.before == name && (old.where.empty() || old.where == where);
    });
    return found == names.end() ? nullptr : &*found;
}

std::string renamed_text(const OldName& name, std::string_view prefix) {
    std::string text(prefix);
    text.append(name.before).append(" is now called ").append(prefix).append(name.now);
    return text;
}

} // namespace consentgate::app
