#include "consentgate/core/oauth/flow.h"

#include <array>

namespace consentgate::core {
namespace {

constexpr std::array<std::string_view, 5> kind_names{
    "none", "skipped", "user_id", "verified_user", "virtual_key"};

} // namespace

std::string_view name_of(IdentityKind kind) {
    return kind_names.at(static_cast<std::size_t>(kind));
}

std::optional<IdentityKind> identity_kind(std::string_view name) {
    for (std::size_t i = 0; i < kind_names.size(); ++i) {
        if (kind_names[i] == name) return static_cast<IdentityKind>(i);
    }
    return std::nullopt;
}

ReturnPath revive_return_path(const Flow& flow) {
    return ReturnPath(flow.redirect_uri, flow.state, true);
}

} // namespace consentgate::core
