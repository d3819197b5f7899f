// The question which server the app may use, before page 1, where the client named none of several.
// Private to this module.
#pragma once

#include "consentgate/core/base/form.h"
#include "consentgate/core/oauth/views.h"
#include "consentgate/web/page.h"

namespace consentgate::web {

// The person has yet to choose, or wants to choose again.
// in: query  of the page's address
bool asks_resource(const core::Flow& flow, const core::Form& query);

// As the page shows it: what was chosen before is not what is asked for now.
core::FlowView without_resource(core::FlowView found);

// The servers to choose from, and the mistake of having chosen none.
void show_resources(
    View& view, const core::Flow& flow, const core::Form& query, const core::Policy& policy);

} // namespace consentgate::web
