// Guarded resources, and which of them a request is for. spec: RFC 8707; RFC 9728; requirements
// RS8, RS11
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/oauth/scope.h"

#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

// An MCP server behind this web server, as people enter it into a client.
struct GuardedResource {
    std::string url;       // absolute URI as published
    ScopeSet scope{};      // what every request to it takes; empty: the default scopes
    std::string service{}; // id of the service whose token its server is handed with each request;
                           // empty: none
};

// The resources by their paths. The longest one that begins the request's path counts, segment by
// segment: /mcp covers /mcp/x and not /mcpx, and a resource /mcp/x takes its own part out of /mcp.
class ResourceMap {
public:
    // fail: throws std::invalid_argument: two resources have the same path, so that a request would
    //       match both, or two programs could read the path of one differently
    explicit ResourceMap(const std::vector<GuardedResource>& resources);

    // in:   path  raw, as in the request line
    // out:  never null; it lives as long as the map
    // fail: invalid_request: two programs could read the path differently; not_found: no resource
    Result<const GuardedResource*> find(std::string_view path) const;

private:
    struct Entry {
        std::string path; // decoded, without a slash at the end
        GuardedResource resource;
    };
    std::vector<Entry> entries_; // longest path first
};

} // namespace consentgate::core
