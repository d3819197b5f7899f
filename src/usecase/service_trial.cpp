// A service that publishes nothing can still be asked: its token endpoint, with a code that was
// made up, says whether it knows our client; and its authorization endpoint is there, or is not.
#include "consentgate/usecase/services.h"

#include "service_call.h"

#include "consentgate/core/upstream/service_failure.h"

namespace consentgate::usecase {
namespace {

constexpr int first_server_error = 500;

core::Error failed(const std::string& message) {
    return core::make_error(
        core::ErrorCode::server_error, core::PublicMessage{message}, core::LogDetail{message});
}

// A page for people may answer nearly anything to whoever is none, but no page is no page.
core::Checked check_page(Dependencies& deps, const core::Service& service) {
    const auto& url = service.authorization_endpoint;
    const auto answer = deps.web->send(
        {.purpose = sys::PlaceKind::discovery,
         .url = url,
         .headers = {{"Accept", "text/html"}},
         .addresses = addresses_of(service),
         .operator_url = service.url,
         .head_only = true});
    if (answer.status == 0) return failed(url + ": " + answer.reason);
    const bool missing = answer.status == 404 || answer.status == 410;
    if (missing || answer.status >= first_server_error)
        return failed(
            url + ": status " + std::to_string(answer.status) +
            ", where people are to be sent (--authorization-endpoint)");
    return core::Nothing{};
}

} // namespace

core::Result<std::string> try_service_client(Dependencies& deps, const core::Service& service) {
    if (auto page = check_page(deps, service); !page) return page.error();
    const auto secret = client_secret_of(deps, service);
    if (!secret) return failed(secret.error().reason);
    const auto reply = call_service(
        deps, service, sys::PlaceKind::redeem,
        core::code_request(
            service, *secret, deps.random.secret(), deps.random.secret(),
            core::callback_url(deps.policy, service.own_callback())));
    const auto read = core::read_token_reply(reply);
    const auto said = service.token_endpoint + ": " + read.reason;
    if (read.tokens) return failed(service.token_endpoint + ": takes a code that was made up");
    switch (read.error) {
    case core::UpstreamError::refused:
    case core::UpstreamError::odd_refusal:
    case core::UpstreamError::resource_refused: return said;
    case core::UpstreamError::client_refused:
        return failed(
            said + ": it does not know this client, or its secret (service set " + service.id.text +
            " --client-id ID --client-secret-file FILE)");
    case core::UpstreamError::unavailable: break;
    }
    return failed(
        said + ", where a token endpoint refuses a code that was made up (--token-endpoint)");
}

} // namespace consentgate::usecase
