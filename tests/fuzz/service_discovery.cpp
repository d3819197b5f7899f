// Input as a service may send it: a challenge in the first line, a document in the rest.
#include "require.h"

#include "consentgate/core/base/uri.h"
#include "consentgate/core/upstream/service_discovery.h"

using namespace consentgate;
using tests::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = tests::text_of_input(data, size);
    const auto line = std::min(text.find('\n'), text.size());
    core::challenge_parameter(text.substr(0, line), "resource_metadata");
    const auto body = std::string(text.substr(std::min(line + 1, text.size())));
    if (const auto server = core::read_server_document(body, "https://as.example")) {
        require(server->issuer == "https://as.example", "a document is its issuer's");
        for (const auto& url : {server->authorization_endpoint, server->token_endpoint})
            require(static_cast<bool>(core::check_endpoint(url)), "an endpoint can be asked");
        for (const auto& url : {server->registration_endpoint, server->revocation_endpoint})
            require(
                url.empty() || static_cast<bool>(core::check_endpoint(url)),
                "an endpoint can be asked");
        require(!server->auth_methods.empty(), "there is a way to authenticate");
    }
    if (const auto resource = core::read_resource_document(body, "https://a.example/mcp")) {
        require(
            !resource->servers.empty() && core::origin_of(resource->resource).size() > 8,
            "a resource has a server");
    }
    if (const auto registered =
            core::read_registration(body, core::ClientAuth::client_secret_basic)) {
        require(!registered->client_id.empty(), "a client has an id");
        require(
            registered->secret.empty() == (registered->auth == core::ClientAuth::none),
            "a secret is there when it is needed");
    }
    return 0;
}
