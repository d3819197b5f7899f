#include "consentgate/web/context.h"

#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/metadata.h"

namespace consentgate::web {

WebContext make_web_context(
    usecase::Dependencies& deps, const Pages& pages, sys::RateLimiter& rates, Limits limits) {
    const auto& policy = deps.policy;
    // __Host- makes browsers refuse the cookie from anywhere but this host over https (RFC 6265bis
    // section 4.1.3.2).
    WebContext context{
        .deps = deps,
        .pages = pages,
        .rates = rates,
        .limits = limits,
        .cookie_name = policy.secure() ? "__Host-consentgate_browser" : "consentgate_browser",
        .signin_cookie_name = policy.secure() ? "__Host-consentgate_signin" : "consentgate_signin",
        .server_metadata = core::authorization_server_metadata(policy),
        .resource_metadata = {}};
    for (const auto& resource : policy.resources) {
        const auto url = core::resource_metadata_url(resource.url);
        const auto document = core::protected_resource_metadata(policy, resource);
        context.resource_metadata.emplace_back(std::string(core::split_uri(url)->rest), document);
    }
    // Clients try the path, then the root. With one resource the root can only mean that one
    // (D3).
    const std::string root = core::endpoint::resource_metadata;
    if (context.resource_metadata.size() == 1 && context.resource_metadata.front().first != root) {
        context.resource_metadata.emplace_back(root, context.resource_metadata.front().second);
    }
    return context;
}

} // namespace consentgate::web
