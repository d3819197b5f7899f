#include "consentgate/usecase/call_reports.h"

#include "account_doubts.h"

namespace consentgate::usecase {

bool note_call_report(Dependencies& deps, std::string_view line, core::Instant now) {
    const auto report = core::read_call_report(line);
    if (!report) return false;
    const auto called = core::read_call_id(report->call, deps.keyring);
    if (!called) return false;
    if (deps.calls) deps.calls->note_report(now);
    const auto refusal = core::token_refusal(*report);
    if (refusal == core::TokenRefusal::none) return true;
    if (const auto account = deps.store.accounts.find_by_id(called->account))
        doubt_token(deps, *account, called->version, refusal, "call", now);
    return true;
}

} // namespace consentgate::usecase
