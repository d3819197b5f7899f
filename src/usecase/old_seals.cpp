#include "consentgate/usecase/old_seals.h"

#include "account_seal.h"
#include "service_call.h"

#include "consentgate/core/base/aead.h"

namespace consentgate::usecase {
namespace {

constexpr const char* permission_id = "upstream_token";
constexpr core::Span permission_life{30 * 86400}, restart_time{3600};
constexpr std::size_t batch = 200;

bool is_good(const core::OldSeals& permission, const core::Keyring& keyring, core::Instant now) {
    return now < permission.expires_at &&
           core::unseal(keyring, permission.key_id, permission.mark, permission.mark_aad());
}

} // namespace

void permit_old_seals(Dependencies& deps, core::Instant now) {
    core::OldSeals permission{
        .id = permission_id,
        .expires_at = now + permission_life,
        .key_id = deps.keyring.newest(),
        .mark = {}};
    permission.mark = seal(deps, permission.mark_aad(), core::Secret());
    deps.store.accounts.put_old_seals(permission);
}

bool opens_old_seals(Dependencies& deps, core::Instant now) {
    const auto permission = deps.store.accounts.find_old_seals(permission_id);
    return permission && is_good(*permission, deps.keyring, now);
}

std::size_t seal_old_accounts_anew(Dependencies& deps, core::Instant now) {
    const auto permission = deps.store.accounts.find_old_seals(permission_id);
    if (!permission) return 0;
    auto accounts = deps.store.accounts.list_old_seals(now, batch);
    if (accounts.empty()) {
        if (permission->expires_at - permission_life + restart_time <= now)
            deps.store.accounts.remove_old_seals(permission_id);
        return 0;
    }
    for (auto& account : accounts) {
        if (seal_tokens_anew(deps, account, now)) continue;
        account.seal = core::current_seal;
        account.broken_at = now;
    }
    return deps.store.accounts.seal_anew(accounts, now);
}

} // namespace consentgate::usecase
