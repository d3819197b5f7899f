// Answers for monitoring: liveness, readiness and metrics.
#include "consentgate/usecase/maintenance.h"
#include "consentgate/usecase/services.h"
#include "consentgate/web/handlers.h"

namespace consentgate::web {

Handled get_healthz(const Request&, WebContext&) {
    return answer_json(200, R"({"status":"ok"})").header("Cache-Control", "no-store");
}

Handled get_readyz(const Request& request, WebContext& context) {
    const auto health =
        context.write_trials
            ? usecase::check_health(context.deps, *context.write_trials, request.now)
            : usecase::check_health(context.deps);
    const auto* status = health.ready()          ? "ok"
                         : !health.store_answers ? "store_unavailable"
                         : !health.writes        ? "store_not_writable"
                                                 : "schema_mismatch";
    auto body = std::string("{\"status\":\"") + status +
                "\",\"schema_version\":" + std::to_string(health.schema.version);
    // Another machine has a newer version already.
    if (health.store_answers && health.schema.version != health.expected_version)
        body += ",\"program_schema_version\":" + std::to_string(health.expected_version);
    auto reply = answer_json(health.ready() ? 200 : 503, body + "}");
    reply.header("Cache-Control", "no-store");
    if (!health.ready()) reply.header("Retry-After", "2");
    return reply;
}

Handled get_metrics(const Request& request, WebContext& context) {
    const auto* metrics = context.deps.metrics;
    if (!metrics)
        return core::make_error(
            core::ErrorCode::not_found, core::PublicMessage{"nothing is counted here"},
            core::LogDetail{"metrics_file is not set"});
    Reply reply{200, {}, metrics->text(usecase::known_of_services(context.deps, request.now))};
    return reply.header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        .header("Cache-Control", "no-store");
}

} // namespace consentgate::web
