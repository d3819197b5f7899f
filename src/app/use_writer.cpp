#include "use_writer.h"

#include <exception>

namespace consentgate::app {
namespace {

constexpr core::Span quiet{2}, every{30}, busy_every{600};
constexpr int most_batches = 100;

} // namespace

UseWriter::UseWriter(usecase::Dependencies& deps, sys::FetchLimiter& turns)
    : deps_(deps), turns_(turns), next_(deps.clock.now()), latest_(next_ + busy_every) {}

void UseWriter::operator()() {
    if (deps_.uses->empty()) return;
    const auto now = deps_.clock.now();
    const bool idle = now - deps_.uses->last_noted() >= quiet;
    if (now < (idle ? next_ : latest_)) return;
    const auto turn = turns_.enter("session uses", 1, std::chrono::steady_clock::now());
    if (turn.entry != sys::FetchLimiter::Entry::entered) return;
    next_ = now + every;
    latest_ = now + busy_every;
    write(1);
    turns_.leave(turn);
}

void UseWriter::finish() { write(most_batches); }

void UseWriter::write(int batches) {
    try {
        while (batches-- > 0 && usecase::write_session_uses(deps_, *deps_.uses)) {}
    } catch (const std::exception& error) {
        deps_.log.event("session_uses_failed", {{"reason", error.what()}});
    }
}

} // namespace consentgate::app
