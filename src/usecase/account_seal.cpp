#include "account_seal.h"

#include "service_call.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/usecase/old_seals.h"

namespace consentgate::usecase {
namespace {

bool may_open(Dependencies& deps, const core::LinkedAccount& account, core::Instant now) {
    return account.seal >= core::current_seal || opens_old_seals(deps, now);
}

std::optional<core::Secret> unseal_access(
    const core::Keyring& keyring, const core::LinkedAccount& account) {
    return core::unseal(keyring, account.key_id, account.access_token, account.access_token_aad());
}

std::optional<core::Secret> unseal_refresh(
    const core::Keyring& keyring, const core::LinkedAccount& account) {
    return core::unseal(
        keyring, account.key_id, account.refresh_token, account.refresh_token_aad());
}

} // namespace

std::optional<core::Secret> open_access_token(
    Dependencies& deps, const core::LinkedAccount& account, core::Instant now) {
    return may_open(deps, account, now) ? unseal_access(deps.keyring, account) : std::nullopt;
}

std::optional<core::Secret> open_refresh_token(
    Dependencies& deps, const core::LinkedAccount& account, core::Instant now) {
    return may_open(deps, account, now) ? unseal_refresh(deps.keyring, account) : std::nullopt;
}

std::optional<ClearTokens> open_tokens(
    Dependencies& deps, const core::LinkedAccount& account, core::Instant now) {
    auto access = open_access_token(deps, account, now);
    if (!access) return std::nullopt;
    if (account.refresh_token.empty()) return ClearTokens{std::move(*access), std::nullopt};
    auto refresh = unseal_refresh(deps.keyring, account);
    if (!refresh) return std::nullopt;
    return ClearTokens{std::move(*access), std::move(refresh)};
}

void seal_tokens(Dependencies& deps, core::LinkedAccount& account, const ClearTokens& clear) {
    account.seal = core::current_seal;
    account.key_id = deps.keyring.newest();
    account.access_token = seal(deps, account.access_token_aad(), clear.access_token);
    account.refresh_token.clear();
    if (clear.refresh_token)
        account.refresh_token = seal(deps, account.refresh_token_aad(), *clear.refresh_token);
}

bool seal_tokens_anew(Dependencies& deps, core::LinkedAccount& account, core::Instant now) {
    const auto clear = open_tokens(deps, account, now);
    if (clear) seal_tokens(deps, account, *clear);
    return clear.has_value();
}

std::vector<core::LinkedAccount> accounts_sealed_for(
    Dependencies& deps, const core::Flow& flow, const core::Owner& owner, core::Instant now) {
    if (flow.revision == 0) return {}; // linking an account raises it
    auto accounts = deps.store.accounts.list(core::Owner::of(flow.id));
    for (auto& account : accounts) {
        const auto clear = open_tokens(deps, account, now);
        account.owner = owner;
        if (clear)
            seal_tokens(deps, account, *clear);
        else
            account.ended_at = now;
    }
    return accounts;
}

} // namespace consentgate::usecase
