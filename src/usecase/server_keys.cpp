#include "consentgate/usecase/server_keys.h"

#include "account_seal.h"
#include "service_call.h"

#include "consentgate/core/base/aead.h"

#include <algorithm>
#include <stdexcept>

namespace consentgate::usecase {
namespace {

constexpr std::size_t batch = 50; // rows of one transaction: a request that wants one of them waits
                                  // a few milliseconds at most

// Clocks of machines differ, and a request under way has validated its token a moment ago.
constexpr core::Span margin{60};

const core::ServerKeyRecord* record_of(
    const std::vector<core::ServerKeyRecord>& records, const core::KeyId& key) {
    const auto known = std::find_if(
        records.begin(), records.end(), [&](const auto& record) { return record.id == key; });
    return known == records.end() ? nullptr : &*known;
}

core::KeyUse use_of(const std::vector<core::KeyUse>& uses, const core::KeyId& key) {
    const auto known =
        std::find_if(uses.begin(), uses.end(), [&](const auto& use) { return use.key == key; });
    return known == uses.end() ? core::KeyUse{key} : *known;
}

KeyStage stage_of(const core::ServerKeyRecord* record, bool last) {
    if (record != nullptr && record->state == core::KeyState::removed) return KeyStage::removed;
    if (last) return KeyStage::current;
    if (record == nullptr) return KeyStage::added;
    return record->state == core::KeyState::known ? KeyStage::known : KeyStage::old;
}

// The end of the rows that expire: codes, upstream states, and used refresh tokens in their grace.
std::optional<core::Instant> end_of(const core::KeyUse& use, core::Span grace) {
    auto end = use.last_expiry;
    if (use.last_use) end = std::max(end.value_or(core::Instant{}), *use.last_use + grace + margin);
    return end;
}

// False: the text cannot be decrypted.
bool reseal(
    Dependencies& deps, const core::KeyId& before, const std::string& place, std::string& sealed) {
    if (sealed.empty()) return true;
    const auto clear = core::unseal(deps.keyring, before, sealed, place);
    if (clear) sealed = seal(deps, place, *clear);
    return clear.has_value();
}

class Walk {
public:
    Walk(
        Dependencies& deps, core::Instant now,
        const std::function<void(const Rekeyed&)>& after_batch)
        : deps_(deps), now_(now), after_batch_(after_batch) {}

    void services() {
        for (auto& service : deps_.store.services.list()) {
            if (service.key_id == deps_.keyring.newest()) continue;
            ++done_.found;
            const auto before = service.key_id;
            if (!reseal(deps_, before, service.client_secret_aad(), service.client_secret) ||
                !reseal(
                    deps_, before, service.registration_token_aad(), service.registration_token)) {
                ++done_.unreadable;
                continue;
            }
            service.key_id = deps_.keyring.newest();
            if (deps_.store.server_keys.rekey_service(service, before) == store::Applied::yes)
                ++done_.services;
        }
        for (auto& former : deps_.store.services.list_former()) {
            if (former.key_id == deps_.keyring.newest()) continue;
            ++done_.found;
            const auto before = former.key_id;
            if (!reseal(deps_, before, former.client_secret_aad(), former.client_secret)) {
                ++done_.unreadable;
                continue;
            }
            former.key_id = deps_.keyring.newest();
            if (deps_.store.server_keys.rekey_registration(former, before) == store::Applied::yes)
                ++done_.services;
        }
        after_batch_(done_);
    }

    void idps() {
        for (auto& idp : deps_.store.idps.list()) {
            if (idp.key_id == deps_.keyring.newest()) continue;
            ++done_.found;
            const auto before = idp.key_id;
            if (!reseal(deps_, before, idp.client_secret_aad(), idp.client_secret)) {
                ++done_.unreadable;
                continue;
            }
            idp.key_id = deps_.keyring.newest();
            if (deps_.store.server_keys.rekey_idp(idp, before) == store::Applied::yes) ++done_.idps;
        }
        after_batch_(done_);
    }

    void grants() {
        for (std::string after;;) {
            const auto some =
                deps_.store.grants.list_to_rekey(deps_.keyring.newest(), after, batch);
            if (some.empty()) return;
            after = some.back().person.text;
            done_.found += some.size();
            for (const auto& before : some) {
                auto grant = before;
                if (!reseal(deps_, before.key_id, grant.refresh_token_aad(), grant.refresh_token)) {
                    ++done_.unreadable;
                    continue;
                }
                grant.key_id = deps_.keyring.newest();
                if (deps_.store.grants.rekey(grant, before) == store::Applied::yes) ++done_.grants;
            }
            after_batch_(done_);
        }
    }

    void accounts() {
        for (std::string after;;) {
            auto tokens = deps_.store.server_keys.list_accounts_to_rekey(
                deps_.keyring.newest(), after, batch);
            if (tokens.empty()) return;
            after = tokens.back().id;
            done_.found += tokens.size();
            std::vector<store::RekeyedAccount> readable;
            for (auto& token : tokens) {
                const auto before = token.key_id;
                if (seal_tokens_anew(deps_, token, now_))
                    readable.push_back({std::move(token), before});
                else
                    ++done_.unreadable;
            }
            if (!readable.empty())
                done_.accounts += deps_.store.server_keys.rekey_accounts(readable);
            after_batch_(done_);
        }
    }

    void refresh_tokens(core::Instant used_before) {
        std::string after;
        do {
            const auto step = deps_.store.server_keys.rekey_refresh_tokens(
                deps_.keyring.newest(), used_before, after, batch);
            done_.found += step.found;
            done_.refresh_tokens += step.changed;
            after = step.last;
            after_batch_(done_);
        } while (!after.empty());
    }

    const Rekeyed& done() const { return done_; }

private:
    Dependencies& deps_;
    core::Instant now_;
    const std::function<void(const Rekeyed&)>& after_batch_;
    Rekeyed done_;
};

} // namespace

std::vector<KeyLife> list_keys(Dependencies& deps, core::Instant now) {
    const auto& keyring = deps.keyring;
    const auto records = deps.store.server_keys.list();
    const auto uses = deps.store.server_keys.list_uses(now);
    std::vector<KeyLife> lives;
    for (const auto& key : keyring.keys()) {
        auto use = use_of(uses, key.id);
        const auto end = end_of(use, deps.policy.refresh_grace);
        lives.push_back(
            {key.id, stage_of(record_of(records, key.id), key.id == keyring.newest()),
             std::move(use), end});
    }
    return lives;
}

std::optional<KeyLife> next_key(const std::vector<KeyLife>& keys) {
    const auto next = std::find_if(keys.rbegin(), keys.rend(), [](const auto& key) {
        return key.stage == KeyStage::added || key.stage == KeyStage::known;
    });
    return next == keys.rend() ? std::nullopt : std::optional(*next);
}

void require_latest(Dependencies& deps) {
    const auto records = deps.store.server_keys.list();
    const auto* current = record_of(records, deps.keyring.newest());
    for (const auto& record : records) {
        if (current == nullptr || record.state != core::KeyState::used ||
            record.created_at <= current->created_at)
            continue;
        throw std::runtime_error(
            "the key file uses '" + current->id.text +
            "' for what is new, but this database was used with the newer '" + record.id.text +
            "'; copy the key file here from the machine where it was rotated");
    }
}

void note_current(Dependencies& deps, core::Instant now) {
    const auto& keyring = deps.keyring;
    auto& server_keys = deps.store.server_keys;
    const auto records = server_keys.list();
    const auto* record = record_of(records, keyring.newest());
    if (record == nullptr)
        server_keys.put({keyring.newest(), core::Keyring::fingerprint(keyring.keys().back())}, now);
    else if (record->state != core::KeyState::used)
        server_keys.set_state(record->id, core::KeyState::used);
}

Rekeyed rekey(
    Dependencies& deps, core::Instant now, const std::function<void(const Rekeyed&)>& after_batch) {
    Walk walk(deps, now, after_batch);
    walk.services();
    walk.idps();
    walk.grants();
    walk.accounts();
    walk.refresh_tokens(now - deps.policy.refresh_grace - margin);
    return walk.done();
}

void retire_key(Dependencies& deps, const core::KeyId& key, core::Instant now) {
    const auto& keyring = deps.keyring;
    auto& server_keys = deps.store.server_keys;
    require_latest(deps);
    if (key == keyring.newest())
        throw std::runtime_error(
            "the key '" + key.text + "' is the one that is used for what is new; rotate first");
    const auto records = server_keys.list();
    const auto* record = record_of(records, key);
    const auto& keys = keyring.keys();
    if (record == nullptr &&
        std::none_of(keys.begin(), keys.end(), [&](const auto& one) { return one.id == key; }))
        throw std::runtime_error("there is no key '" + key.text + "'");
    const auto use = use_of(server_keys.list_uses(now), key);
    if (use.total() > 0) {
        const auto lasting = use.accounts + use.services + use.idps + use.grants;
        throw std::runtime_error(
            "the key '" + key.text + "' is still needed by " + std::to_string(use.total()) +
            " rows" +
            (lasting == 0 && end_of(use, deps.policy.refresh_grace)
                 ? "; run server-key rotate --wait, which ends when they have expired"
                 : "; run server-key rotate"));
    }
    if (record != nullptr) server_keys.set_state(key, core::KeyState::removed);
}

} // namespace consentgate::usecase
