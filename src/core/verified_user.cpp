#include "consentgate/core/verified_user.h"

#include "consentgate/core/consent.h"
#include "consentgate/core/text.h"

namespace consentgate::core {

Result<std::optional<Identity>> judge_asker(const std::optional<std::string>& remote_user, const Policy& policy) {
    if (policy.verified_user == VerifiedUser::off) return std::optional<Identity>();
    const auto name = remote_user.value_or("");
    if (name.empty()) {
        return refuse(Fault::verified_user_missing, Say{"the web server did not say who is signed in"},
                      Why{"no REMOTE_USER, and verified_user = remote_user: the web server must authenticate this address, and nginx needs fastcgi_param REMOTE_USER there (docs/operating.md, Verified users)"});
    }
    // "(null)" is what Apache's expressions make of a variable that is not there.
    if (!is_user_id(name) || trim(name) != name || name == "(null)") {
        return refuse(Fault::invalid_verified_user, Say{"the name of the signed-in user is not usable"},
                      Why{"REMOTE_USER must be 1 to 255 bytes of UTF-8 without control characters and without blanks around it"});
    }
    return std::optional(Identity{IdentityKind::verified_user, name});
}

bool belongs_to(const Identity& whose, const std::optional<Identity>& asker) {
    return asker ? whose == *asker : whose.kind != IdentityKind::verified_user;
}

Checked check_asker(const Identity& whose, const std::optional<std::string>& remote_user, const Policy& policy) {
    const auto asker = judge_asker(remote_user, policy);
    if (!asker) return asker.error();
    if (belongs_to(whose, *asker)) return Nothing{};
    const bool by_somebody = whose.kind == IdentityKind::verified_user;
    return refuse(Fault::another_user, Say{"this was begun by another user"},
                  Why{!*asker ? "begun by a verified user, and verified_user = off" : by_somebody ? "begun by another verified user" : "begun by nobody who was verified"});
}

Checked judge_typing(const Policy& policy) {
    if (policy.verified_user == VerifiedUser::off) return Nothing{};
    return refuse(Fault::invalid_request, Say{"the web server says who you are"}, Why{"a typed identity, and verified_user = remote_user"});
}

} // namespace consentgate::core
