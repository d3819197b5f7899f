#include "consentgate/core/signin/membership.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(membership)

BOOST_AUTO_TEST_CASE(
    a_fence_lets_in_members_and_nobody_who_may_be_one, *label("SI5") * label("SI55")) {
    IdentityProvider idp;
    Person anna;
    anna.groups = {"example", "example/core"};
    BOOST_TEST(!!check_membership(idp, anna), "no fence");
    idp.domains = {"other", "example/core"};
    BOOST_TEST(!!check_membership(idp, anna));
    anna.groups_known = false;
    const auto unknown = check_membership(idp, anna);
    BOOST_REQUIRE(!unknown);
    BOOST_TEST((unknown.error().code == ErrorCode::access_refused));
    BOOST_TEST(unknown.error().find<RefusedAccount>()->groups_unknown);
    anna.groups_known = true;
    for (const auto* near : {"example", "Example/core", "example/core2", ""}) {
        anna.groups = {near};
        BOOST_TEST(!check_membership(idp, anna), near);
    }
}

BOOST_AUTO_TEST_SUITE_END()
