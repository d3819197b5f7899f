// The doctor's own session, on SQLite.
#include "consentgate/usecase/probe_session.h"

#include "consentgate/usecase/gate.h"
#include "dependencies_fixture.h"

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using core::IdentityKind;

BOOST_FIXTURE_TEST_SUITE(probe_session, DependenciesFixture)

BOOST_AUTO_TEST_CASE(the_doctors_session_opens_one_server_for_a_minute_at_most, *label("XF3")) {
    const auto& resource = policy.resources.front();
    const auto call = [&](const core::Secret& token, core::Instant at) {
        return code_of(usecase::authorize_call(deps, resource, token, at));
    };
    const auto identity = usecase::probe_identity(policy);
    BOOST_REQUIRE(identity.has_value());
    const auto session =
        usecase::begin_probe_session(deps, sample_client().id, resource, *identity, noon);
    BOOST_REQUIRE(session.has_value());
    BOOST_TEST(call(session->token, noon) == "ok");
    BOOST_TEST(call(session->token, noon + core::Span(59)) == "ok");
    BOOST_TEST(call(session->token, noon + core::Span(60)) == "invalid_bearer");
    usecase::end_probe_session(deps, *session, noon);
    BOOST_TEST(call(session->token, noon) == "invalid_bearer");
    BOOST_TEST(store->sessions.list(noon).empty());
    BOOST_TEST(store->server_keys.list_uses(noon).empty(), "a code that nobody redeems");
}

BOOST_AUTO_TEST_CASE(the_doctor_stands_for_nobody_who_has_a_key, *label("XF3")) {
    const auto kind = [&](core::IdentityKinds identities) {
        policy.identities = identities;
        const auto identity = usecase::probe_identity(policy);
        return identity ? identity->kind : IdentityKind::none;
    };
    BOOST_TEST((kind(core::IdentityKinds::any()) == IdentityKind::skipped));
    BOOST_TEST(
        (kind({IdentityKind::user_id, IdentityKind::verified_user}) == IdentityKind::user_id));
    BOOST_TEST((kind(core::Policy().identities) == IdentityKind::verified_user));
    BOOST_TEST((kind({IdentityKind::virtual_key}) == IdentityKind::none));
}

BOOST_AUTO_TEST_SUITE_END()
