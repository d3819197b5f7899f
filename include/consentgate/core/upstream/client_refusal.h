// The consequences when a service says that it does not know us as its client. If that is so, all
// tokens that it gave us are dead, so it is not believed at once: it must say so again after a
// pause, and once more to a question that has no other answer. Then we register anew, once an hour
// at most.
//
//     known ── refused ──▶ doubted ── refused after the pause, and to the question ──▶ replaced
//       ▲                     │
//       └── any other word ───┘
//
// A client that we cannot replace stays as it is, and with it people's tokens: only the operator
// can know whether the service errs.
// spec: docs/services.md When a service forgets us; docs/requirements.md XC5
#pragma once

#include "consentgate/core/upstream/upstream.h"

namespace consentgate::core {

inline constexpr Span client_refusal_pause{60};
inline constexpr Span registers_every{3600}, registers_again_after_failure{600};

enum class ClientRefusalStep {
    leave,    // it is not ours to replace: the operator is informed
    remember, // it is the first
    wait,     // the first was a moment ago, or we registered anew within the hour
    ask,      // whether it knows us: if not, we register anew
};
// in: service  as it is stored, whose client of now was refused
ClientRefusalStep step_after_client_refusal(const Service& service, Instant now);
std::string_view name_of(ClientRefusalStep step); // for the log

// An answer to a question with a made-up code says this of us. glewlwyd calls a client that it does
// not know unauthorized, with which others refuse a token; about a code that nobody gave, it can
// only be a word about the client.
UpstreamError answer_about_us(const TokenReply& reply);

// The three writes that the steps lead to.
Service with_client_refused(Service service, Instant now);
Service with_client_known(Service service);
// Nobody else registers anew before that time.
Service with_registration_after(Service service, Instant at);

} // namespace consentgate::core
