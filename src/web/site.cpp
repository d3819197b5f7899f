#include "consentgate/web/site.h"

#include "consentgate/core/metadata.h"
#include "consentgate/core/uri.h"

namespace consentgate::web {

Site make_site(usecase::World& world, const Pages& pages, sys::RateLimiter& rates, Limits limits) {
    const auto& policy = world.policy;
    // __Host- makes browsers refuse the cookie from anywhere but this host over https (RFC 6265bis section 4.1.3.2).
    Site site{world, pages, rates, limits, policy.secure() ? "__Host-consentgate_browser" : "consentgate_browser",
              core::authorization_server_metadata(policy), {}};
    for (const auto& resource : policy.resources) {
        const auto url = core::resource_metadata_url(resource.url);
        const auto document = core::protected_resource_metadata(policy, resource);
        site.resource_metadata.emplace_back(std::string(core::split_uri(url)->rest), document);
    }
    // Clients try the path, then the root. With one resource the root can only mean that one (requirement D3).
    const std::string root = core::path::resource_metadata;
    if (site.resource_metadata.size() == 1 && site.resource_metadata.front().first != root) {
        site.resource_metadata.emplace_back(root, site.resource_metadata.front().second);
    }
    return site;
}

} // namespace consentgate::web
