#include "consentgate/sys/document_fetcher.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace consentgate::sys {
namespace {

struct LeaveAtEnd {
    FetchLimiter& limiter;
    const FetchLimiter::Place& place;
    ~LeaveAtEnd() { limiter.leave(place); }
};

// Holds what one fetch takes of the rates, and takes it back when one of them has nothing left.
class Charges {
public:
    Charges(RateLimiter& rates, core::Instant now) : rates_(rates), now_(now) {}

    // out: seconds to wait; 0 when all were admitted
    int admit(std::string_view what, const std::string& who, int limit) {
        const int wait = rates_.admit(what, who, limit, now_);
        if (wait == 0) charged_.push_back({what, who, limit});
        return wait;
    }
    void take_back() {
        for (const auto& charge : charged_)
            rates_.forgive(charge.what, charge.who, charge.limit, now_);
        charged_.clear();
    }

private:
    struct Charge {
        std::string_view what;
        std::string who;
        int limit;
    };
    RateLimiter& rates_;
    core::Instant now_;
    std::vector<Charge> charged_;
};

// At least one, so that a small limit does not become none, which is 0.
int part_of(int limit, int quarters) { return limit == 0 ? 0 : std::max(1, limit * quarters / 4); }

// Charges the budgets of everybody. A document that is new may not use the last quarter.
int charge_everybody(
    Charges& charges, const std::string& host, const FetchTurn& turn, const FetchLimits& limits) {
    int wait = 0;
    if (!turn.known) {
        wait = charges.admit("new document host", host, part_of(limits.per_host_per_minute, 3));
        if (wait == 0) wait = charges.admit("new document", "", part_of(limits.per_minute, 3));
    }
    if (wait == 0) wait = charges.admit("document host", host, limits.per_host_per_minute);
    if (wait == 0) wait = charges.admit("document", "", limits.per_minute);
    return wait;
}

// The caller's own budget, in all and at one host.
int charge_caller(
    Charges& charges, const std::string& host, const FetchTurn& turn, const FetchLimits& limits) {
    if (limits.per_caller_per_minute == 0) return 0;
    const int wait = charges.admit("document caller", turn.caller, limits.per_caller_per_minute);
    if (wait > 0) return wait;
    return charges.admit(
        "document caller host", turn.caller + " " + host, part_of(limits.per_host_per_minute, 2));
}

Fetched busy(int retry_after_seconds, std::string reason) {
    return {
        .outcome = Fetched::Outcome::busy,
        .retry_after_seconds = retry_after_seconds,
        .reason = std::move(reason)};
}

} // namespace

Fetched LimitedFetcher::fetch(
    const core::DocumentUrl& url, core::Instant now, const FetchTurn& turn) {
    const auto deadline = std::chrono::steady_clock::now() + limits_.total;
    // Held while another worker fetches the same, too: that is a wait for the same host.
    const auto held =
        places_.enter(turn.purpose.kind(), place_target("https://" + url.authority()));
    if (!held) return busy(1, "too many workers wait for others");
    const auto place = limiter_.enter(url.id.text, limits_.at_once, deadline, turn.caller);
    if (place.entry == FetchLimiter::Entry::waited) return {Fetched::Outcome::look_again};
    if (place.entry == FetchLimiter::Entry::full)
        return busy(2, "all places for fetching documents are taken");
    const LeaveAtEnd leave{limiter_, place};
    if (!turn.still_needed()) return {Fetched::Outcome::look_again};
    auto fetched = fetch_within_rates(url, now, turn, deadline);
    if (fetched.outcome == Fetched::Outcome::answered) turn.keep(fetched.answer);
    return fetched;
}

Fetched LimitedFetcher::fetch_within_rates(
    const core::DocumentUrl& url, core::Instant now, const FetchTurn& turn,
    FetchLimiter::Time deadline) {
    Charges caller(rates_, now), everybody(rates_, now);
    int wait = charge_caller(caller, url.host, turn, limits_);
    if (wait == 0) wait = charge_everybody(everybody, url.host, turn, limits_);
    if (wait > 0) {
        caller.take_back();
        everybody.take_back();
        return busy(wait, "too many documents in this minute");
    }
    auto fetched = ask(url, turn.purpose, deadline);
    if (fetched.outcome == Fetched::Outcome::busy) caller.take_back(); // nothing was asked
    // Names that lead nowhere can be invented without end, so only their caller pays for them.
    if (fetched.unresolved || fetched.outcome == Fetched::Outcome::busy) everybody.take_back();
    return fetched;
}

Fetched LimitedFetcher::ask(
    const core::DocumentUrl& url, Purpose purpose, FetchLimiter::Time deadline) {
    auto response = http_.send(
        {.purpose = purpose,
         .url = "https://" + url.authority() + url.target,
         .headers = {{"Accept", "application/json"}},
         .addresses = url.test_host ? AddressPolicy::loopback_only : AddressPolicy::public_only,
         .max_body_bytes = url.max_bytes,
         .body_of_success_only = true,
         .deadline = deadline});
    if (response.no_place) return busy(1, std::move(response.reason));
    // A body that is too large or cut off is the client's mistake, which core reports to it.
    if (!response.answered && !response.too_large && !response.cut_off)
        return {
            .outcome = Fetched::Outcome::failed,
            .unresolved = response.unresolved,
            .reason = std::move(response.reason)};
    return {
        .outcome = Fetched::Outcome::answered,
        .answer = {
            .status = response.status,
            .content_type = std::move(response.content_type),
            .body = response.body.reveal(),
            .too_large = response.too_large,
            .caching = {
                .cache_control = std::move(response.cache_control),
                .age = std::move(response.age),
                .expires = std::move(response.expires)}}};
}

} // namespace consentgate::sys
