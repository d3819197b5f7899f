// A refresh token of a session. Each is another.
#pragma once

#include "sample.h"

namespace consentgate::tests {

inline core::RefreshToken refresh_token_of(const core::SessionId& session, core::Instant now) {
    return {fresh_digest(), session, core::KeyId("k1"), now + core::Span(30 * 86400), std::nullopt};
}

} // namespace consentgate::tests
