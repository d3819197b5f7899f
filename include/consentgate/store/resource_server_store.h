// MCP servers that may ask about the tokens of their own resource. in, out, fail, threads: as
// store.h says for all stores.
#pragma once

#include "consentgate/core/oauth/views.h"
#include "consentgate/store/failure.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace consentgate::store {

class Database;
template <class Value> class Recent;

class ResourceServerStore {
public:
    ResourceServerStore(Database& db, std::size_t max_cached);
    ~ResourceServerStore();

    void put(const core::ResourceServer& server);
    std::optional<core::ResourceServer> find(const core::ResourceServerId& id);
    std::vector<core::ResourceServer> list(); // newest first
    // Writes what an operator may change, and the secret, of each that is active.
    Applied change(std::span<const core::ResourceServer> servers);
    Applied disable(const core::ResourceServerId& id);
    Applied enable(const core::ResourceServerId& id);
    Applied remove(const core::ResourceServerId& id);

    // The server that asks and the session of the token, in one statement, because every call to
    // an MCP server asks for them.
    core::IntrospectionLookup find_with_session(
        const core::ResourceServerId& server, const core::Digest& token);

private:
    Database& db_;
    std::unique_ptr<Recent<core::IntrospectionLookup>>
        recent_; // by server and token, of tokens that were found
};

} // namespace consentgate::store
