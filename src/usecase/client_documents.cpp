#include "consentgate/usecase/client_documents.h"

#include <algorithm>

namespace consentgate::usecase {
namespace {

using core::ErrorCode;
using Outcome = sys::Fetched::Outcome;

constexpr int max_looks = 3; // at documents that another worker has just fetched

core::Error busy(const sys::Fetched& fetched) {
    return core::make_error(
        ErrorCode::too_many_requests,
        core::PublicMessage{"too many apps are being looked up; wait a little"},
        core::LogDetail{fetched.reason}, {},
        core::RetryAfter{std::max(1, fetched.retry_after_seconds)});
}

core::Checked keep(
    Dependencies& deps, const core::DocumentUrl& url, const core::DocumentAnswer& answer,
    core::Instant now) {
    const auto client = core::validate_client_document(url, answer, deps.policy, now);
    if (!client) return client.error();
    if (deps.store.clients.put_document(
            *client, now + core::document_lifetime(answer.caching, now)) == store::Applied::yes)
        return core::Nothing{};
    return core::make_error(
        ErrorCode::invalid_client, core::PublicMessage{"this client is not registered here"},
        core::LogDetail{"no document may change this client"}, "client_id");
}

} // namespace

core::Result<std::optional<core::DocumentUrl>> document_to_read(
    Dependencies& deps, const core::AuthorizationRequest& request, core::Instant now) {
    using Answer = std::optional<core::DocumentUrl>;
    const auto id = core::authorize_client_id(request);
    if (!id) return id.error();
    if (!core::names_document(*id)) return Answer();
    auto url = core::validate_document_url(*id, deps.policy.documents);
    if (!url) return url.error();
    const auto expires_at = deps.store.clients.find_document(*id);
    if (expires_at && *expires_at > now) return Answer();
    // A client that the operator disabled, or that no document made, needs no document.
    if (const auto client = deps.store.clients.find(*id);
        client && (!client->active || !expires_at))
        return Answer();
    return Answer(std::move(*url));
}

core::Checked read_document(
    Dependencies& deps, const core::AuthorizationRequest& request, const std::string& caller,
    core::Instant now) {
    sys::Fetched fetched;
    for (int look = 0; look < max_looks; ++look) {
        const auto url = document_to_read(deps, request, now);
        if (!url) return url.error();
        if (!*url) return core::Nothing{};
        core::Checked kept = core::Nothing{};
        const auto still_needed = [&] {
            const auto again = document_to_read(deps, request, now);
            return again && again->has_value();
        };
        const auto take = [&](const core::DocumentAnswer& answer) {
            kept = keep(deps, **url, answer, now);
        };
        if (deps.documents != nullptr)
            fetched = deps.documents->fetch(
                **url, now,
                {.purpose = sys::PlaceKind::documents,
                 .still_needed = still_needed,
                 .keep = take,
                 .caller = caller,
                 .known = deps.store.clients.find_document((**url).id).has_value()});
        switch (fetched.outcome) {
        case Outcome::look_again: continue;
        case Outcome::busy: return busy(fetched);
        case Outcome::answered: return kept;
        // One text for all reasons: each reason reveals what the name resolves to here.
        case Outcome::failed:
            return core::make_error(
                ErrorCode::invalid_client_document,
                core::PublicMessage{"the document could not be fetched"},
                core::LogDetail{fetched.reason}, "client_id");
        }
    }
    return busy(fetched);
}

} // namespace consentgate::usecase
