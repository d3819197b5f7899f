#include "consentgate/core/signin/browser_signin.h"

namespace consentgate::core {

std::string SigninState::verifier_aad() const { return "signin_state:" + state.hex; }

std::string_view name_of(SigninEnd end) {
    switch (end) {
    case SigninEnd::signed_out: return "signed_out";
    case SigninEnd::replaced: return "replaced";
    case SigninEnd::logged_out: return "logged_out";
    case SigninEnd::ended: return "ended";
    }
    return {}; // past the last
}

std::optional<SigninEnd> signin_end_of(std::string_view name) {
    for (int i = 0; !name_of(static_cast<SigninEnd>(i)).empty(); ++i)
        if (name_of(static_cast<SigninEnd>(i)) == name) return static_cast<SigninEnd>(i);
    return std::nullopt;
}

Digest hash_of_sid(const IdpId& idp, std::string_view sid) {
    return sha256(idp.text + "\n" + std::string(sid));
}

std::optional<Digest> BrowserSignin::sid_hash() const {
    if (provider_session.empty()) return std::nullopt;
    return hash_of_sid(idp, provider_session);
}

bool stands(const SignedIn& signed_in, Instant now) {
    return !signed_in.signin.ended_at && signed_in.signin.expires_at > now &&
           !signed_in.person.disabled_at && signed_in.idp_active;
}

bool suffices(const SignedIn& signed_in, const WantedProof& wanted, Instant now) {
    if (!wanted.prompt.empty()) return false;
    return !wanted.max_age || signed_in.signin.proved_at() + *wanted.max_age >= now;
}

bool suffices_flow(const SignedIn& signed_in, const Flow& flow, Instant now) {
    constexpr Span clock_skew{120}; // as for every time that a provider names
    if (suffices(signed_in, flow.wanted_proof, now)) return true;
    const auto& [prompt, max_age] = flow.wanted_proof;
    const auto& signin = signed_in.signin;
    return prompt.empty() && max_age && signin.signed_in_at >= flow.created_at &&
           signin.proved_at() + *max_age + clock_skew >= signin.signed_in_at;
}

} // namespace consentgate::core
