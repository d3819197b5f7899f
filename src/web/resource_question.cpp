#include "resource_question.h"

#include "consentgate/usecase/consent.h"
#include "consentgate/web/guard.h"
#include "consentgate/web/handlers.h"
#include "consentgate/web/paths.h"
#include "consentgate/web/requests.h"

namespace consentgate::web {

bool asks_resource(const core::Flow& flow, const core::Form& query) {
    if (flow.resource.empty()) return true;
    return flow.resource_by_person && query.get(field::choose) == field::resource;
}

core::FlowView without_resource(core::FlowView found) {
    found.flow.resource.clear();
    found.flow.scope = found.flow.asked_scope;
    return found;
}

void show_resources(
    View& view, const core::Flow& flow, const core::Form& query, const core::Policy& policy) {
    const bool mistake = query.get("error") == "resource_required";
    std::vector<View> rows;
    for (const auto& resource : policy.resources) {
        View row;
        row.set("url", resource.url)
            .set("name", shown_resource(resource.url, policy))
            .flag("chosen", resource.url == flow.resource);
        // Two servers may have one name.
        if (!resource.description.name.empty())
            row.set("address", core::shown_name({resource.url}));
        rows.push_back(std::move(row));
    }
    view.flag("has_error", mistake).list("resources", std::move(rows));
}

// Page 1 follows, or page 2 where it is known already who the person is.
Handled post_consent_resource(const Request& request, WebContext& context) {
    const auto form = read_own_form(request, context);
    if (!form) return form.error();
    const auto id = read_form_flow_id(*form);
    if (!id) return id.error();
    const auto chosen = usecase::choose_resource(
        context.deps, *id, form->get(field::resource), browser_context_of(request, context),
        request.now);
    if (!chosen) return chosen.error();
    const auto* next =
        chosen->flow.identity.is_chosen() ? path::services_page : path::identity_page;
    return answer_redirect(page_of_flow(next, *id));
}

} // namespace consentgate::web
