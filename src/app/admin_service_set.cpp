// Changing a service. Linked accounts stay: tokens that were given to a former client of ours go on
// with that client.
#include "admin_services.h"

#include "consentgate/core/upstream/registration_renewal.h"
#include "consentgate/usecase/services.h"

#include <algorithm>
#include <iostream>

namespace consentgate::app::admin {
namespace {

using core::Registration;
using core::Service;

core::CallbackAddress read_callback(const std::string& word) {
    const auto address = core::callback_address_of(word);
    if (!address) throw UsageError("--callback is own or shared");
    return *address;
}

// A client that the operator was given is changed there by the operator alone.
void report_callback(const Service& service, const core::Policy& policy) {
    const auto address = core::callback_url(policy, service.own_callback());
    std::cerr << "People come back from " << service.id.text << " to\n  " << address << "\n";
    if (service.registration == Registration::given)
        std::cerr << "Its client there must allow this redirect address. People who were sent "
                     "there before still come back to the former one, for 15 minutes.\n";
    else
        std::cerr << "Accounts that are linked already go on with the former registration.\n";
    if (service.callback == core::CallbackAddress::shared)
        std::cerr << "Services that share this address can take the accounts that people have at "
                     "one another; prefer --callback own.\n";
}

constexpr const char* of_client[] = {
    "client-id", "client-secret-file", "client-secret-expires", "auth-method"};

bool changes_client(const Arguments& arguments) {
    return std::any_of(std::begin(of_client), std::end(of_client), [&](const char* option) {
        return arguments.has(option);
    });
}

Service saved(core::Result<Service> result) {
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(*result);
}

Service save(usecase::Dependencies& deps, Service service) {
    const auto done = usecase::update_service(deps, service);
    if (!done) throw std::runtime_error(done.error().message);
    ++service.version;
    return service;
}

// Another way of the service's own registration is a new registration.
Service register_by_method(
    usecase::Dependencies& deps, Service service, const Service& before,
    const Arguments& arguments) {
    if (arguments.has("client-secret-file") || arguments.has("client-secret-expires"))
        throw UsageError(
            service.id.text + " registered consentgate itself; to use a client of your own there, "
                              "name its --client-id too");
    if (service.registration == Registration::document)
        throw UsageError("a client that is a document has no secret: --auth-method none is all");
    service.auth = read_auth_method(arguments).value_or(service.auth);
    std::vector<std::string> notes;
    const auto done = usecase::register_dynamically(deps, service, notes);
    if (!done) throw std::runtime_error(done.error().message);
    for (const auto& note : notes) std::cerr << note << "\n";
    return saved(usecase::change_client(deps, std::move(service), before));
}

Service change_client(
    usecase::Dependencies& deps, Service service, const Service& before,
    const Arguments& arguments) {
    service.client_refused_at.reset(); // said of the client of before
    const bool given = arguments.has("client-id") || before.registration == Registration::given;
    if (!given) return register_by_method(deps, std::move(service), before, arguments);
    const bool another = arguments.one("client-id").value_or(before.client_id) != before.client_id;
    if (another && before.auth != core::ClientAuth::none && !arguments.has("auth-method") &&
        !arguments.has("client-secret-file"))
        throw UsageError("this client needs its secret, as the former one: --client-secret-file "
                         "FILE; one without a secret is --auth-method none");
    if (another) usecase::seal_client_secret(deps, service, {}); // of the former client
    apply_client(deps, service, arguments);
    if (!another) return save(deps, std::move(service));
    std::cerr << "Accounts that are linked already go on with the former client "
              << before.client_id << ": keep it there until they are gone.\n";
    return saved(usecase::change_client(deps, std::move(service), before));
}

Service change_callback(
    usecase::Dependencies& deps, const Service& service, core::CallbackAddress callback) {
    std::vector<std::string> notes;
    auto changed = saved(usecase::change_callback(deps, service, callback, notes));
    for (const auto& note : notes) std::cerr << note << "\n";
    report_callback(changed, deps.policy);
    return changed;
}

void require_change(const Arguments& arguments) {
    const auto& options = arguments.command->options;
    if (std::any_of(options.begin(), options.end(), [&](const auto& option) {
            return arguments.has(option.name);
        }))
        return;
    std::string names;
    for (const auto& option : options) names += (names.empty() ? "--" : ", --") + option.name;
    throw UsageError("service set needs something to change: " + names);
}

void apply_issuer(Service& service, const Arguments& arguments) {
    const auto issuer = arguments.one("issuer");
    if (!issuer) return;
    if (const auto valid = core::check_endpoint(*issuer); !valid)
        throw UsageError("--issuer: " + valid.error().message);
    service.issuer = *issuer;
}

} // namespace

int set_service(Context& context, const Arguments& arguments) {
    require_change(arguments);
    const auto before = named_service(context, arguments);
    auto service = before;
    auto& deps = context.service_deps();
    const auto word = arguments.one("callback");
    const auto callback = word ? read_callback(*word) : before.callback;
    if (callback != before.callback && changes_client(arguments))
        throw UsageError("--callback makes a new registration: change the client before or after");
    if (before.takes_keys()) {
        apply_key_options(service, arguments);
        apply_name(service, arguments);
        if (const auto tells = usecase::check_key_trial(deps, service); !tells)
            throw std::runtime_error(tells.error().message);
        service = save(deps, std::move(service));
    } else {
        if (arguments.has("key-header") || arguments.has("key-test"))
            throw UsageError(before.id.text + " has OAuth; add a service of its own for keys");
        apply_issuer(service, arguments);
        apply_options(service, arguments);
        require_safe_origins(deps, service);
        service = callback != before.callback ? change_callback(deps, service, callback)
                  : changes_client(arguments)
                      ? change_client(deps, std::move(service), before, arguments)
                      : save(deps, std::move(service));
    }
    print_row(arguments, service_row(context, service));
    return 0;
}

} // namespace consentgate::app::admin
