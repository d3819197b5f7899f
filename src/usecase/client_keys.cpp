#include "consentgate/usecase/client_keys.h"

#include "consentgate/core/oauth/client_auth.h"
#include "consentgate/core/oauth/client_document.h"

#include <algorithm>

namespace consentgate::usecase {
namespace {

using core::KeysNeed;
using Outcome = sys::Fetched::Outcome;

constexpr int max_looks = 3; // at keys that another worker has just fetched

core::Error cannot_be_had(int seconds, std::string reason) {
    return core::make_error(
        core::ErrorCode::service_unavailable,
        core::PublicMessage{"the keys of this client cannot be fetched now; try again later"},
        core::LogDetail{std::move(reason)}, {}, core::RetryAfter{std::max(1, seconds)});
}

struct Look {
    Dependencies& deps;
    core::Client& client;
    const std::string& assertion;
    core::Instant now;
    bool declined = false; // another worker fetched within the last minute, without that key
    std::string problem{}; // of an answer that cannot be used

    KeysNeed need() const { return core::keys_need(client, assertion, now); }

    bool still_needed() {
        auto stored = deps.store.clients.find(client.id);
        if (!stored) return false;
        client = std::move(*stored);
        if (need() != KeysNeed::other_key) return need() == KeysNeed::fetch;
        declined = deps.store.clients.claim_keys(client.id, now, now - core::keys_pause) ==
                   store::Applied::no;
        return !declined;
    }

    void keep(const core::DocumentAnswer& answer) {
        auto keys = core::validate_key_set(answer);
        problem = keys ? "" : keys.error().message;
        if (!keys) return;
        auto fetched = client;
        fetched.jwks = std::move(*keys);
        fetched.jwks_expires_at = now + core::document_lifetime(answer.caching, now);
        if (deps.store.clients.save_keys(fetched) == store::Applied::yes)
            client = std::move(fetched);
        else
            problem = "the client has another jwks_uri now";
    }
};

} // namespace

core::Checked fetch_keys(
    Dependencies& deps, core::Client& client, const std::string& assertion,
    const std::string& caller, core::Instant now) {
    Look look{deps, client, assertion, now};
    sys::Fetched fetched;
    for (int looks = 0; looks < max_looks && !look.declined && look.need() != KeysNeed::none;
         ++looks) {
        const auto url = core::validate_keys_url(client.jwks_uri, deps.policy.documents);
        if (!url)
            return core::client_not_authenticated(
                "jwks_uri: " + url.error().message + " " + url.error().reason);
        if (deps.documents != nullptr)
            fetched = deps.documents->fetch(
                *url, now,
                {.purpose = sys::PlaceKind::keys,
                 .still_needed = [&] { return look.still_needed(); },
                 .keep = [&](const auto& answer) { look.keep(answer); },
                 .caller = caller,
                 .known = client.last_used_at.has_value()});
        if (fetched.outcome != Outcome::look_again) break;
    }
    // An assertion that names none of these keys is verified with them all the same, and refused.
    const auto need = look.need();
    if (need == KeysNeed::none || (need == KeysNeed::other_key && fetched.outcome != Outcome::busy))
        return core::Nothing{};
    const bool stale_will_do = need == KeysNeed::fetch && !client.jwks.empty() &&
                               client.jwks_expires_at &&
                               now < *client.jwks_expires_at + core::keys_grace;
    if (stale_will_do) return core::Nothing{};
    return cannot_be_had(
        fetched.retry_after_seconds,
        "jwks_uri: " + (look.problem.empty() ? fetched.reason : look.problem));
}

} // namespace consentgate::usecase
