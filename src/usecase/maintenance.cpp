#include "consentgate/usecase/maintenance.h"

#include "consentgate/store/open.h"

#include <algorithm>
#include <stdexcept>

namespace consentgate::usecase {
namespace {

constexpr std::size_t batch =
    200; // rows of each kind: a sweep holds the writer's lock for a few milliseconds
constexpr core::Span sweep_soon{1}, sweep_rest{60};

// Two machines that start for the first time may note the same key at the same moment.
void note(store::Store& store, const core::ServerKeyRecord& key, core::Instant now) {
    try {
        store.server_keys.put(key, now);
    } catch (const store::StoreFailure&) {
        const auto known = store.server_keys.list();
        const bool same = std::any_of(known.begin(), known.end(), [&](const auto& record) {
            return record.id == key.id && record.fingerprint == key.fingerprint;
        });
        if (!same) throw;
    }
}

} // namespace

Health check_health(Dependencies& deps) {
    Health health;
    health.expected_version = store::expected_schema_version();
    try {
        health.schema = deps.store.maintenance.schema();
        health.store_answers = true;
    } catch (
        const store::StoreFailure& failure) { // an unreachable store is a result, not a failure
        health.why_not = failure.what();
    }
    return health;
}

Health check_health(Dependencies& deps, sys::WriteTrials& trials, core::Instant now) {
    auto health = check_health(deps);
    if (!health.ready()) return health;
    if (const auto recent = trials.recent(now)) {
        health.writes = *recent;
        return health;
    }
    try {
        // Not written because another writer was at it all the time: something can be written.
        deps.store.maintenance.try_to_write(core::sha256(deps.random.secret()), now);
    } catch (const store::StoreFailure& failure) {
        health.writes = false;
        health.why_not = failure.what();
        deps.log.event("not_writable", {{"reason", health.why_not}});
    }
    trials.note(health.writes, now);
    return health;
}

void check_server_keys(Dependencies& deps, core::Instant now, KeyCheck check) {
    const auto& keyring = deps.keyring;
    const auto known = deps.store.server_keys.list();
    const auto& keys = keyring.keys();
    for (const auto& record : known) {
        if (record.state == core::KeyState::removed) {
            if (record.id == keyring.newest())
                throw std::runtime_error(
                    "the key '" + record.id.text +
                    "', the last in the key file, was removed from this database; copy the key "
                    "file here from the machine where that was done");
            continue;
        }
        const auto key = std::find_if(keys.begin(), keys.end(), [&](const auto& candidate) {
            return candidate.id == record.id;
        });
        if (key == keys.end()) {
            if (record.state == core::KeyState::known) continue; // nothing was written with it yet
            throw std::runtime_error(
                "the key file lacks the key '" + record.id.text +
                "' that this database was used with; restore the file from its backup");
        }
        if (!(core::Keyring::fingerprint(*key) == record.fingerprint)) {
            throw std::runtime_error(
                "the key '" + record.id.text +
                "' in the key file is not the one this database was used with; restore the file "
                "from its backup");
        }
    }
    for (const auto& key : keys) {
        const bool last = key.id == keyring.newest();
        const auto record = std::find_if(known.begin(), known.end(), [&](const auto& candidate) {
            return candidate.id == key.id;
        });
        // A new database cannot tell which of several keys is older.
        const auto state = last || known.empty() ? core::KeyState::used : core::KeyState::known;
        if (record == known.end() &&
            (check == KeyCheck::serving || state == core::KeyState::used)) {
            note(deps.store, {key.id, core::Keyring::fingerprint(key), state}, now);
        } else if (record != known.end() && last && record->state == core::KeyState::known) {
            deps.store.server_keys.set_state(key.id, core::KeyState::used);
        }
    }
}

core::Swept sweep(Dependencies& deps, core::Instant now, const ClientLives& lives) {
    return deps.store.maintenance.sweep(now, now - lives.unused, batch, now - lives.idle);
}

core::Span next_sweep_after(const core::Swept& swept) {
    return swept.more ? sweep_soon : sweep_rest;
}

} // namespace consentgate::usecase
