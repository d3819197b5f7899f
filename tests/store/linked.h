// A session, and an account that its person linked.
#pragma once

#include "sample.h"

#include <boost/test/unit_test.hpp>

namespace consentgate::tests {

inline core::Session put_session(
    store::Store& store, const core::Flow& flow, core::Instant now = noon) {
    const auto finalization = finalization_of(flow, {core::IdentityKind::skipped, {}}, now);
    BOOST_REQUIRE((store.flows.finalize(finalization) == store::Applied::yes));
    return finalization.session;
}

inline core::LinkedAccount connected(
    store::Store& store, const core::ServiceId& service = core::ServiceId("notion")) {
    const auto session = put_session(store, put_sample_flow(store));
    auto token = sample_token(service.text);
    token.owner = core::Owner::of(session.id);
    BOOST_REQUIRE(
        (store.accounts.connect_in_session(session.id, token, noon) == store::Applied::yes));
    return token;
}

inline core::LinkedAccount found(store::Store& store, const core::LinkedAccount& token) {
    return *store.accounts.find(token.owner, token.service);
}

} // namespace consentgate::tests
