// All that a use-case may touch. No singletons, no globals: whoever has no World can do nothing.
#pragma once

#include "consentgate/core/bearer.h"
#include "consentgate/core/keyring.h"
#include "consentgate/core/policy.h"
#include "consentgate/store/store.h"
#include "consentgate/sys/document_fetcher.h"
#include "consentgate/sys/metrics.h"
#include "consentgate/sys/random.h"
#include "consentgate/sys/web_caller.h"

namespace consentgate::usecase {

struct World {
    store::Store& store;
    sys::Random& random;
    const core::Policy& policy;
    const core::Keyring& keyring;
    const core::BearerVerifier& bearers;
    sys::DocumentFetcher* documents = nullptr; // absent where nothing is fetched: in consentgate-admin
    sys::WebCaller* web = nullptr;             // to services; absent where none is asked
    sys::Metrics* metrics = nullptr;           // absent where nobody counts

    void count(sys::Metric metric, sys::Labels labels) const {
        if (metrics) metrics->count(metric, labels);
    }
};

} // namespace consentgate::usecase
