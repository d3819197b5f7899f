// Changing a service.
#include "admin_services.h"

#include "consentgate/usecase/services.h"

#include <iostream>

namespace consentgate::app::admin {
namespace {

core::CallbackAddress read_callback(const std::string& word) {
    const auto address = core::callback_address_of(word);
    if (!address) throw UsageError("--callback is own or shared");
    return *address;
}

// A client that the operator was given is changed there by the operator alone.
void report_callback(const core::Service& service, const core::Policy& policy) {
    const auto address = core::callback_url(policy, service.own_callback());
    std::cerr << "People come back from " << service.id.text << " to\n  " << address << "\n";
    if (service.registration == core::Registration::given)
        std::cerr << "Its client there must allow this redirect address. People who were sent "
                     "there before still come back to the former one, for 15 minutes.\n";
    else
        std::cerr << "Accounts that are linked already go on with the former registration.\n";
    if (service.callback == core::CallbackAddress::shared)
        std::cerr << "Services that share this address can take the accounts that people have at "
                     "one another; prefer --callback own.\n";
}

} // namespace

int set_service(Context& context, const Arguments& arguments) {
    auto service = named_service(context, arguments);
    const auto word = arguments.one("callback");
    const auto issuer = arguments.one("issuer");
    if (!word && !issuer && !arguments.has("authorization-origin"))
        throw UsageError("service set needs something to change: --callback, --issuer or "
                         "--authorization-origin");
    const auto callback = word ? read_callback(*word) : service.callback;
    if (issuer) {
        if (const auto valid = core::check_endpoint(*issuer); !valid)
            throw UsageError("--issuer: " + valid.error().message);
        service.issuer = *issuer;
    }
    apply_origins(service, arguments);
    auto& deps = context.service_deps();
    require_safe_origins(deps, service);
    if (callback == service.callback) {
        const auto saved = usecase::update_service(deps, service);
        if (!saved) throw std::runtime_error(saved.error().message);
    } else {
        std::vector<std::string> notes;
        auto changed = usecase::change_callback(deps, service, callback, notes);
        if (!changed) throw std::runtime_error(changed.error().message);
        service = std::move(*changed);
        for (const auto& note : notes) std::cerr << note << "\n";
        report_callback(service, deps.policy);
    }
    print_row(arguments, service_row(service));
    return 0;
}

} // namespace consentgate::app::admin
