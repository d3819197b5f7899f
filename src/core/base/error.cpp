#include "consentgate/core/base/error.h"

namespace consentgate::core {

// A switch without default: a fault that is added without its traits does not compile
// (-Werror=switch).
const ErrorTraits& traits(ErrorCode code) {
    static constexpr std::string_view request = "invalid_request_error";
    static constexpr std::string_view authentication = "authentication_error";
    static constexpr std::string_view permission = "permission_error";
    static constexpr std::string_view limit = "rate_limit_error";
    static constexpr std::string_view server = "api_error";
#define FAULT(name, status, type, oauth_error)                                                     \
    case ErrorCode::name: {                                                                        \
        static constexpr ErrorTraits known{#name, status, type, oauth_error};                      \
        return known;                                                                              \
    }
    switch (code) {
        FAULT(missing_flow_id, 400, request, "invalid_request")
        FAULT(invalid_flow, 400, request, "invalid_request")
        FAULT(invalid_request, 400, request, "invalid_request")
        FAULT(invalid_client, 401, authentication, "invalid_client")
        FAULT(invalid_client_document, 400, request, "invalid_client")
        FAULT(invalid_redirect_uri, 400, request, "invalid_redirect_uri")
        FAULT(invalid_client_metadata, 400, request, "invalid_client_metadata")
        FAULT(invalid_grant, 400, request, "invalid_grant")
        FAULT(unauthorized_client, 400, request, "unauthorized_client")
        FAULT(unsupported_grant_type, 400, request, "unsupported_grant_type")
        FAULT(unsupported_response_type, 400, request, "unsupported_response_type")
        FAULT(invalid_scope, 400, request, "invalid_scope")
        FAULT(invalid_target, 400, request, "invalid_target")
        FAULT(login_required, 400, request, "login_required")
        FAULT(request_not_supported, 400, request, "request_not_supported")
        FAULT(request_uri_not_supported, 400, request, "request_uri_not_supported")
        FAULT(insufficient_scope, 403, permission, "insufficient_scope")
        FAULT(access_denied, 400, permission, "access_denied")
        FAULT(not_allowed, 403, permission, "access_denied")
        FAULT(identity_required, 400, request, "invalid_request")
        FAULT(invalid_virtual_key, 400, request, "invalid_request")
        FAULT(invalid_user_id, 400, request, "invalid_request")
        FAULT(verified_user_missing, 403, authentication, "access_denied")
        FAULT(invalid_verified_user, 403, authentication, "access_denied")
        FAULT(another_user, 403, permission, "access_denied")
        FAULT(invalid_bearer, 401, authentication, "invalid_token")
        FAULT(browser_mismatch, 403, request, "invalid_request")
        FAULT(flow_already_submitted, 409, request, "invalid_request")
        FAULT(flow_expired, 410, request, "invalid_request")
        FAULT(unknown_service, 404, request, "invalid_target")
        FAULT(invalid_upstream_state, 400, request, "invalid_request")
        FAULT(invalid_link, 410, request, "invalid_request")
        FAULT(interaction_required, 400, request, "interaction_required")
        FAULT(service_unavailable, 503, server, "temporarily_unavailable")
        FAULT(not_found, 404, request, "invalid_request")
        FAULT(method_not_allowed, 405, request, "invalid_request")
        FAULT(request_timeout, 408, request, "invalid_request")
        FAULT(too_large, 413, request, "invalid_request")
        FAULT(uri_too_long, 414, request, "invalid_request")
        FAULT(unsupported_media_type, 400, request, "invalid_request")
        FAULT(too_many_requests, 429, limit, "temporarily_unavailable")
        FAULT(store_unavailable, 503, server, "temporarily_unavailable")
        FAULT(server_error, 500, server, "server_error")
    }
#undef FAULT
    static constexpr ErrorTraits unknown{"server_error", 500, "api_error", "server_error"};
    return unknown; // unreachable for a value of the enum
}

} // namespace consentgate::core
