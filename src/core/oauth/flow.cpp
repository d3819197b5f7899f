#include "consentgate/core/oauth/flow.h"

namespace consentgate::core {

Checked check_resource_chosen(const Flow& flow) {
    if (!flow.resource.empty()) return Nothing{};
    return make_error(
        ErrorCode::resource_required, PublicMessage{"say which server the app may use first"},
        LogDetail{"the client named none of several resources"}, "resource");
}

ReturnPath revive_return_path(const Flow& flow) {
    return ReturnPath(flow.redirect_uri, flow.state, true);
}

} // namespace consentgate::core
