// The commands about upstream services: what adding one shares with the others. Private to this
// module.
#pragma once

#include "admin.h"

#include "consentgate/core/upstream/service.h"

namespace consentgate::app::admin {

// The members that `service add` and `service set` print, and their cells.
std::vector<std::string> service_members();
Row service_row(Context& context, const core::Service& service);
// The members that `service show` prints: those, and how the service does.
std::vector<std::string> shown_service_members();

// fail: throws std::runtime_error
core::Service named_service(Context& context, const Arguments& arguments);

// They take what the options of `service add` and `service set` say. fail: throws UsageError
void apply_options(core::Service& service, const Arguments& arguments);
void apply_name(core::Service& service, const Arguments& arguments);
void apply_origins(core::Service& service, const Arguments& arguments);
void apply_key_options(core::Service& service, const Arguments& arguments); // of one with API keys
// A client that the operator was given; a secret that is there stays unless another is given.
void apply_client(usecase::Dependencies& deps, core::Service& service, const Arguments& arguments);
std::optional<core::ClientAuth> read_auth_method(const Arguments& arguments);
// fail: throws std::runtime_error: another service could get the codes of this one
void require_safe_origins(usecase::Dependencies& deps, const core::Service& service);

int add_service(Context& context, const Arguments& arguments);
int show_service(Context& context, const Arguments& arguments);
int set_service(Context& context, const Arguments& arguments);

} // namespace consentgate::app::admin
