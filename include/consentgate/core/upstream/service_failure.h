// A service's answer says why it is of no use: for the log and the operator's commands, and on no
// page. spec: docs/requirements.md XC13
#pragma once

#include "consentgate/core/base/failure_cause.h"
#include "consentgate/core/base/secret.h"
#include "consentgate/core/upstream/upstream.h"

#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

struct ServiceFailure {
    FailureCause cause = FailureCause::none; // none: it is no failure, as far as it shows
    std::string reason{};
};

// Why a connection failed, or the status with the error that the service wrote: as RFC 6749 section
// 5.2 has it, or in the members that some providers use in its place.
ServiceFailure failure_of(const ServiceReply& reply);

// Makes what somebody else wrote fit for a log: ASCII on one line, at most 200 characters, and
// "[cut]" for every secret in `sent` and for all that looks like a token.
std::string words_for_log(std::string_view written, const std::vector<Secret>& sent);

// The values of a request that its answer must not bring into the log.
std::vector<Secret> secrets_in(const ServiceRequest& request);

} // namespace consentgate::core
