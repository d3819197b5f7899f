#include "consentgate/usecase/upkeep.h"

#include "consentgate/store/open.h"

#include <algorithm>
#include <stdexcept>

namespace consentgate::usecase {
namespace {

constexpr std::size_t batch = 200; // rows of each kind: a sweep holds the writer's lock for a few milliseconds

// Two machines that start for the first time may note the same key at the same moment.
void note(store::Store& store, const store::ServerKeyRecord& key, core::Instant now) {
    try {
        store.put_server_key(key, now);
    } catch (const store::StoreFailure&) {
        const auto known = store.list_server_keys();
        const bool same = std::any_of(known.begin(), known.end(), [&](const auto& record) { return record.id == key.id && record.fingerprint == key.fingerprint; });
        if (!same) throw;
    }
}

} // namespace

Health check_health(store::Store& store) {
    Health health;
    health.expected_version = store::expected_schema_version();
    try {
        health.schema_version = store.schema_version();
        health.store_answers = true;
    } catch (const store::StoreFailure& failure) { // that is the answer
        health.why_not = failure.what();
    }
    return health;
}

void check_server_keys(store::Store& store, const core::Keyring& keyring, core::Instant now) {
    const auto known = store.list_server_keys();
    const auto& keys = keyring.keys();
    for (const auto& record : known) {
        const auto key = std::find_if(keys.begin(), keys.end(), [&](const auto& candidate) { return candidate.id == record.id; });
        if (key == keys.end()) {
            throw std::runtime_error("the key file lacks the key '" + record.id.text + "' that this database was used with; restore the file from its backup");
        }
        if (!(core::Keyring::fingerprint(*key) == record.fingerprint)) {
            throw std::runtime_error("the key '" + record.id.text + "' in the key file is not the one this database was used with; restore the file from its backup");
        }
    }
    for (const auto& key : keys) {
        const bool noted = std::any_of(known.begin(), known.end(), [&](const auto& record) { return record.id == key.id; });
        if (!noted) note(store, {key.id, core::Keyring::fingerprint(key)}, now);
    }
}

store::Swept sweep(store::Store& store, core::Instant now, core::Span unused_client_life) {
    return store.sweep(now, now - unused_client_life, batch);
}

} // namespace consentgate::usecase
