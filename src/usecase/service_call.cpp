#include "service_call.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/core/upstream/service_discovery.h"
#include "consentgate/core/upstream/service_failure.h"
#include "consentgate/core/upstream/service_options.h"

#include <algorithm>

namespace consentgate::usecase {

core::Error does_not_open(const std::string& what) {
    return core::make_error(
        core::ErrorCode::server_error, core::PublicMessage{"something went wrong here"},
        core::LogDetail{what + " does not open with the key file"});
}

core::Error no_place() {
    return core::make_error(
        core::ErrorCode::service_unavailable,
        core::PublicMessage{"too much is waiting for this service; try again"},
        core::LogDetail{"no place"}, {}, core::RetryAfter{1});
}

core::Error unavailable(const std::string& reason, core::Span pause) {
    return core::make_error(
        core::ErrorCode::service_unavailable,
        core::PublicMessage{"the service cannot be reached; try again"}, core::LogDetail{reason},
        {}, core::RetryAfter{static_cast<int>(std::max<std::int64_t>(1, pause.count()))});
}

core::Result<core::Secret> client_secret_of(Dependencies& deps, const core::Service& service) {
    if (service.client_secret.empty()) return core::Secret();
    auto secret = core::unseal(
        deps.keyring, service.key_id, service.client_secret, service.client_secret_aad());
    if (!secret) return does_not_open("the client secret at " + service.id.text);
    return std::move(*secret);
}

core::Result<core::Service> find_registered(
    Dependencies& deps, const core::Service& service, const core::RegistrationId& registration) {
    if (service.registration_id == registration) return service;
    const auto former = deps.store.services.find_former(service.id, registration);
    if (former) return core::as_registered(service, *former);
    // Another worker may have registered anew since the service was read.
    const auto current = deps.store.services.find(service.id);
    if (current && current->registration_id == registration) return *current;
    return core::make_error(
        core::ErrorCode::server_error, core::PublicMessage{"something went wrong here"},
        core::LogDetail{"a former registration at " + service.id.text + " is gone"});
}

sys::AddressPolicy addresses_of(const core::Service& service) {
    return service.by_hand ? sys::AddressPolicy::operator_url
                           : sys::AddressPolicy::named_by_service;
}

sys::HttpRequest form_post(sys::PlaceKind purpose, core::ServiceRequest request) {
    sys::HttpRequest sent{
        .purpose = purpose,
        .method = "POST",
        .url = std::move(request.url),
        .headers = {{"Accept", "application/json"}},
        .body = std::move(request.form),
        .content_type = "application/x-www-form-urlencoded"};
    if (request.authorization)
        sent.headers.emplace_back("Authorization", request.authorization->reveal());
    return sent;
}

core::ServiceReply reply_of(sys::HttpResponse response, std::vector<core::Secret> sent) {
    return {
        .answered = response.answered,
        .status = response.status,
        .content_type = std::move(response.content_type),
        .body = std::move(response.body),
        .retry_after = response.retry_after_seconds > 0
                           ? std::optional(core::Span(response.retry_after_seconds))
                           : std::nullopt,
        .timed_out = response.timed_out,
        .cause = response.cause,
        .reason = std::move(response.reason),
        .sent = std::move(sent)};
}

core::ServiceReply call_service(
    Dependencies& deps, const core::Service& service, sys::PlaceKind purpose,
    core::ServiceRequest request) {
    if (deps.web == nullptr) return {};
    auto secrets = core::secrets_in(request);
    const bool tokens = request.url == service.token_endpoint;
    auto sent = form_post(purpose, std::move(request));
    sent.addresses = addresses_of(service);
    sent.operator_url = service.url;
    auto reply = reply_of(deps.web->send(sent), std::move(secrets));
    return tokens ? core::tokens_at_path(std::move(reply), service.token_path) : reply;
}

core::ServiceReply try_key(
    Dependencies& deps, const core::Service& service, const core::Secret& key) {
    if (deps.web == nullptr) return {};
    sys::HttpRequest sent{
        .purpose = sys::PlaceKind::redeem,
        .url = service.token_endpoint,
        .headers =
            {{"Accept", "application/json, text/event-stream"},
             {service.key_header, core::key_header_value(service, key).reveal()}},
        .addresses = sys::AddressPolicy::operator_url,
        .operator_url = service.url,
        .head_only = true};
    if (service.token_endpoint == service.url) {
        sent.method = "POST";
        sent.body = core::Secret(std::string(core::initialize_call));
        sent.content_type = "application/json";
    }
    auto reply = reply_of(deps.web->send(sent), {key});
    reply.answered = reply.status != 0; // the head says all there is to know
    return reply;
}

std::string seal(Dependencies& deps, const std::string& place, const core::Secret& clear) {
    return core::seal(
        deps.keyring, deps.keyring.newest(), deps.random.bytes(core::nonce_bytes), place, clear);
}

} // namespace consentgate::usecase
