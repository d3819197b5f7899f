// Registration bodies.
#include "require.h"

#include "tests/support/samples.h"

using namespace consentgate;
using tests::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto policy = tests::sample_policy();
    const auto client = core::validate_registration(
        tests::text_of_input(data, size), policy, core::ClientId("cgc_fresh"), tests::noon);
    if (!client) {
        const auto code = client.error().code;
        require(
            code == core::ErrorCode::invalid_redirect_uri ||
                code == core::ErrorCode::invalid_client_metadata,
            "a refusal is one of the two of RFC 7591");
        require(
            core::plain_ascii(client.error().message) == client.error().message,
            "a refusal is plain ASCII");
        require(!client.error().back, "a refusal redirects nowhere");
        return 0;
    }
    require(
        !client->redirect_uris.empty() && client->redirect_uris.size() <= 16,
        "1 to 16 redirect URIs");
    for (const auto& uri : client->redirect_uris) {
        require(
            core::match_redirect(*client, uri, std::nullopt, {}).has_value(),
            "what is registered can be used");
        require(
            std::count(client->redirect_uris.begin(), client->redirect_uris.end(), uri) == 1,
            "each address once");
    }
    require(
        core::valid_utf8(client->name) && core::valid_utf8(client->metadata) &&
            client->name.find('\0') == std::string::npos,
        "what is kept is text that every database takes");
    require(core::count_characters(client->name) <= 200, "a name of at most 200 characters");
    const auto document =
        core::parse_json_object(core::registration_response(*client, std::nullopt));
    require(document.has_value(), "the answer is a JSON object");
    for (const auto& [name, value] : document->members())
        require(!value.is_null(), "nothing in the answer is null");
    require(document->text("client_id").value() == "cgc_fresh", "the id is ours");
    require(
        document->text("token_endpoint_auth_method").value() == core::name_of(client->auth),
        "the response names the stored method");
    require(
        (client->auth == core::ClientAuth::private_key_jwt) == !client->jwks.empty(),
        "keys are kept for those who sign with them");
    require(!document->has("client_secret"), "no secret but what is drawn for it");
    return 0;
}
