#include "consentgate/usecase/assertions.h"

#include "consentgate/core/base/json.h"
#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

struct Call {
    core::Keyring keyring = sample_keyring();
    usecase::Assertions assertions{keyring};
    core::Policy policy = sample_policy();
    core::SessionView view;
    core::PersonFacts person{.name = "Anna", .idp = core::IdpId("corp")};

    Call() {
        view.session.id = core::SessionId("session_1");
        view.session.client_id = core::ClientId("cgc_sample");
        view.session.scope = scopes("mcp");
        view.session.resource = "https://tools.example.org/mcp";
        view.session.expires_at = noon + core::Span(3600);
        view.standing.policy_version = 3;
        view.standing.person.emplace().version = 7;
    }
    std::string made(int after = 0) {
        return assertions.of_call(view, &person, policy, noon + core::Span(after));
    }
};

std::int64_t end_of(const std::string& assertion) {
    const auto claims = core::from_base64(core::split(assertion, '.').at(1), core::Base64::url);
    return core::parse_json_object(*claims)->integer("exp").value();
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(assertions_of_calls, Call)

BOOST_AUTO_TEST_CASE(an_assertion_is_the_same_until_half_of_its_time_is_over, *label("SI77")) {
    const auto first = made();
    BOOST_TEST(made() == first);
    BOOST_TEST(made(149) == first);
    const auto second = made(150);
    BOOST_TEST(second != first);
    BOOST_TEST(end_of(second) == core::epoch(noon) + 450);
    BOOST_TEST(made(150 + 149) == second);
    BOOST_TEST(made(100) != second); // a clock that was set back
    // Near the end of the token it is made anew the more often.
    const auto late = made(3500);
    BOOST_TEST(end_of(late) == core::epoch(noon) + 3600);
    BOOST_TEST(made(3549) == late);
    BOOST_TEST(made(3550) != late);
}

BOOST_AUTO_TEST_CASE(
    a_change_of_the_person_the_rules_the_scope_or_the_token_makes_a_new_one, *label("SI77")) {
    const auto first = made();
    const auto changed = [&](const auto& change) {
        const auto before = view;
        change();
        const auto other = made();
        BOOST_TEST(other != first);
        BOOST_TEST(made() == other);
        view = before;
    };
    changed([&] { view.standing.person->version = 8; });
    changed([&] { view.standing.policy_version = 4; });
    changed([&] { view.session.scope = scopes("mcp profile"); });
    changed([&] { view.session.token_expires_at = noon + core::Span(1800); });
    changed([&] { view.session.id = core::SessionId("session_2"); });
}

BOOST_AUTO_TEST_SUITE_END()
