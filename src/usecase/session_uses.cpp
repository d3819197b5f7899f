#include "consentgate/usecase/session_uses.h"

#include "consentgate/core/base/address.h"
#include "consentgate/usecase/dependencies.h"

#include <algorithm>

namespace consentgate::usecase {
namespace {

constexpr std::size_t batch = 100; // rows of one transaction

} // namespace

void SessionUses::note(
    const core::Session& session, const std::string& address, core::Instant now) {
    last_noted_ = now;
    const auto hour = std::chrono::floor<std::chrono::hours>(now);
    const auto known = noted_.find(session.id.text);
    if (known != noted_.end() && known->second.hour == hour) {
        auto& from = known->second.from; // a server that asks about the token is not the client
        if (from.empty() && !address.empty()) from = core::coarse_address(address);
        return;
    }
    if (known == noted_.end() && session.last_used_at && *session.last_used_at >= hour) return;
    if (known == noted_.end() && noted_.size() >= most_) forget_written();
    if (known == noted_.end() && noted_.size() >= most_) return;
    auto& noted = noted_[session.id.text];
    const bool waits = !noted.written && noted.hour != core::Instant{};
    noted = {.hour = hour, .from = core::coarse_address(address)};
    if (!waits) order_.push_back(session.id.text);
}

// A worker need not know what it has written: it notes a session that is used again, and then finds
// its row written.
void SessionUses::forget_written() {
    std::erase_if(noted_, [](const auto& one) { return one.second.written; });
}

std::vector<store::SessionUse> SessionUses::unwritten(std::size_t limit) const {
    std::vector<store::SessionUse> uses;
    for (std::size_t i = 0; i < std::min(limit, order_.size()); ++i) {
        const auto& noted = noted_.at(order_[i]);
        uses.push_back(
            {.session = core::SessionId(order_[i]), .at = noted.hour, .from = noted.from});
    }
    return uses;
}

void SessionUses::mark_written(std::size_t count) {
    const auto end = order_.begin() + static_cast<std::ptrdiff_t>(std::min(count, order_.size()));
    std::for_each(order_.begin(), end, [&](const auto& id) { noted_.at(id).written = true; });
    order_.erase(order_.begin(), end);
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
