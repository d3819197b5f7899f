#include "consentgate/usecase/authorize.h"

#include "consentgate/core/oauth/admission.h"
#include "consentgate/core/oauth/verified_user.h"
#include "consentgate/usecase/client_documents.h"

namespace consentgate::usecase {

core::Result<core::Flow> begin_authorize(
    Dependencies& deps, const core::AuthorizationRequest& request, const core::Digest& browser,
    core::Instant now, const std::optional<std::string>& remote_user,
    const std::optional<core::SignedIn>& signed_in) {
    const auto principal = core::verified_principal(remote_user, deps.policy);
    if (!principal) return principal.error();
    const auto id = core::authorize_client_id(request);
    if (!id) return id.error();
    if (const auto document = document_to_read(deps, request, now); !document || *document) {
        return document ? core::make_error(
                              core::ErrorCode::invalid_client_document,
                              core::PublicMessage{"the document of this client must be read first"})
                        : document.error();
    }
    const auto client = deps.store.clients.find(*id);
    auto flow = core::validate_authorization_request(
        request, client, deps.policy, core::FlowId(deps.random.id(16)), browser, now);
    if (!flow) return flow;
    if (*principal) {
        if (auto admitted = core::check_admitted(**principal, deps.policy); !admitted)
            return admitted.error();
        flow->identity = **principal;
    } else if (
        signed_in && core::check_admitted(signed_in->identity(), deps.policy) &&
        core::suffices(*signed_in, flow->wanted_proof, now)) {
        flow->identity = signed_in->identity();
    }
    deps.store.flows.put(*flow);
    return flow;
}

} // namespace consentgate::usecase
