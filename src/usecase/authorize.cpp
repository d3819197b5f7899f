#include "consentgate/usecase/authorize.h"

#include "consentgate/core/authorize.h"
#include "consentgate/core/verified_user.h"
#include "consentgate/usecase/client_documents.h"

namespace consentgate::usecase {

core::Result<core::Flow> begin_authorize(World& world, const core::Form& query, const core::Digest& browser, core::Instant now,
                                         const std::optional<std::string>& remote_user) {
    const auto asker = core::judge_asker(remote_user, world.policy);
    if (!asker) return asker.error();
    const auto id = core::authorize_client_id(query);
    if (!id) return id.error();
    if (const auto document = document_to_read(world, query, now); !document || *document) {
        return document ? core::refuse(core::Fault::invalid_client_document, core::Say{"the document of this client must be read first"}) : document.error();
    }
    const auto client = world.store.find_client(*id);
    auto flow = core::judge_authorize(query, client, world.policy, core::FlowId(world.random.id(16)), browser, now);
    if (!flow) return flow;
    if (*asker) flow->identity = **asker;
    world.store.put_flow(*flow);
    return flow;
}

} // namespace consentgate::usecase
