#include "consentgate/core/base/error.h"

namespace consentgate::core {
namespace {

constexpr std::string_view request = "invalid_request_error", server = "api_error";
constexpr std::string_view permission = "permission_error", limit = "rate_limit_error",
                           authentication = "authentication_error";

} // namespace

// A switch without default: a code that is added without its traits does not compile.
const ErrorTraits& traits(ErrorCode code) {
#define ERROR_CODE(name, status, type, oauth_error)                                                \
    case ErrorCode::name: {                                                                        \
        static constexpr ErrorTraits known{#name, status, type, oauth_error};                      \
        return known;                                                                              \
    }
    switch (code) {
        ERROR_CODE(missing_flow_id, 400, request, "invalid_request")
        ERROR_CODE(invalid_flow, 400, request, "invalid_request")
        ERROR_CODE(invalid_request, 400, request, "invalid_request")
        ERROR_CODE(invalid_client, 401, authentication, "invalid_client")
        ERROR_CODE(invalid_client_document, 400, request, "invalid_client")
        ERROR_CODE(invalid_redirect_uri, 400, request, "invalid_redirect_uri")
        ERROR_CODE(invalid_client_metadata, 400, request, "invalid_client_metadata")
        ERROR_CODE(invalid_grant, 400, request, "invalid_grant")
        ERROR_CODE(unauthorized_client, 400, request, "unauthorized_client")
        ERROR_CODE(unsupported_grant_type, 400, request, "unsupported_grant_type")
        ERROR_CODE(unsupported_response_type, 400, request, "unsupported_response_type")
        ERROR_CODE(invalid_scope, 400, request, "invalid_scope")
        ERROR_CODE(invalid_target, 400, request, "invalid_target")
        ERROR_CODE(login_required, 400, request, "login_required")
        ERROR_CODE(resource_required, 400, request, "invalid_target")
        ERROR_CODE(request_not_supported, 400, request, "request_not_supported")
        ERROR_CODE(request_uri_not_supported, 400, request, "request_uri_not_supported")
        ERROR_CODE(insufficient_scope, 403, permission, "insufficient_scope")
        ERROR_CODE(access_denied, 400, permission, "access_denied")
        ERROR_CODE(forbidden, 403, permission, "access_denied")
        ERROR_CODE(access_refused, 403, permission, "access_denied")
        ERROR_CODE(identity_required, 400, request, "invalid_request")
        ERROR_CODE(identity_not_allowed, 403, permission, "access_denied")
        ERROR_CODE(invalid_virtual_key, 400, request, "invalid_request")
        ERROR_CODE(invalid_user_id, 400, request, "invalid_request")
        ERROR_CODE(verified_user_missing, 403, authentication, "access_denied")
        ERROR_CODE(invalid_verified_user, 403, authentication, "access_denied")
        ERROR_CODE(another_user, 403, permission, "access_denied")
        ERROR_CODE(invalid_bearer, 401, authentication, "invalid_token")
        ERROR_CODE(browser_mismatch, 403, request, "invalid_request")
        ERROR_CODE(flow_already_submitted, 409, request, "invalid_request")
        ERROR_CODE(flow_expired, 410, request, "invalid_request")
        ERROR_CODE(unknown_service, 404, request, "invalid_target")
        ERROR_CODE(invalid_upstream_state, 400, request, "invalid_request")
        ERROR_CODE(invalid_signin, 400, request, "invalid_request")
        ERROR_CODE(invalid_link, 410, request, "invalid_request")
        ERROR_CODE(interaction_required, 400, request, "interaction_required")
        ERROR_CODE(service_unavailable, 503, server, "temporarily_unavailable")
        ERROR_CODE(not_found, 404, request, "invalid_request")
        ERROR_CODE(method_not_allowed, 405, request, "invalid_request")
        ERROR_CODE(request_timeout, 408, request, "invalid_request")
        ERROR_CODE(too_large, 413, request, "invalid_request")
        ERROR_CODE(uri_too_long, 414, request, "invalid_request")
        ERROR_CODE(unsupported_media_type, 400, request, "invalid_request")
        ERROR_CODE(too_many_requests, 429, limit, "temporarily_unavailable")
        ERROR_CODE(store_unavailable, 503, server, "temporarily_unavailable")
        ERROR_CODE(server_error, 500, server, "server_error")
    }
#undef ERROR_CODE
    static constexpr ErrorTraits unknown{"server_error", 500, "api_error", "server_error"};
    return unknown; // unreachable for a value of the enum
}

Error::Error() = default;
Error::~Error() = default;
Error::Error(const Error&) = default;
Error::Error(Error&&) noexcept = default;
Error& Error::operator=(const Error&) = default;
Error& Error::operator=(Error&&) noexcept = default;

Error make_error(
    ErrorCode code, PublicMessage message, LogDetail reason, std::string param,
    ErrorDetails details) {
    Error error;
    error.code = code;
    error.message = std::move(message.text);
    error.reason = std::move(reason.text);
    error.param = std::move(param);
    error.details = std::move(details);
    return error;
}

} // namespace consentgate::core
