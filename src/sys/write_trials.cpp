#include "consentgate/sys/write_trials.h"

#include "shared_memory.h"

namespace consentgate::sys {
namespace {

constexpr core::Span stands{10}, failure_stands{1};

} // namespace

struct WriteTrials::Last {
    bool known, written;
    core::Instant at;
};

WriteTrials::WriteTrials() : memory_(std::make_unique<SharedMemory>(sizeof(Last))) {}

WriteTrials::~WriteTrials() = default;

WriteTrials::Last& WriteTrials::last() const { return *static_cast<Last*>(memory_->data()); }

// A clock that was set back leaves a trial in the future, which does not count.
std::optional<bool> WriteTrials::recent(core::Instant now) const {
    const SharedMemory::Lock lock(*memory_);
    const auto& trial = last();
    if (!trial.known || trial.at > now) return std::nullopt;
    if (now - trial.at >= (trial.written ? stands : failure_stands)) return std::nullopt;
    return trial.written;
}

void WriteTrials::note(bool written, core::Instant now) {
    const SharedMemory::Lock lock(*memory_);
    last() = {true, written, now};
}

// A failure stays for its second, so that a flood of requests that fail makes no flood of trials.
void WriteTrials::doubt() {
    const SharedMemory::Lock lock(*memory_);
    if (last().written) last().known = false;
}

} // namespace consentgate::sys
