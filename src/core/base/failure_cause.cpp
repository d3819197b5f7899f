#include "consentgate/core/base/failure_cause.h"

#include <algorithm>

namespace consentgate::core {

std::string_view name_of(FailureCause cause) {
    switch (cause) {
    case FailureCause::none: return "none";
    case FailureCause::not_asked: return "not_asked";
    case FailureCause::name_not_found: return "name_not_found";
    case FailureCause::connection_refused: return "connection_refused";
    case FailureCause::unreachable: return "unreachable";
    case FailureCause::tls_unknown_authority: return "tls_unknown_authority";
    case FailureCause::tls_expired: return "tls_expired";
    case FailureCause::tls_wrong_name: return "tls_wrong_name";
    case FailureCause::tls_failed: return "tls_failed";
    case FailureCause::timeout: return "timeout";
    case FailureCause::no_whole_answer: return "no_whole_answer";
    case FailureCause::http_status: return "http_status";
    case FailureCause::oauth_error: return "oauth_error";
    case FailureCause::unusable_answer: return "unusable_answer";
    }
    return "none";
}

std::optional<FailureCause> failure_cause_of(std::string_view name) {
    const auto* const found =
        std::find_if(all_failure_causes.begin(), all_failure_causes.end(), [&](FailureCause cause) {
            return name_of(cause) == name;
        });
    return found == all_failure_causes.end() ? std::nullopt : std::optional(*found);
}

} // namespace consentgate::core
