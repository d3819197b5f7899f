#include "consentgate/core/oauth/owner.h"

#include "consentgate/core/base/secret.h"

#include <stdexcept>

namespace consentgate::core {
namespace {

std::string_view prefix_of(OwnerKind kind) {
    switch (kind) {
    case OwnerKind::flow: return "flow:";
    case OwnerKind::session: return "session:";
    case OwnerKind::virtual_key: return "key:";
    case OwnerKind::verified_user: return "user:";
    case OwnerKind::ended: return "ended:";
    }
    return {}; // past the last kind
}

} // namespace

Owner Owner::verified_user(const std::string& name) {
    return {OwnerKind::verified_user, sha256(name).hex};
}

std::string Owner::text() const { return std::string(prefix_of(kind_)) + id_; }

std::string Owner::short_text() const {
    constexpr std::size_t shown = 8;
    return std::string(prefix_of(kind_)) + id_.substr(0, shown);
}

Owner Owner::parse(std::string_view text) {
    for (int i = 0; !prefix_of(static_cast<OwnerKind>(i)).empty(); ++i) {
        const auto prefix = prefix_of(static_cast<OwnerKind>(i));
        if (text.starts_with(prefix))
            return {static_cast<OwnerKind>(i), std::string(text.substr(prefix.size()))};
    }
    throw std::invalid_argument("no owner is spelled '" + std::string(text) + "'");
}

} // namespace consentgate::core
