#include "consentgate/usecase/assertions.h"

#include "consentgate/core/oauth/introspection.h"

#include <algorithm>

namespace consentgate::usecase {
namespace {

constexpr std::size_t max_made = 4096; // of about 1 KiB each

// Whatever changes a claim changes one of these, or the session.
std::string origin_of(const core::SessionView& view) {
    const auto& [version, person] = view.standing;
    return view.session.scope.text() + '\n' + std::to_string(version) + '\n' +
           std::to_string(person ? person->version : 0);
}

} // namespace

const core::AssertionKeys& Assertions::keys() {
    if (!keys_) keys_.emplace(keyring_);
    return *keys_;
}

const std::string& Assertions::key_set() {
    if (key_set_.empty()) key_set_ = keys().key_set();
    return key_set_;
}

std::string Assertions::of_call(
    const core::SessionView& view, const core::PersonFacts* person, const core::Policy& policy,
    core::Instant now) {
    const auto& session = view.session;
    const auto ends = session.token_ends();
    const auto key = session.id.text + '\n' + std::to_string(core::epoch(ends));
    auto of = origin_of(view);
    const auto known = made_.find(key);
    if (known != made_.end() && known->second.of == of && now >= known->second.from &&
        now < known->second.until)
        return known->second.text;
    core::AssertedCall call;
    call.issuer = policy.issuer;
    call.resource = session.resource;
    call.subject = core::subject_of(session);
    call.client_id = session.client_id.text;
    call.scope = session.scope.text();
    call.session = session.id.text;
    call.identity = std::string(core::name_of(session.identity.kind));
    call.person = person;
    call.auth_time = view.auth_time;
    call.token_ends = ends;
    auto text = keys().sign(core::assertion_claims(call, policy.assertion_lifetime, now));
    if (made_.size() >= max_made) made_.clear();
    const auto life = std::min(policy.assertion_lifetime, ends - now);
    made_[key] = {.of = std::move(of), .text = text, .from = now, .until = now + life / 2};
    return text;
}

} // namespace consentgate::usecase
