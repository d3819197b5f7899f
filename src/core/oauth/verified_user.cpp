#include "consentgate/core/oauth/verified_user.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/consent.h"

namespace consentgate::core {

Result<std::optional<Identity>> verified_principal(
    const std::optional<std::string>& remote_user, const Policy& policy) {
    if (policy.verified_user == VerifiedUser::off) return std::optional<Identity>();
    const auto name = remote_user.value_or("");
    if (name.empty()) {
        return make_error(
            ErrorCode::verified_user_missing,
            PublicMessage{"the web server did not say who is signed in"},
            LogDetail{
                "no REMOTE_USER, and verified_user = remote_user: the web server must authenticate "
                "this address, and nginx needs fastcgi_param REMOTE_USER there (docs/operating.md, "
                "Verified users)"});
    }
    // "(null)" is what Apache's expressions make of a variable that is not there.
    if (!is_user_id(name) || trim(name) != name || name == "(null)") {
        return make_error(
            ErrorCode::invalid_verified_user,
            PublicMessage{"the name of the signed-in user is not usable"},
            LogDetail{"REMOTE_USER must be 1 to 255 bytes of UTF-8 without control characters and "
                      "without blanks around it"});
    }
    return std::optional(Identity{IdentityKind::verified_user, name});
}

bool belongs_to(const Identity& whose, const std::optional<Identity>& principal) {
    return principal ? whose == *principal : !whose.is_verified();
}

Checked check_principal(
    const Identity& whose, const ProvenUser& proven_user, const Policy& policy) {
    const auto principal = verified_principal(proven_user.remote_user, policy);
    if (!principal) return principal.error();
    if (whose.is_person() && !*principal && proven_user.signed_in == whose) return Nothing{};
    if (belongs_to(whose, *principal)) return Nothing{};
    const bool by_verified_user = whose.is_verified();
    return make_error(
        ErrorCode::another_user, PublicMessage{"this was begun by another user"},
        LogDetail{
            whose.is_person()  ? "begun by a person who is not signed in in this browser"
            : !*principal      ? "begun by a verified user, and verified_user = off"
            : by_verified_user ? "begun by another verified user"
                               : "begun without a verified user"});
}

Checked check_typing_allowed(const Policy& policy) {
    if (policy.verified_user == VerifiedUser::off) return Nothing{};
    return make_error(
        ErrorCode::invalid_request, PublicMessage{"the web server says who you are"},
        LogDetail{"a typed identity, and verified_user = remote_user"});
}

} // namespace consentgate::core
