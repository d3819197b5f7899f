// Takes what the options of `service add` and `service set` say of a service.
#include "admin_services.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/upstream/service_options.h"
#include "consentgate/usecase/services.h"

namespace consentgate::app::admin {
namespace {

using core::ClientAuth;
using core::Service;

// fail: throws UsageError
void require(const core::Checked& valid, const std::string& option) {
    if (!valid) throw UsageError("--" + option + ": " + valid.error().message);
}

void apply_url(
    Service& service, const Arguments& arguments, const char* name, std::string Service::*field) {
    const auto value = arguments.one(name);
    if (!value) return;
    require(core::check_endpoint(*value), name);
    service.*field = *value;
}

void apply_secret_end(Service& service, const Arguments& arguments) {
    const auto text = arguments.one("client-secret-expires");
    if (!text) return;
    const auto day = read_day(*text);
    if (!day && *text != "never")
        throw UsageError("--client-secret-expires takes a day, 2027-11-28, or never");
    service.client_secret_expires_at = day;
}

} // namespace

std::optional<ClientAuth> read_auth_method(const Arguments& arguments) {
    const auto named = arguments.one("auth-method");
    if (!named) return std::nullopt;
    const auto auth = core::client_auth_of(*named);
    if (!auth || *auth == ClientAuth::private_key_jwt)
        throw UsageError("--auth-method is client_secret_basic, client_secret_post or none");
    return auth;
}

void apply_origins(Service& service, const Arguments& arguments) {
    const auto named = arguments.all("authorization-origin");
    if (named.empty()) return;
    service.authorization_origins.clear();
    for (const auto& origin : named) {
        require(core::check_endpoint(origin), "authorization-origin");
        service.authorization_origins.push_back(core::plain_origin(origin));
    }
}

void require_safe_origins(usecase::Dependencies& deps, const Service& service) {
    const auto safe = usecase::check_service_origins(deps, service);
    if (!safe) throw std::runtime_error(service.id.text + ": " + safe.error().message);
}

void apply_name(Service& service, const Arguments& arguments) {
    if (const auto title = arguments.one("name")) service.name = *title;
    const auto length = core::valid_utf8(service.name) ? core::count_characters(service.name) : 0;
    if (length < 1 || length > 80 || core::has_control(service.name))
        throw UsageError("--name is 1 to 80 characters");
}

void apply_options(Service& service, const Arguments& arguments) {
    apply_url(service, arguments, "registration-endpoint", &Service::registration_endpoint);
    apply_url(service, arguments, "revocation-endpoint", &Service::revocation_endpoint);
    apply_url(service, arguments, "resource", &Service::resource);
    if (arguments.has("no-resource")) service.resource.clear();
    if (arguments.has("resource")) service.resource_refused = false; // of another, perhaps
    apply_origins(service, arguments);
    if (const auto scope = arguments.one("scope")) {
        if (!scope->empty() && !core::ScopeSet::parse(*scope))
            throw UsageError("--scope takes scope names, separated by blanks");
        service.scope = *scope;
    }
    const auto parameters = arguments.all("authorize-param");
    for (const auto& parameter : parameters)
        require(core::check_authorize_parameter(parameter), "authorize-param");
    service.authorize_parameters =
        core::merge_authorize_parameters(std::move(service.authorize_parameters), parameters);
    if (const auto path = arguments.one("token-path")) {
        if (!path->empty()) require(core::check_token_path(*path), "token-path");
        service.token_path = *path;
    }
    apply_name(service, arguments);
}

void apply_key_options(Service& service, const Arguments& arguments) {
    if (const auto header = arguments.one("key-header")) {
        require(core::check_key_header(*header), "key-header");
        service.key_header = *header;
    }
    if (const auto tried = arguments.one("key-test"); tried || service.token_endpoint.empty()) {
        service.token_endpoint = tried.value_or(service.url);
        require(core::check_endpoint(service.token_endpoint), "key-test");
    }
    service.authorization_endpoint = service.token_endpoint; // nobody is sent there
}

void apply_client(usecase::Dependencies& deps, Service& service, const Arguments& arguments) {
    if (const auto id = arguments.one("client-id")) service.client_id = *id;
    if (service.client_id.empty() || service.client_id.size() > 2048 ||
        core::has_control(service.client_id))
        throw UsageError("--client-id is 1 to 2048 characters");
    service.registration = core::Registration::given;
    service.renew_at.reset();
    service.registration_client_uri.clear();
    service.registration_token.clear();
    const auto secret = read_client_secret(arguments);
    const bool keeps = secret.empty() && !service.client_secret.empty();
    if (const auto auth = read_auth_method(arguments))
        service.auth = *auth;
    else if (secret.empty() && !keeps)
        service.auth = ClientAuth::none;
    else if (service.auth == ClientAuth::none)
        service.auth = ClientAuth::client_secret_basic;
    const bool needs = service.auth != ClientAuth::none;
    if (needs && secret.empty() && !keeps)
        throw UsageError("this client needs its secret: --client-secret-file FILE, or - for the "
                         "standard input");
    if (!needs && !secret.empty()) throw UsageError("a client of --auth-method none has no secret");
    if (!secret.empty() || !needs) {
        usecase::seal_client_secret(deps, service, secret);
        service.client_secret_expires_at.reset();
    }
    apply_secret_end(service, arguments);
}

} // namespace consentgate::app::admin
