#include "account_doubts.h"

namespace consentgate::usecase {

std::optional<core::LinkedAccount> doubt_token(
    Dependencies& deps, const core::LinkedAccount& account, std::int64_t version,
    core::TokenRefusal refusal, std::string_view by, core::Instant now) {
    auto doubted = core::after_refused_token(account, version, refusal, now);
    if (!doubted || deps.store.accounts.note_doubt(*doubted) == store::Applied::no)
        return std::nullopt;
    deps.log.event(
        "upstream_token_refused", {{"service", account.service.text},
                                   {"account", account.id},
                                   {"broken", doubted->broken_at ? "yes" : "no"},
                                   {"by", by}});
    if (doubted->broken_at) report_refused(deps, *doubted);
    return doubted;
}

void report_refused(Dependencies& deps, const core::LinkedAccount& account) {
    deps.log.audit(
        "connection_refused", {{"service", account.service.text},
                               {"owner", core::logged_owner(account.owner, deps.policy)},
                               {"reason", account.failure}});
}

} // namespace consentgate::usecase
