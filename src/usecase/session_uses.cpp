#include "consentgate/usecase/session_uses.h"

#include "consentgate/core/base/address.h"
#include "consentgate/usecase/dependencies.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace consentgate::usecase {
namespace {

constexpr std::size_t batch = 100; // rows of one transaction

} // namespace

void SessionUses::note(
    const core::Session& session, const std::string& address, core::Instant now) {
    last_noted_ = now;
    const auto hour = std::chrono::floor<std::chrono::hours>(now);
    const auto found = places_.find(session.id.text);
    if (found == places_.end()) {
        if (session.last_used_at && *session.last_used_at >= hour) return;
        if (places_.size() >= most_ && !forget_one()) return;
        waiting_.push_back({session.id, hour, core::coarse_address(address)});
        places_[session.id.text] = {std::prev(waiting_.end()), false};
        return;
    }
    auto& [use, written] = found->second;
    if (use->at == hour) {
        // A server that asks about the token is not the client.
        if (use->from.empty() && !address.empty()) use->from = core::coarse_address(address);
        return;
    }
    *use = {session.id, hour, core::coarse_address(address)};
    if (std::exchange(written, false)) waiting_.splice(waiting_.end(), written_, use);
}

// A worker need not know what it has written: it notes a session that is used again, and then finds
// its row written. The one that was written first goes alone: to look through all of them took each
// call of a busy worker as long as the rest of it.
bool SessionUses::forget_one() {
    if (written_.empty()) return false;
    places_.erase(written_.front().session.text);
    written_.pop_front();
    return true;
}

std::vector<store::SessionUse> SessionUses::unwritten(std::size_t limit) const {
    const auto count = static_cast<std::ptrdiff_t>(std::min(limit, waiting_.size()));
    return {waiting_.begin(), std::next(waiting_.begin(), count)};
}

void SessionUses::mark_written(std::size_t count) {
    for (; count > 0 && !waiting_.empty(); --count) {
        places_.at(waiting_.front().session.text).written = true;
        written_.splice(written_.end(), waiting_, waiting_.begin());
    }
}

// In the order of their ids, so that two workers that write the same ones cannot deadlock.
bool write_session_uses(Dependencies& deps, SessionUses& uses) {
    auto next = uses.unwritten(batch);
    const auto count = next.size();
    std::sort(next.begin(), next.end(), [](const auto& one, const auto& other) {
        return one.session.text < other.session.text;
    });
    if (count > 0) deps.store.sessions.record_uses(next);
    uses.mark_written(count);
    return !uses.empty();
}

} // namespace consentgate::usecase
