#include "schema_watch.h"

#include "consentgate/usecase/maintenance.h"

#include <csignal>

#include <unistd.h>

namespace consentgate::app {
namespace {

constexpr core::Span every{60};

} // namespace

SchemaWatch::SchemaWatch(usecase::Dependencies& deps)
    : deps_(deps), next_(deps.clock.now() + every) {}

void SchemaWatch::operator()() {
    const auto now = deps_.clock.now();
    // A time that is further ahead was set before the clock was set back.
    if (now < next_ && next_ - now <= every) return;
    next_ = now + every;
    const auto health = usecase::check_health(deps_);
    if (!health.store_answers || health.fit() != core::SchemaFit::closed) return;
    deps_.log.event("wrong_schema", {{"version", std::to_string(health.schema.version)}});
    ::kill(::getpid(), SIGTERM);
}

} // namespace consentgate::app
