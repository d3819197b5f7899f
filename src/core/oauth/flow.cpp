#include "consentgate/core/oauth/flow.h"

namespace consentgate::core {

ReturnPath revive_return_path(const Flow& flow) {
    return ReturnPath(flow.redirect_uri, flow.state, true);
}

} // namespace consentgate::core
