// Every page about a consent says who asks, for what, as whom, and where it leads. Private to this
// module.
#pragma once

#include "consentgate/usecase/consent.h"
#include "consentgate/usecase/rights.h"
#include "consentgate/web/context.h"
#include "consentgate/web/http.h"
#include "consentgate/web/page.h"

#include "consentgate/core/oauth/views.h"

namespace consentgate::web {

// The client, its request, and the address it is redirected to.
View view_of(const core::FlowView& found, const Request& request, const WebContext& context);

// The page whose button lets the client in: names what rights leave of the request, what they
// refuse, and until when it lasts.
View deciding_view(
    core::FlowView found, const usecase::PermittedFlow& permitted, const Request& request,
    const WebContext& context);

// "identity_user_id" and the like; a person of a provider has another than one whom the web server
// names.
void show_identity(
    View& view, const core::Identity& identity, const std::string& name,
    const usecase::BrowserContext& browser_context);

} // namespace consentgate::web
