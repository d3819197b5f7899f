#include "account_seal.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/usecase/old_seals.h"

namespace consentgate::usecase {
namespace {

std::string sealed(
    sys::Random& random, const core::Keyring& keyring, const std::string& place,
    const core::Secret& clear) {
    return core::seal(keyring, keyring.newest(), random.bytes(core::nonce_bytes), place, clear);
}

bool may_open(
    store::Store& store, const core::Keyring& keyring, const core::LinkedAccount& account,
    core::Instant now) {
    return account.seal >= core::current_seal || opens_old_seals(store, keyring, now);
}

} // namespace

std::optional<core::Secret> open_access_token(
    Dependencies& deps, const core::LinkedAccount& account, core::Instant now) {
    if (!may_open(deps.store, deps.keyring, account, now)) return std::nullopt;
    return core::unseal(
        deps.keyring, account.key_id, account.access_token, account.access_token_aad());
}

std::optional<core::Secret> open_refresh_token(
    Dependencies& deps, const core::LinkedAccount& account, core::Instant now) {
    if (!may_open(deps.store, deps.keyring, account, now)) return std::nullopt;
    return core::unseal(
        deps.keyring, account.key_id, account.refresh_token, account.refresh_token_aad());
}

std::optional<ClearTokens> open_tokens(
    store::Store& store, const core::Keyring& keyring, const core::LinkedAccount& account,
    core::Instant now) {
    if (!may_open(store, keyring, account, now)) return std::nullopt;
    auto access =
        core::unseal(keyring, account.key_id, account.access_token, account.access_token_aad());
    if (!access) return std::nullopt;
    if (account.refresh_token.empty()) return ClearTokens{std::move(*access), std::nullopt};
    auto refresh =
        core::unseal(keyring, account.key_id, account.refresh_token, account.refresh_token_aad());
    if (!refresh) return std::nullopt;
    return ClearTokens{std::move(*access), std::move(refresh)};
}

void seal_tokens(
    sys::Random& random, const core::Keyring& keyring, core::LinkedAccount& account,
    const ClearTokens& clear) {
    account.seal = core::current_seal;
    account.key_id = keyring.newest();
    account.access_token = sealed(random, keyring, account.access_token_aad(), clear.access_token);
    account.refresh_token.clear();
    if (clear.refresh_token)
        account.refresh_token =
            sealed(random, keyring, account.refresh_token_aad(), *clear.refresh_token);
}

bool seal_tokens_anew(
    store::Store& store, sys::Random& random, const core::Keyring& keyring,
    core::LinkedAccount& account, core::Instant now) {
    const auto clear = open_tokens(store, keyring, account, now);
    if (!clear) return false;
    seal_tokens(random, keyring, account, *clear);
    return true;
}

std::vector<core::LinkedAccount> accounts_sealed_for(
    Dependencies& deps, const core::Flow& flow, const core::Owner& owner, core::Instant now) {
    if (flow.revision == 0) return {}; // linking an account raises it
    auto accounts = deps.store.accounts.list(core::Owner::of(flow.id));
    for (auto& account : accounts) {
        const auto clear = open_tokens(deps.store, deps.keyring, account, now);
        account.owner = owner;
        if (clear)
            seal_tokens(deps.random, deps.keyring, account, *clear);
        else
            account.ended_at = now;
    }
    return accounts;
}

} // namespace consentgate::usecase
