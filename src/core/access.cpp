#include "consentgate/core/access.h"

namespace consentgate::core {

Checked judge_access(const std::optional<SessionView>& view, const std::string& resource, Instant now) {
    const auto no = [](const char* why) { return refuse(Fault::invalid_bearer, Say{"the access token is not valid"}, Why{why}); };
    if (!view) return no("unknown token");
    const auto& session = view->session;
    if (session.revoked_at) return no("revoked");
    if (session.token_ends() <= now) return no("expired");
    if (session.resource != resource) return no("for another resource");
    if (!view->client_active) return no("its client is disabled");
    const bool by_key = session.identity.kind == IdentityKind::virtual_key;
    if (by_key && (!view->virtual_key || !view->virtual_key->usable(now))) return no("its virtual key is disabled or expired");
    return Nothing{};
}

} // namespace consentgate::core
