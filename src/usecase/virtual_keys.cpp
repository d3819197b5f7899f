#include "consentgate/usecase/virtual_keys.h"

#include "consentgate/core/base/text.h"

namespace consentgate::usecase {

core::Result<NewVirtualKey> add_virtual_key(
    store::Store& store, sys::Random& random, const std::string& name,
    std::optional<core::Instant> expires_at, std::vector<std::string> services, core::Instant now) {
    const auto trimmed = std::string(core::trim(name));
    if (trimmed.empty() || !core::valid_utf8(trimmed) || core::has_control(trimmed) ||
        core::count_characters(trimmed) > 200) {
        return core::make_error(
            core::ErrorCode::invalid_request,
            core::PublicMessage{"a key's name has 1 to 200 characters and no control characters"});
    }
    const core::Secret clear(std::string(core::virtual_key_prefix) + random.secret().reveal());
    core::VirtualKey key{
        core::VirtualKeyId("vk_" + random.id(12)),
        trimmed,
        core::sha256(clear),
        true,
        now,
        expires_at,
        std::move(services)};
    store.put_virtual_key(key);
    return NewVirtualKey{std::move(key), clear};
}

} // namespace consentgate::usecase
