// Tokens that a service refuses before their time is over: the person withdrew them there, say. The
// web server reports which call was refused; one refresh then shows whether the person must connect
// anew.
//
//     hand out ── refused ──▶ doubted ── refreshed ──▶ hand out
//                                │  └── the service refuses to refresh ──▶ broken
//                                └── refused again, four in ten minutes ──▶ braked, ten minutes
//
// spec: docs/requirements.md M3, M4, M7, M8
#pragma once

#include "consentgate/core/base/keyring.h"
#include "consentgate/core/upstream/service.h"

#include <optional>
#include <string>
#include <string_view>

namespace consentgate::core {

// The account that a call went on with, and which of its tokens: each refresh raises the version.
struct CalledAccount {
    std::string account;
    std::int64_t version = 0;
    bool operator==(const CalledAccount&) const = default;
};

// The id that the gate gives a call, "ACCOUNT.VERSION.MARK". The mark shows that it is one of ours,
// so whoever can reach the socket casts no doubt on other people's tokens.
std::string call_id(const CalledAccount& called, const Keyring& keyring);
// out: absent: not one of ours
std::optional<CalledAccount> read_call_id(std::string_view text, const Keyring& keyring);

// The web server's report of what became of a call: a line with {"call":"…","status":"…",
// "challenge":"…"} in it. The challenge is the answering server's own text, and may be cut off.
struct CallReport {
    std::string call;
    int status = 0;
    std::string challenge{}; // empty: none
};
// out: absent: no such line
std::optional<CallReport> read_call_report(std::string_view line);

// Whether the report says that the service refused the person's token.
enum class TokenRefusal {
    none,
    likely,  // a 401 that says nothing of tokens: a gateway may have written it
    certain, // a 401 whose challenge asks for a bearer token
};
TokenRefusal token_refusal(const CallReport& report);

// The account once its service has refused the token of `version`. Without a refresh token the
// person must connect anew; a refusal that is only likely must then come twice.
// out: absent: nothing changes, because that token was replaced or is doubted already
std::optional<LinkedAccount> after_refused_token(
    LinkedAccount account, std::int64_t version, TokenRefusal refusal, Instant now);

// The service refuses one new token after the other, so no further refresh would help. Until when?
std::optional<Instant> braked_until(const LinkedAccount& account, Instant now);

// Nobody reported a refusal, but a client that asks for a new token of ours much too early, right
// after a call, may have met one. Believed once a minute.
bool may_have_been_refused(const LinkedAccount& account, Instant now);

} // namespace consentgate::core
