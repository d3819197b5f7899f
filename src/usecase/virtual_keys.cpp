#include "consentgate/usecase/virtual_keys.h"

#include "not_found.h"

#include "consentgate/core/base/text.h"

namespace consentgate::usecase {

core::Result<NewVirtualKey> add_virtual_key(
    Dependencies& deps, const std::string& name, std::optional<core::Instant> expires_at,
    std::vector<std::string> services, core::Instant now) {
    const auto trimmed = std::string(core::trim(name));
    if (trimmed.empty() || !core::valid_utf8(trimmed) || core::has_control(trimmed) ||
        core::count_characters(trimmed) > 200) {
        return core::make_error(
            core::ErrorCode::invalid_request,
            core::PublicMessage{"a key's name has 1 to 200 characters and no control characters"});
    }
    const core::Secret clear(std::string(core::virtual_key_prefix) + deps.random.secret().reveal());
    core::VirtualKey key{
        .id = core::VirtualKeyId("vk_" + deps.random.id(12)),
        .name = trimmed,
        .hash = core::sha256(clear),
        .active = true,
        .created_at = now,
        .expires_at = expires_at,
        .services = std::move(services)};
    deps.store.virtual_keys.put(key);
    return NewVirtualKey{std::move(key), clear};
}

std::vector<core::VirtualKey> list_virtual_keys(Dependencies& deps) {
    return deps.store.virtual_keys.list();
}

core::Result<std::size_t> disable_virtual_key(
    Dependencies& deps, const core::VirtualKeyId& id, core::Instant now) {
    const core::Identity identity{core::IdentityKind::virtual_key, id.text};
    const auto linked = deps.store.accounts.list(identity.owner(core::SessionId())).size();
    if (deps.store.virtual_keys.disable(id, now) == store::Applied::no)
        return not_found("there is no active key '" + id.text + "'");
    return linked;
}

} // namespace consentgate::usecase
