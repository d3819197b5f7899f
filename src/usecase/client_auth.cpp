#include "consentgate/usecase/client_auth.h"

#include "consentgate/usecase/client_keys.h"

namespace consentgate::usecase {

core::Result<core::Client> authenticate_client(World& world, const Sender& sender, core::Instant now) {
    const auto credentials = core::read_client_credentials(sender.form, sender.authorization);
    if (!credentials) return credentials.error();
    auto client = world.store.find_client(core::ClientId(credentials->id));
    if (client && credentials->kind == core::ClientCredentials::Kind::assertion) {
        if (auto ready = fetch_keys(world, *client, credentials->assertion.reveal(), now); !ready) return ready.error();
    }
    const auto judged = core::judge_client(*credentials, client, world.policy, now);
    if (!judged) return judged.error();
    if (*judged && world.store.use_assertion((*judged)->id, (*judged)->expires_at, world.random.id(16)) == store::Outcome::gone) {
        return core::client_not_proven("the assertion was used before");
    }
    return std::move(*client);
}

} // namespace consentgate::usecase
