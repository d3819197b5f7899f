// The commands about upstream services: what adding one shares with the others. Private to this
// module.
#pragma once

#include "admin.h"

#include "consentgate/core/upstream/service.h"

namespace consentgate::app::admin {

// The members that `service add` and `service show` print, and their cells.
std::vector<std::string> service_members();
Row service_row(const core::Service& service);

// fail: throws std::runtime_error
core::Service named_service(Context& context, const Arguments& arguments);

// Takes --authorization-origin, where it is given. fail: throws UsageError
void apply_origins(core::Service& service, const Arguments& arguments);
// fail: throws std::runtime_error: another service could get the codes of this one
void require_safe_origins(usecase::Dependencies& deps, const core::Service& service);

int add_service(Context& context, const Arguments& arguments);
int set_service(Context& context, const Arguments& arguments);

} // namespace consentgate::app::admin
