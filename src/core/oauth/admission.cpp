#include "consentgate/core/oauth/admission.h"

#include "consentgate/core/oauth/verified_user.h"

namespace consentgate::core {
namespace {

Admission known(std::string sentence) { return {Entrance::known_people, std::move(sentence)}; }

Admission nobody(const std::string& reason, std::string next_step) {
    return {Entrance::nobody, "Nobody can come in: " + reason + ".", std::move(next_step)};
}

Admission key_holders(std::optional<std::size_t> usable_keys) {
    const std::string who = "Only people with a virtual key can come in";
    if (!usable_keys) return known(who + ".");
    if (*usable_keys == 0)
        return nobody(
            "people need a virtual key, and none is active", "consentgate-admin key add NAME");
    return known(
        who + "; " + std::to_string(*usable_keys) +
        (*usable_keys == 1 ? " key is active." : " keys are active."));
}

std::string active(std::size_t count, const std::string& what) {
    return std::to_string(count) + " " + what + (count == 1 ? " is" : "s are") + " active";
}

// People who sign in, and those with a key, as far as there can be any.
Admission signed_in_people(
    std::size_t providers, bool keys, std::optional<std::size_t> usable_keys) {
    const bool with_keys = keys && usable_keys != std::optional<std::size_t>(0);
    return known(
        "Only people who sign in at an identity provider" +
        std::string(with_keys ? ", or have a virtual key," : "") + " can come in; " +
        active(providers, "provider") +
        (with_keys && usable_keys ? ", and " + active(*usable_keys, "key") : "") + ".");
}

} // namespace

Checked check_admitted(const Identity& identity, const Policy& policy) {
    if (policy.identities.contains(identity.kind)) return Nothing{};
    const auto reason =
        LogDetail{"identities does not let " + std::string(name_of(identity.kind)) + " in"};
    if (!identity.is_chosen() || identity.is_skipped())
        return make_error(
            ErrorCode::identity_required, PublicMessage{"say who you are first"}, reason);
    return make_error(
        ErrorCode::identity_not_allowed, PublicMessage{"nobody can sign in here in this way"},
        reason);
}

bool is_offered(IdentityKind kind, const Policy& policy) {
    const bool typed_here = policy.verified_user == VerifiedUser::off;
    switch (kind) {
    case IdentityKind::none:
    case IdentityKind::verified_user: return false;
    case IdentityKind::skipped:
    case IdentityKind::user_id:
    case IdentityKind::virtual_key: return typed_here && policy.identities.contains(kind);
    }
    return false;
}

Checked check_offered(IdentityKind kind, const Policy& policy) {
    if (auto typed = check_typing_allowed(policy); !typed) return typed;
    return check_admitted(Identity{kind, {}}, policy);
}

Admission who_can_come_in(
    const Policy& policy, std::optional<std::size_t> usable_keys, std::size_t providers) {
    const auto& identities = policy.identities;
    const auto setting = "identities = " + identities.text();
    if (policy.verified_user == VerifiedUser::remote_user) {
        if (identities.contains(IdentityKind::verified_user))
            return known("Only people whom the web server signs in can come in "
                         "(verified_user = remote_user).");
        return nobody(
            "the web server names people, and identities lacks verified_user",
            "add verified_user to identities");
    }
    if (identities.contains(IdentityKind::skipped))
        return {
            Entrance::anyone,
            "Anyone who can open the pages can come in, without saying who they are (" + setting +
                ")."};
    if (identities.contains(IdentityKind::user_id))
        return {
            Entrance::anyone,
            "Anyone who can open the pages can come in, under any name they type (" + setting +
                ")."};
    if (providers > 0 && identities.contains(IdentityKind::verified_user))
        return signed_in_people(
            providers, identities.contains(IdentityKind::virtual_key), usable_keys);
    if (identities.contains(IdentityKind::virtual_key)) return key_holders(usable_keys);
    return nobody(
        identities.text().empty() ? "identities lets no kind in"
                                  : setting + ", and verified_user = off",
        "add virtual_key to identities");
}

} // namespace consentgate::core
