// Services as rows of the consent page.
#pragma once

#include "consentgate/usecase/upstream.h"
#include "consentgate/web/page.h"
#include "consentgate/web/site.h"

#include <string>
#include <vector>

namespace consentgate::web {

// in: query  of the page: `error` and `service` say what went wrong at which of them; both are held against closed sets
std::vector<View> service_rows(const std::vector<usecase::ServiceView>& services, const core::FlowId& flow, const core::Form& query, const Site& site,
                               const std::string& language);

} // namespace consentgate::web
