// Everything that handlers share, made once before the first request.
#pragma once

#include "consentgate/sys/rate_limiter.h"
#include "consentgate/sys/write_trials.h"
#include "consentgate/usecase/dependencies.h"
#include "consentgate/web/page.h"

#include <string>
#include <utility>
#include <vector>

namespace consentgate::web {

struct Limits {
    int registrations_per_minute = 60; // per address; 0 for no limit
    int authorizations_per_minute = 300;
    int failed_authentications_per_minute = 60; // of clients and resource servers
    int failed_virtual_keys_per_minute = 10;    // per address and per flow
};

struct WebContext {
    usecase::Dependencies& deps;
    const Pages& pages;
    sys::RateLimiter& rates;
    Limits limits;
    sys::WriteTrials* write_trials = nullptr; // absent: readiness tells nothing of writing
    std::string cookie_name;                  // of the browser's secret
    std::string signin_cookie_name;           // of a person's sign-in at an identity provider
    std::string server_metadata;              // the document
    std::vector<std::pair<std::string, std::string>>
        resource_metadata; // path of the document, document
};

WebContext make_web_context(
    usecase::Dependencies& deps, const Pages& pages, sys::RateLimiter& rates, Limits limits);

} // namespace consentgate::web
