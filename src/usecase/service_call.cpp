#include "service_call.h"

#include "consentgate/core/vault.h"
#include "consentgate/sys/log.h"
#include "consentgate/usecase/services.h"

namespace consentgate::usecase {

core::Error does_not_open(const std::string& what) {
    return core::refuse(core::Fault::server_error, core::Say{"something went wrong here"}, core::Why{what + " does not open with the key file"});
}

core::Result<core::Secret> client_secret_of(World& world, const core::Service& service) {
    if (service.client_secret.empty()) return core::Secret();
    auto secret = core::unseal(world.keyring, service.key_id, service.client_secret, service.secret_place());
    if (!secret) return does_not_open("the client secret at " + service.id.text);
    return std::move(*secret);
}

core::ServiceReply call_service(World& world, core::ServiceRequest request) {
    if (world.web == nullptr) return {};
    sys::WebQuestion question{"POST", std::move(request.url), {{"Accept", "application/json"}}, std::move(request.form), "application/x-www-form-urlencoded"};
    if (request.authorization) question.headers.emplace_back("Authorization", request.authorization->reveal());
    auto answer = world.web->ask(question);
    return {answer.answered, answer.status, std::move(answer.content_type), std::move(answer.body)};
}

void register_anew(World& world, const core::Service& service) {
    const auto renewed = re_register(world, service);
    sys::log_event("registration", {{"service", service.id.text}, {"renewed", renewed ? "yes" : "no"}, {"why", renewed ? "" : renewed.error().say}});
}

std::string seal(World& world, const std::string& place, const core::Secret& clear) {
    return core::seal(world.keyring, world.keyring.newest(), world.random.bytes(core::nonce_bytes), place, clear);
}

} // namespace consentgate::usecase
