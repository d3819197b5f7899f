// One word says why a request to another server brought nothing of use: for the log, the metrics
// and the operator's commands. A person reads less. spec: docs/requirements.md XC13
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace consentgate::core {

enum class FailureCause {
    none,
    not_asked,             // a rule of ours forbids the address, or too many requests wait already
    name_not_found,        // DNS knows no address for the host
    connection_refused,    // nothing listens there
    unreachable,           // no connection could be made, or it broke
    tls_unknown_authority, // the certificate is of an authority that we do not know
    tls_expired,           // it is over, or not good yet
    tls_wrong_name,        // it is for another host
    tls_failed,            // any other check, or TLS itself
    timeout,
    no_whole_answer, // it was cut off, or is too large
    http_status,     // a status of failure without a word of OAuth's
    oauth_error,     // the `error` of RFC 6749, or a provider's own
    unusable_answer, // a success without a token that can be used
};

inline constexpr std::array all_failure_causes{
    FailureCause::none,
    FailureCause::not_asked,
    FailureCause::name_not_found,
    FailureCause::connection_refused,
    FailureCause::unreachable,
    FailureCause::tls_unknown_authority,
    FailureCause::tls_expired,
    FailureCause::tls_wrong_name,
    FailureCause::tls_failed,
    FailureCause::timeout,
    FailureCause::no_whole_answer,
    FailureCause::http_status,
    FailureCause::oauth_error,
    FailureCause::unusable_answer};

std::string_view name_of(FailureCause cause);
std::optional<FailureCause> failure_cause_of(std::string_view name);

} // namespace consentgate::core
