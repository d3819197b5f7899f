// A client_id that is a URL in the first line, its document in the rest.
#include "require.h"

#include "tests/support/samples.h"

#include "consentgate/core/oauth/client_document.h"

using namespace consentgate;
using tests::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto policy = tests::sample_policy();
    static const core::DocumentPolicy documents{true, {}, {"denied.example"}, {}};
    const auto text = tests::text_of_input(data, size);
    const auto line = std::min(text.find('\n'), text.size());
    const auto url =
        core::validate_document_url(core::ClientId(std::string(text.substr(0, line))), documents);
    if (!url) {
        require(!url.error().back, "a refusal redirects nowhere");
        return 0;
    }
    require(url->port == 443 && !url->test_host, "the usual port, and no host of a test");
    require(
        !url->host.empty() && url->host.find_first_of(":[]/@#\\ ") == std::string::npos &&
            url->host != "denied.example",
        "a host is a name that is not denied");
    require(
        url->target.size() > 1 && url->target.front() == '/' && !core::has_control(url->target),
        "the target is a path that fits into a request");
    const auto body = std::string(text.substr(std::min(line + 1, text.size())));
    const auto client = core::validate_client_document(
        *url, {200, "application/json", body, false, {}}, policy, tests::noon);
    if (!client) {
        require(
            client.error().code == core::ErrorCode::invalid_client_document && !client.error().back,
            "a refusal redirects nowhere");
        return 0;
    }
    require(
        client->id == url->id && !client->by_operator,
        "the client is the document's and nobody vouched for it");
    require(
        core::valid_utf8(client->name) && client->name.find('\0') == std::string::npos,
        "what is kept is text that every database takes");
    require(!client->redirect_uris.empty(), "there is somewhere to go");
    for (const auto& uri : client->redirect_uris)
        require(
            core::match_redirect(*client, uri, std::nullopt, {}).has_value(),
            "what is kept can be used");
    return 0;
}
