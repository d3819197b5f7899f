// All that a use-case may touch. There are no singletons and no globals.
#pragma once

#include "consentgate/core/base/keyring.h"
#include "consentgate/core/oauth/bearer.h"
#include "consentgate/core/oauth/policy.h"
#include "consentgate/store/store.h"
#include "consentgate/sys/clock.h"
#include "consentgate/sys/document_fetcher.h"
#include "consentgate/sys/http_client.h"
#include "consentgate/sys/log.h"
#include "consentgate/sys/metrics.h"
#include "consentgate/sys/places.h"
#include "consentgate/sys/random.h"
#include "consentgate/sys/recent_calls.h"
#include "consentgate/sys/service_rests.h"
#include "consentgate/usecase/session_uses.h"

namespace consentgate::usecase {

class Assertions;

struct Dependencies {
    store::Store& store;
    sys::Random& random;
    const sys::Clock& clock;
    const sys::Log& log;
    const core::Policy& policy;
    const core::Keyring& keyring;
    const core::BearerVerifier& bearers;
    sys::DocumentFetcher* documents =
        nullptr;                        // absent where nothing is fetched: in consentgate-admin
    sys::HttpClient* web = nullptr;     // to services; absent where none is asked
    sys::Metrics* metrics = nullptr;    // absent where nobody counts
    sys::Places* places = nullptr;      // absent where nobody else waits: in consentgate-admin
    sys::ServiceRests* rests = nullptr; // absent where every service is asked: there too
    SessionUses* uses = nullptr;        // absent where nobody notes them
    sys::RecentCalls* calls = nullptr;  // absent where none goes through the gate, or there is no
                                        // file
    Assertions* assertions = nullptr;   // absent where no server behind reads one

    // A place for asking that URL, for as long as the caller keeps it. Whoever must not use
    // something up in vain (a state, a lease) enters first.
    // out: false after at most 300 ms without one: answer no_place()
    sys::Place enter(sys::PlaceKind kind, const std::string& url) const {
        return places ? places->enter(kind, sys::place_target(url)) : sys::Place::unlimited();
    }

    void count(sys::Metric metric, sys::Labels labels) const {
        if (metrics) metrics->count(metric, labels);
    }
    void note_use(
        const core::Session& session, const std::string& address, core::Instant now) const {
        if (uses) uses->note(session, address, now);
    }
};

} // namespace consentgate::usecase
