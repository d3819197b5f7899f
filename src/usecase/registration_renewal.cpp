#include "consentgate/usecase/registration_renewal.h"

#include "service_call.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/core/upstream/registration_renewal.h"
#include "consentgate/usecase/services.h"

namespace consentgate::usecase {
namespace {

using store::Applied;

constexpr std::size_t batch = 5;

// A reason for the log where it failed.
struct Outcome {
    bool renewed = false;
    std::string reason{};
    bool for_good = false; // it will fail again
};

Outcome failed(std::string reason) { return {false, std::move(reason)}; }
Outcome refused(std::string reason) { return {false, std::move(reason), true}; }

// Keeps other workers off. out: false: another was first
bool claim(Dependencies& deps, core::Service& service, core::Instant now) {
    service.renew_at = now + core::renewal_pause;
    if (deps.store.services.update(service) == Applied::no) return false;
    ++service.version;
    return true;
}

// spec: RFC 7592 section 2.2
Outcome update_managed(Dependencies& deps, core::Service service) {
    const auto secret = client_secret_of(deps, service);
    const auto token = core::unseal(
        deps.keyring, service.key_id, service.registration_token, service.registration_token_aad());
    if (!secret || !token) return failed("the key file does not open our registration");
    const auto ended = service.client_secret_expires_at;
    const auto answer = deps.web->send(
        {.purpose = sys::PlaceKind::registration,
         .method = "PUT",
         .url = service.registration_client_uri,
         .headers =
             {{"Accept", "application/json"}, {"Authorization", "Bearer " + token->reveal()}},
         .body = core::Secret(core::renewal_request(deps.policy, service, *secret)),
         .content_type = "application/json",
         .addresses = addresses_of(service),
         .operator_url = service.url});
    if (!answer.answered) return failed("the update of our registration: " + answer.reason);
    if (answer.status != 200) {
        const auto reason =
            "the update of our registration: status " + std::to_string(answer.status);
        return answer.status >= 400 && answer.status < 500 && answer.status != 429 ? refused(reason)
                                                                                   : failed(reason);
    }
    const auto registered = core::read_registration(answer.body.reveal(), service.auth);
    if (!registered) return refused(registered.error().message);
    if (registered->client_id != service.client_id)
        return refused("the update of our registration: another client id");
    const auto ends = core::secret_end(*registered);
    const bool later = !ends || (ended && *ends > *ended);
    const auto claimed = service.renew_at;
    keep_registration(deps, service, *registered);
    // The service may have changed the token for the next time, so its answer is kept in any case.
    if (!later) service.renew_at = claimed;
    if (deps.store.services.update(service) == Applied::no)
        return failed("the service was changed meanwhile");
    return later ? Outcome{true} : refused("the update gave no secret that ends later");
}

Outcome register_again(Dependencies& deps, const core::Service& service) {
    std::vector<std::string> notes;
    auto renewed = service;
    renewed.callback = core::CallbackAddress::own;
    // It may offer registrations without a secret by now.
    if (const auto found = discover_service(*deps.web, service.url, service.issuer);
        found && found->server.registration_endpoint == service.registration_endpoint)
        renewed.auth = core::choose_auth(found->server, core::Registration::dynamic);
    if (auto done = register_dynamically(deps, renewed, notes); !done)
        return failed(done.error().message);
    const auto former = core::former_registration_of(service, deps.clock.now());
    if (deps.store.services.change_registration(renewed, former) == Applied::no)
        return failed("the service was changed meanwhile");
    return {true};
}

bool renew(Dependencies& deps, core::Service service, core::Instant now) {
    if (!claim(deps, service, now)) return false;
    const auto way = core::renewal_of(service);
    Outcome outcome = refused("our client there was given to us");
    if (way == core::SecretRenewal::managed) outcome = update_managed(deps, service);
    // Registering anew costs those who connected before their connection, so it comes last.
    const bool no_time = service.client_secret_expires_at &&
                         *service.client_secret_expires_at - now < 2 * core::renewal_pause;
    const bool too_late = !outcome.renewed && (outcome.for_good || no_time);
    if (way == core::SecretRenewal::anew || (way == core::SecretRenewal::managed && too_late)) {
        const auto current = deps.store.services.find(service.id);
        if (current && current->registration_id == service.registration_id)
            outcome = register_again(deps, *current);
    }
    deps.log.event(
        "registration_renewal", {{"service", service.id.text},
                                 {"way", core::words_of(way)},
                                 {"renewed", outcome.renewed ? "yes" : "no"},
                                 {"reason", outcome.reason}});
    return outcome.renewed;
}

} // namespace

std::size_t renew_registrations(Dependencies& deps, core::Instant now) {
    std::size_t renewed = 0;
    for (const auto& service : deps.store.services.list_to_renew(now, batch)) {
        if (renew(deps, service, now)) ++renewed;
    }
    return renewed;
}

} // namespace consentgate::usecase
