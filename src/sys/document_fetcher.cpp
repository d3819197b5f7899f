#include "consentgate/sys/document_fetcher.h"

namespace consentgate::sys {
namespace {

struct LeaveAtEnd {
    FetchLimiter& limiter;
    const FetchLimiter::Place& place;
    ~LeaveAtEnd() { limiter.leave(place); }
};

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
    const auto place = limiter_.enter(url.id.text, limits_.at_once, deadline);
    if (place.entry == FetchLimiter::Entry::waited) return {Fetched::Outcome::look_again};
    if (place.entry == FetchLimiter::Entry::full)
        return busy(2, "all places for fetching documents are taken");
    const LeaveAtEnd leave{limiter_, place};
    if (!turn.still_needed()) return {Fetched::Outcome::look_again};
    auto fetched = fetch_within_rates(url, turn.purpose, now, deadline);
    if (fetched.outcome == Fetched::Outcome::answered) turn.keep(fetched.answer);
    return fetched;
}

Fetched LimitedFetcher::fetch_within_rates(
    const core::DocumentUrl& url, Purpose purpose, core::Instant now, FetchLimiter::Time deadline) {
    int wait = rates_.admit("document host", url.host, limits_.per_host_per_minute, now);
    if (wait == 0) wait = rates_.admit("document", "", limits_.per_minute, now);
    return wait > 0 ? busy(wait, "too many documents in this minute") : ask(url, purpose, deadline);
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
    // A body that is too large or cut off is the client's mistake, which core reports to it.
    if (!response.answered && !response.too_large && !response.cut_off)
        return {.outcome = Fetched::Outcome::failed, .reason = std::move(response.reason)};
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
