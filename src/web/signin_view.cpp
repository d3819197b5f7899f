#include "signin_view.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/usecase/signin_proof.h"
#include "consentgate/web/paths.h"
#include "consentgate/web/requests.h"

namespace consentgate::web {

std::string signin_url(
    const core::IdpId& idp, const std::optional<core::FlowId>& flow, bool another) {
    std::vector<std::pair<std::string, std::string>> parameters{{field::idp, idp.text}};
    if (flow) parameters.emplace_back(field::flow_id, flow->text);
    if (another) parameters.emplace_back(field::again, "1");
    return core::append_query(path::signin_start, parameters);
}

void show_providers(
    View& view, const std::vector<core::IdentityProvider>& providers,
    const std::optional<core::FlowId>& flow) {
    std::vector<View> rows;
    for (const auto& idp : providers)
        rows.push_back(View()
                           .set("title", idp.title)
                           .set("url", signin_url(idp.id, flow))
                           .flag("first", rows.empty()));
    view.flag("has_providers", !rows.empty()).list("providers", std::move(rows));
}

void show_signed_in(View& view, const std::optional<core::SignedIn>& signed_in) {
    if (!signed_in) return;
    constexpr std::size_t longest = 120;
    view.set("person", shown_person(signed_in->identity(), signed_in))
        .set("person_email", core::display_text(signed_in->person.email, longest))
        .set("person_at", signed_in->idp_title);
}

bool show_signin_ways(
    View& view, const core::Flow& flow, const std::vector<core::IdentityProvider>& providers,
    const std::optional<core::SignedIn>& signed_in, core::Instant now) {
    show_providers(view, providers, flow.id);
    if (providers.empty()) return false;
    show_signed_in(view, signed_in);
    view.flag("goes_on", signed_in && core::suffices(*signed_in, flow.wanted_proof, now));
    return true;
}

void show_needed_proof(
    View& view, const usecase::PermittedFlow& permitted,
    const std::optional<core::SignedIn>& signed_in, WebContext& context, core::Instant now) {
    const auto& policy = context.deps.policy;
    if (usecase::check_proof(permitted, signed_in, policy, now)) return;
    using usecase::WayToProof;
    const auto way = usecase::way_to_proof(context.deps, permitted, signed_in);
    const auto& flow = permitted.flow.id;
    view.flag("needs_proof", true)
        .flag("proof_again", way == WayToProof::sign_in_again)
        .flag("proof_elsewhere", way == WayToProof::another_way)
        .flag("proof_nowhere", way == WayToProof::none);
    if (way == WayToProof::sign_in_again)
        view.set("proof_url", signin_url(signed_in->person.idp, flow));
    if (way == WayToProof::another_way)
        view.set("proof_url", page_of_flow(path::identity_page, flow));
    if (way == WayToProof::none) view.set("contact", policy.access_contact);
}

} // namespace consentgate::web
