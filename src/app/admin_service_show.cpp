// `service show` prints a service, and how it does.
#include "admin_services.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/upstream/registration_renewal.h"
#include "consentgate/sys/metrics.h"
#include "consentgate/usecase/resource_servers.h"
#include "consentgate/usecase/services.h"

#include <filesystem>

namespace consentgate::app::admin {

std::vector<std::string> service_members() {
    return {
        "id",
        "name",
        "url",
        "active",
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "registration_endpoint",
        "revocation_endpoint",
        "resource",
        "scope",
        "registration",
        "client_id",
        "token_endpoint_auth_method",
        "has_client_secret",
        "authorization_response_iss_parameter_supported",
        "callback",
        "authorization_origins",
        "authorize_parameters",
        "token_path",
        "client_secret_expires",
        "client_secret_renewal",
        "key_header",
        "key_test",
        "gate_lines",
        "created"};
}

namespace {

// The lines of the web servers that put a person's key into its header, for each server behind the
// gate that works with this service.
std::vector<std::string> gate_lines(Context& context, const core::Service& service) {
    if (!service.takes_keys()) return {};
    if (core::same_ignoring_case(service.key_header, "authorization"))
        return {"none is needed: the key goes where tokens go"};
    std::vector<std::string> lines;
    for (const auto& resource : usecase::guarded_resources(context.deps())) {
        if (resource.service != service.id.text) continue;
        const auto path = resource.url.substr(core::origin_of(resource.url).size());
        lines.push_back(
            "Apache: Use ConsentgateKeyHeader " + (path.empty() ? "/" : path) + " " +
            service.key_header);
    }
    if (lines.empty())
        lines.push_back("Apache: Use ConsentgateKeyHeader PATH " + service.key_header);
    lines.push_back("nginx: proxy_set_header " + service.key_header + " $consentgate_key;");
    lines.emplace_back("lighttpd: none, gate.lua does it");
    lines.push_back(
        "shared hosting: RequestHeader set " + service.key_header +
        " \"%{CONSENTGATE_KEY}e\" env=CONSENTGATE_KEY");
    return lines;
}

// Absent for a service that has no such thing.
std::optional<Cell> lines_cell(const std::vector<std::string>& lines) {
    if (lines.empty()) return std::nullopt;
    return Cell(core::join(lines, "\n    "), core::json_array(lines));
}

std::optional<Cell> text_if(bool there, std::string text) {
    return there ? std::optional(Cell(std::move(text))) : std::nullopt;
}

} // namespace

Row service_row(Context& context, const core::Service& service) {
    const bool keys = service.takes_keys();
    const auto renewal = core::renewal_of(service);
    return {
        service.id.text,
        service.name,
        service.url,
        yes_no(service.active),
        service.issuer,
        keys ? std::string() : service.authorization_endpoint,
        keys ? std::string() : service.token_endpoint,
        service.registration_endpoint,
        service.revocation_endpoint,
        service.resource,
        service.scope,
        std::string(core::name_of(service.registration)),
        keys ? std::string() : service.client_id,
        std::string(core::name_of(service.auth)),
        yes_no(!service.client_secret.empty()),
        yes_no(service.sends_iss),
        std::string(core::name_of(service.callback)),
        list_of(service.authorization_origins, ""),
        list_of(service.authorize_parameters, ""),
        service.token_path,
        when(service.client_secret_expires_at),
        text_if(renewal != core::SecretRenewal::unneeded, std::string(core::words_of(renewal))),
        text_if(keys, service.key_header),
        text_if(keys, service.token_endpoint),
        lines_cell(gate_lines(context, service)),
        when(service.created_at)};
}

std::vector<std::string> shown_service_members() {
    auto members = service_members();
    for (const auto* member :
         {"accounts_connected", "accounts_failing", "accounts_to_reconnect", "last_success",
          "failures", "failures.cause", "failures.accounts", "resting"})
        members.emplace_back(member);
    return members;
}

namespace {

// "timeout 3, oauth_error 1"
Cell failures_of(const core::ServiceHealth& health) {
    std::string shown;
    core::JsonArray causes;
    for (const auto& [cause, accounts] : health.failures) {
        const std::string name(core::name_of(cause));
        shown += (shown.empty() ? "" : ", ") + name + " " + std::to_string(accounts);
        causes.emplace_back(core::JsonObject().set("cause", name).set("accounts", accounts));
    }
    return {shown.empty() ? "none" : shown, std::move(causes)};
}

// Absent where nothing is counted: the workers alone know it then.
std::optional<Cell> resting(Context& context, const core::ServiceId& service) {
    const auto& file = context.config().metrics_file;
    if (file.empty() || !std::filesystem::exists(file)) return std::nullopt;
    const sys::Metrics metrics(file);
    const auto rests = [&](const char* role) {
        return metrics
                   .value(
                       sys::Metric::services_resting, {{"role", role}, {"service", service.text}})
                   .value_or(0) != 0;
    };
    return yes_no(rests("pages") || rests("gate"));
}

} // namespace

int show_service(Context& context, const Arguments& arguments) {
    const auto service = named_service(context, arguments);
    core::ServiceHealth health;
    for (auto& one : usecase::service_health(context.deps(), context.now)) {
        if (one.service == service.id) health = std::move(one);
    }
    auto row = service_row(context, service);
    row.insert(
        row.end(), {number(health.connected - health.failing), number(health.failing),
                    number(health.needs_person), when(health.last_success), failures_of(health),
                    resting(context, service.id)});
    print_row(arguments, row);
    return 0;
}

} // namespace consentgate::app::admin
