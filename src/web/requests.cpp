#include "consentgate/web/requests.h"

#include "consentgate/core/upstream/service_discovery.h"

namespace consentgate::web {

core::Result<core::FlowId> read_form_flow_id(const core::Form& form) {
    if (auto once = form.check_not_repeated(
            {field::flow_id, field::resource, field::virtual_key, field::user_id, field::from});
        !once)
        return once.error();
    return read_flow_id(form);
}

std::optional<core::ServiceId> service_id_below(
    std::string_view path, std::string_view below, std::string_view ending) {
    if (!path.starts_with(below) || !path.ends_with(ending)) return std::nullopt;
    path.remove_prefix(below.size());
    if (!path.starts_with('/') || path.size() <= ending.size()) return std::nullopt;
    const auto id = path.substr(1, path.size() - 1 - ending.size());
    if (!core::check_service_id(id)) return std::nullopt;
    return core::ServiceId(std::string(id));
}

core::Result<core::ServiceId> read_service_id(const core::Form& form) {
    auto id = form.get(field::service_id);
    if (id) return core::ServiceId(std::move(*id));
    return core::make_error(
        core::ErrorCode::invalid_request, core::PublicMessage{"mcp_client_id is missing"},
        core::LogDetail{}, field::service_id);
}

core::Result<AccountChange> read_account_change(const core::Form& form) {
    if (auto once = form.check_not_repeated({field::change, field::session_id, field::service_id});
        !once)
        return once.error();
    const auto word = form.get(field::change);
    if (word == "again") return AccountChange::again;
    if (word == "another") return AccountChange::another;
    if (word == "end") return AccountChange::end;
    return core::make_error(
        core::ErrorCode::invalid_request, core::PublicMessage{"change is again, another or end"},
        {}, field::change);
}

} // namespace consentgate::web
