// People who connected an account at a service.
#pragma once

#include "dependencies_fixture.h"

#include "consentgate/usecase/upstream.h"

namespace consentgate::tests {

struct ConnectedFixture : DependenciesFixture {
    explicit ConnectedFixture(const core::Service& at = sample_service()) {
        store->services.put(at);
    }

    // Sends a person to the service. out: the query with which they come back
    std::string sent_to_service(const core::FlowId& flow, const std::string& code) {
        BOOST_REQUIRE(usecase::skip_identity(deps, flow, person, noon));
        const auto begun =
            usecase::connect_in_flow(deps, {flow, core::ServiceId("notion")}, person, noon);
        BOOST_REQUIRE_EQUAL(code_of(begun), "ok");
        return "code=" + code + "&state=" + query_value(begun->reveal(), "state");
    }

    // A flow with an account connected.
    core::FlowId begin_connected(const std::string& code) {
        const auto flow = begin();
        const auto query = sent_to_service(flow, code);
        const auto back = usecase::finish_connect(
            deps, web::read_callback(form_of(query)), core::ServiceId("notion"), person, noon);
        BOOST_REQUIRE_EQUAL(code_of(back), "ok");
        BOOST_REQUIRE((back->outcome == usecase::Connection::connected));
        return flow;
    }

    // Signs in with an account connected whose token ends at noon + 3600.
    core::Session connect_as(const std::string& code) {
        const auto submitted = usecase::submit_consent(deps, {begin_connected(code)}, person, noon);
        BOOST_REQUIRE_EQUAL(code_of(submitted), "ok");
        return store->sessions.find(submitted->session.id)->session;
    }

    core::LinkedAccount account_of(const core::Session& session) {
        return *store->accounts.find(session.identity.owner(session.id), core::ServiceId("notion"));
    }
};

} // namespace consentgate::tests
