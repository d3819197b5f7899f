// Guarded resources, and which of them a request is for. spec: RFC 8707; RFC 9728; requirements
// RS8, RS11
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/oauth/scope.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

// The words about a resource for clients and people; empty members say nothing.
// spec: RFC 9728 section 2; docs/requirements.md N1
struct ResourceDescription {
    std::string name{};                           // UTF-8
    std::string documentation{}, policy{}, tos{}; // https addresses of pages for people
    bool operator==(const ResourceDescription&) const = default;
};

// fail: invalid_target: a name without a visible character, with control characters or over 100
//       characters; an address that is not https
Checked check_description(const ResourceDescription& description);

// The pages whose programs may call a resource, by the origins that browsers name. Programs outside
// of browsers name none, and are not concerned.
// spec: MCP 2026-07-28 Streamable HTTP, Security; docs/requirements.md N4
class AllowedOrigins {
public:
    AllowedOrigins() = default; // any
    static AllowedOrigins none();

    // in:  text  `any`, `none`, or origins separated by blanks
    // out: absent: one of them is no scheme, host and port
    static std::optional<AllowedOrigins> parse(std::string_view text);

    bool is_any() const { return any_; }
    bool admits(std::string_view origin) const;
    std::string text() const; // as parse takes it
    bool operator==(const AllowedOrigins&) const = default;

private:
    bool any_ = true;
    std::vector<std::string> origins_; // lower case, without the default port of their scheme
};

// The groups of a person that a server behind reads: those that some rule names, all, or none.
enum class SharedGroups { named, all, none };
// A call's facts as a signed JWT: none, beside the call's own Authorization, or in its place.
enum class AssertionPlace { off, header, bearer };
std::string_view name_of(SharedGroups groups);
std::string_view name_of(AssertionPlace place);
std::optional<SharedGroups> shared_groups_of(std::string_view name); // the inverse
std::optional<AssertionPlace> assertion_place_of(std::string_view name);

// The operator says what a server behind reads of its callers.
// spec: docs/requirements_signin.md SI74, SI75
struct FactChoice {
    SharedGroups groups = SharedGroups::named;
    AssertionPlace assertion = AssertionPlace::off;
    bool operator==(const FactChoice&) const = default;
};

// fail: invalid_target: an assertion in Authorization, where the tokens of services go
Checked check_facts(const FactChoice& facts, bool has_services);

// An MCP server behind this web server, as people enter it into a client.
struct GuardedResource {
    std::string url;       // absolute URI as published
    ScopeSet scope{};      // what every request to it takes; empty: the default scopes
    std::string service{}; // id of the service whose token its server is handed with each request;
                           // empty: none
    ResourceDescription description{};
    AllowedOrigins origins{};
    FactChoice facts{};
};

// Its name, or else its host and path.
std::string shown_name(const GuardedResource& resource);

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
