#include "consentgate/usecase/client_auth.h"

#include "consentgate/usecase/client_keys.h"

namespace consentgate::usecase {

core::Result<core::Client> authenticate_client(
    Dependencies& deps, const core::SentCredentials& sent, core::Instant now) {
    const auto credentials = core::read_client_credentials(sent);
    if (!credentials) return credentials.error();
    auto client = deps.store.clients.find(core::ClientId(credentials->id));
    if (client && credentials->kind == core::ClientCredentials::Kind::assertion) {
        if (auto ready =
                fetch_keys(deps, *client, credentials->assertion.reveal(), sent.caller, now);
            !ready)
            return ready.error();
    }
    const auto valid = core::verify_client(*credentials, client, deps.policy, now);
    if (!valid) return valid.error();
    if (*valid &&
        deps.store.clients.use_assertion((*valid)->id, (*valid)->expires_at, deps.random.id(16)) ==
            store::Applied::no) {
        return core::client_not_authenticated("the assertion was used before");
    }
    return std::move(*client);
}

} // namespace consentgate::usecase
