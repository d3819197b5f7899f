#include "consentgate/usecase/clients.h"

#include "not_found.h"

#include "consentgate/core/base/address.h"
#include "consentgate/core/base/json.h"
#include "consentgate/usecase/sessions.h"

namespace consentgate::usecase {
namespace {

// Never looks like a URL, so it cannot be taken for that of a metadata document (R5).
core::ClientId mint_client_id(Dependencies& deps) {
    return core::ClientId("cgc_" + deps.random.id(16));
}

// Hosted apps register for all their people from a few addresses, so an unused client gives way to
// a newer one; but not within the time that somebody needs for a sign-in.
constexpr core::Span unused_stays{3600};
constexpr std::size_t flows_at_once = 100; // of one transaction
constexpr int retry_seconds = 600;         // some of those that stay will then be older, or used

// The sign in front shows the doctor callers behind a proxy that the web server does not know.
constexpr char private_sign = '-';

std::string mark_of(const Dependencies& deps, const std::string& caller) {
    const auto mark = deps.keyring.caller_mark(caller);
    return core::is_public_caller(caller) ? mark : private_sign + mark;
}

Registered with_secret(Dependencies& deps, core::Client client) {
    Registered made{std::move(client), std::nullopt};
    if (made.client.has_secret()) {
        made.secret = deps.random.secret();
        made.client.secret = core::sha256(*made.secret);
    }
    return made;
}

core::Error too_many_unused() {
    return core::make_error(
        core::ErrorCode::too_many_requests,
        core::PublicMessage{
            "too many clients were registered from this address and never used; try again later"},
        core::LogDetail{"unused_clients_per_address"}, {}, core::RetryAfter{retry_seconds});
}

} // namespace

core::Result<Registered> register_client(
    Dependencies& deps, std::string_view body, const std::string& caller, core::Instant now) {
    if (!deps.policy.registration_enabled)
        return core::make_error(
            core::ErrorCode::not_found, core::PublicMessage{"registration is switched off here"});
    auto client = core::validate_registration(body, deps.policy, mint_client_id(deps), now);
    if (!client) return client.error();
    if (auto own = core::check_own_registration(*client); !own) return own.error();
    client->registered_from = mark_of(deps, caller);
    auto made = with_secret(deps, std::move(*client));
    if (deps.store.clients.put_registered(
            made.client, deps.policy.max_unused_clients, now - unused_stays) == store::Applied::no)
        return too_many_unused();
    return made;
}

core::Result<Registered> add_client(Dependencies& deps, const NewClient& asked, core::Instant now) {
    core::JsonObject document;
    document.set("client_name", asked.name)
        .set("redirect_uris", core::json_array(asked.redirect_uris))
        .set("grant_types", core::json_array({"authorization_code", "refresh_token"}));
    document.set("token_endpoint_auth_method", std::string(core::name_of(asked.auth)));
    if (!asked.scope.empty()) document.set("scope", asked.scope);
    if (!asked.jwks_uri.empty())
        document.set("jwks_uri", asked.jwks_uri);
    else if (asked.auth == core::ClientAuth::private_key_jwt) {
        auto jwks = core::parse_json_object(asked.jwks);
        if (!jwks)
            return core::make_error(
                core::ErrorCode::invalid_client_metadata,
                core::PublicMessage{"the keys are not a JSON object"}, core::LogDetail{}, "jwks");
        document.set("jwks", std::move(*jwks));
    }
    auto client = core::validate_registration(
        core::json_string(document), deps.policy, mint_client_id(deps), now,
        core::Registrant::an_operator);
    if (!client) return client.error();
    auto made = with_secret(deps, std::move(*client));
    deps.store.clients.put(made.client);
    return made;
}

Callers list_callers(Dependencies& deps) {
    Callers callers;
    for (const auto& [mark, clients] : deps.store.clients.count_by_caller()) {
        ++callers.callers;
        callers.clients += clients;
        if (!mark.starts_with(private_sign)) callers.any_public = true;
    }
    return callers;
}

std::vector<core::Client> list_clients(Dependencies& deps) { return deps.store.clients.list(); }

core::Result<core::Client> find_client(Dependencies& deps, const core::ClientId& id) {
    auto client = deps.store.clients.find(id);
    if (!client) return not_found("there is no client '" + id.text + "'");
    return std::move(*client);
}

core::Checked disable_client(Dependencies& deps, const core::ClientId& id) {
    if (deps.store.clients.disable(id) == store::Applied::no)
        return not_found("there is no active client '" + id.text + "'");
    return core::Nothing{};
}

core::Checked enable_client(Dependencies& deps, const core::ClientId& id) {
    if (deps.store.clients.enable(id) == store::Applied::no)
        return not_found("there is no disabled client '" + id.text + "'");
    return core::Nothing{};
}

// Disabled first, so that nothing of it begins meanwhile.
core::Result<std::size_t> remove_client(
    Dependencies& deps, const core::ClientId& id, core::Instant now,
    const std::function<void(std::size_t)>& after_batch) {
    if (auto known = find_client(deps, id); !known) return known.error();
    deps.store.clients.disable(id);
    const auto ended = end_sessions(deps, {.client = id}, now, after_batch);
    while (deps.store.clients.remove_flows(id, now, flows_at_once) > 0) {}
    if (deps.store.clients.remove(id) == store::Applied::no)
        return not_found("the client '" + id.text + "' was removed meanwhile");
    return ended;
}

} // namespace consentgate::usecase
