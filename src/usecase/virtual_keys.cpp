#include "consentgate/usecase/virtual_keys.h"

#include "not_found.h"

#include "consentgate/core/base/text.h"

namespace consentgate::usecase {
namespace {

core::Secret fresh_text(Dependencies& deps) {
    return core::Secret(std::string(core::virtual_key_prefix) + deps.random.secret().reveal());
}

core::Owner owner_of(const core::VirtualKeyId& id) {
    return core::Identity{core::IdentityKind::virtual_key, id.text}.owner(core::SessionId());
}

} // namespace

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
    const auto clear = fresh_text(deps);
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

core::Result<NewVirtualKey> rotate_virtual_key(
    Dependencies& deps, const core::VirtualKeyId& id, std::optional<core::Instant> keep_until,
    core::Instant now) {
    auto key = deps.store.virtual_keys.find(id);
    if (!key) return not_found("there is no key '" + id.text + "'");
    if (!key->usable(now))
        return not_found(
            "the key '" + id.text +
            "' is disabled or has expired, for good; key add makes another");
    NewVirtualKey rotated{std::move(*key), fresh_text(deps)};
    rotated.key.hash = core::sha256(rotated.clear);
    if (deps.store.virtual_keys.rotate(id, rotated.key.hash, keep_until) == store::Applied::no)
        return not_found("the key '" + id.text + "' was disabled or rotated meanwhile");
    return rotated;
}

VirtualKeyDetails describe_virtual_key(
    Dependencies& deps, const core::VirtualKey& key, core::Instant now) {
    return {
        .key = key,
        .old_until = deps.store.virtual_keys.former_until(key.id, now),
        .accounts = deps.store.accounts.list(owner_of(key.id)),
        .sessions = deps.store.sessions.list(now, {.key = key.id}, most_sessions).size()};
}

std::vector<core::VirtualKey> list_virtual_keys(Dependencies& deps) {
    return deps.store.virtual_keys.list();
}

core::Result<std::size_t> disable_virtual_key(
    Dependencies& deps, const core::VirtualKeyId& id, core::Instant now) {
    const auto linked = deps.store.accounts.list(owner_of(id)).size();
    if (deps.store.virtual_keys.disable(id, now) == store::Applied::no)
        return not_found("there is no active key '" + id.text + "'");
    return linked;
}

} // namespace consentgate::usecase
