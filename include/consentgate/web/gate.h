// The gate at the edge: one request in, one word to the web server out. The web server asks in one
// of two ways: as a FastCGI AUTHORIZER (lighttpd, Apache), or by a request of its own whose answer
// it reads (nginx auth_request).
#pragma once

#include "consentgate/core/oauth/resource.h"
#include "consentgate/usecase/dependencies.h"
#include "consentgate/web/http.h"

namespace consentgate::web {

struct Gate {
    usecase::Dependencies& deps;
    core::ResourceMap resources;
};

// 200 lets the request pass, and nothing else does. To an AUTHORIZER's web server it carries
// CONSENTGATE_… variables; in the other way Consentgate-… headers; either with AUTHORIZATION, what
// the server behind gets in place of the session token. To nginx, which knows three answers only,
// every refusal is 401 or 403; 5xx it makes a 500.
// fail: never throws; what nobody expected closes the gate
Reply decide(const Request& request, Gate& gate);

} // namespace consentgate::web
