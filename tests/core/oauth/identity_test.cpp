#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

const Identity unanswered{}, skipped{IdentityKind::skipped, {}},
    typed{IdentityKind::user_id, "anna"}, verified{IdentityKind::verified_user, "anna"},
    keyed{IdentityKind::virtual_key, "vk_sample"};

} // namespace

BOOST_AUTO_TEST_SUITE(identity)

BOOST_AUTO_TEST_CASE(only_a_key_and_a_verified_user_last_beyond_a_session, *label("S11")) {
    for (const auto& identity : {unanswered, skipped, typed}) BOOST_TEST(!identity.is_lasting());
    BOOST_TEST(verified.is_lasting());
    BOOST_TEST(keyed.is_lasting());
}

BOOST_AUTO_TEST_CASE(each_kind_answers_what_it_is_and_nothing_else, *label("S11")) {
    BOOST_TEST(!unanswered.is_chosen());
    for (const auto& identity : {skipped, typed, verified, keyed}) BOOST_TEST(identity.is_chosen());
    for (const auto& identity : {unanswered, skipped, typed, verified, keyed}) {
        BOOST_TEST(identity.is_skipped() == (identity == skipped));
        BOOST_TEST(identity.is_typed() == (identity == typed));
        BOOST_TEST(identity.is_verified() == (identity == verified));
        BOOST_TEST(identity.virtual_key().has_value() == (identity == keyed));
    }
    BOOST_TEST(keyed.virtual_key()->text == "vk_sample");
}

BOOST_AUTO_TEST_CASE(an_owner_is_read_back_from_its_text, *label("S11")) {
    for (const auto& owner :
         {Owner::of(FlowId("f:1")), Owner::of(SessionId("s1")), Owner::of(VirtualKeyId("vk")),
          Owner::verified_user("anna"), Owner::ended("t1")}) {
        BOOST_TEST_CONTEXT(owner.text()) { BOOST_TEST((Owner::parse(owner.text()) == owner)); }
    }
    for (const auto* wrong : {"", "session", "sessions:1", "Key:1", " key:1", "nobody:1"})
        BOOST_CHECK_THROW(Owner::parse(wrong), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(owners_of_two_kinds_are_never_the_same, *label("S11")) {
    BOOST_TEST((Owner::of(FlowId("x")) != Owner::of(SessionId("x"))));
    BOOST_TEST((Owner::of(VirtualKeyId("x")) != Owner::verified_user("x")));
    BOOST_TEST(Owner::of(VirtualKeyId("x")).text() != Owner::ended("x").text());
}

BOOST_AUTO_TEST_SUITE_END()
