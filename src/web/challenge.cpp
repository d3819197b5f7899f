#include "consentgate/web/challenge.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/metadata.h"

namespace consentgate::web {
namespace {

// A person who has to connect a service first does so in a new sign-in, which every client can
// begin.
const core::ErrorTraits& shown_as(const core::Error& error) {
    return core::traits(
        error.code == core::ErrorCode::interaction_required ? core::ErrorCode::invalid_bearer
                                                            : error.code);
}

} // namespace

std::string bearer_challenge(
    const std::string& resource, const core::ScopeSet& scope, const core::Error* error) {
    std::string value = "Bearer resource_metadata=\"" + core::resource_metadata_url(resource) +
                        "\", scope=\"" + scope.text() + "\"";
    if (!error) return value;
    return value + ", error=\"" + std::string(shown_as(*error).oauth_error) +
           "\", error_description=\"" + core::plain_ascii(error->message) + "\"";
}

int gate_status(const core::Error& error) { return shown_as(error).status; }

} // namespace consentgate::web
