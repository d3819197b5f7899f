#include "consentgate/web/requests.h"

namespace consentgate::web {

core::Result<core::FlowId> read_form_flow_id(const core::Form& form) {
    if (auto once = form.check_not_repeated(); !once) return once.error();
    return read_flow_id(form);
}

core::Result<core::ServiceId> read_service_id(const core::Form& form) {
    auto id = form.get(field::service_id);
    if (id) return core::ServiceId(std::move(*id));
    return core::make_error(
        core::ErrorCode::invalid_request, core::PublicMessage{"mcp_client_id is missing"},
        core::LogDetail{}, field::service_id);
}

} // namespace consentgate::web
