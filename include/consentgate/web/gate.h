// The gate decides for the web server whether a request may pass. The web server asks in one of two
// ways: as a FastCGI AUTHORIZER (lighttpd, Apache), or by a request of its own whose status it
// reads (nginx auth_request).
#pragma once

#include "consentgate/core/oauth/resource.h"
#include "consentgate/usecase/dependencies.h"
#include "consentgate/web/http.h"

namespace consentgate::web {

struct Gate {
    usecase::Dependencies& deps;
    core::ResourceMap resources;
};

// Only 200 lets the request pass. It carries CONSENTGATE_… variables to an AUTHORIZER's web server
// and Consentgate-… headers to nginx; AUTHORIZATION among them is the token that the server behind
// the gate gets in place of the session token. nginx knows three answers, so every refusal there is
// 401 or 403, and nginx turns 5xx into 500.
// fail: never throws; an unexpected exception refuses the request
Reply decide(const Request& request, Gate& gate);

} // namespace consentgate::web
