#include "consentgate/web/paths.h"

#include "consentgate/core/base/uri.h"
#include "consentgate/web/requests.h"

namespace consentgate::web {

std::string page_of_flow(const char* page, const core::FlowId& flow) {
    return core::append_query(page, {{field::flow_id, flow.text}});
}

core::Secret connect_url(const std::string& origin, const core::ConnectLink& link) {
    return core::Secret(core::append_query(
        origin + path::upstream_authorize,
        {{field::service_id, link.service.text}, {field::link, link.link.reveal()}}));
}

} // namespace consentgate::web
