// The answer of a provider's token endpoint to a code.
// spec: OpenID Connect Core 3.1.3.3; docs/requirements_signin.md SI36
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/base/secret.h"
#include "consentgate/core/upstream/upstream.h"

#include <optional>

namespace consentgate::core {

struct ProviderTokens {
    Secret access_token;
    Secret id_token; // at most 128 KiB, in three parts
    std::optional<Secret> refresh_token{};
};

// fail: service_unavailable, with what it said of the time: the provider does not answer or fails;
//       access_denied: it refuses, or its answer is not one of OpenID Connect. The reason is for
//       the log and holds nothing that was sent or received but the provider's word of the error
Result<ProviderTokens> read_provider_tokens(const ServiceReply& reply);

} // namespace consentgate::core
