// Tests the one rule that decides who may come in, over every kind of identity.
#include "consentgate/core/oauth/admission.h"
#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

constexpr IdentityKind kinds[] = {
    IdentityKind::none, IdentityKind::skipped, IdentityKind::user_id, IdentityKind::verified_user,
    IdentityKind::virtual_key};

Policy letting_in(IdentityKinds identities, VerifiedUser verified_user = VerifiedUser::off) {
    auto policy = sample_policy();
    policy.identities = identities;
    policy.verified_user = verified_user;
    return policy;
}

} // namespace

BOOST_AUTO_TEST_SUITE(admission)

BOOST_AUTO_TEST_CASE(only_known_people_come_in_by_default, *label("XA1")) {
    const Policy policy;
    BOOST_TEST(policy.identities.text() == "virtual_key verified_user");
    BOOST_TEST(code_of(check_admitted({IdentityKind::virtual_key, "vk"}, policy)) == "ok");
    BOOST_TEST(code_of(check_admitted({IdentityKind::verified_user, "anna"}, policy)) == "ok");
    BOOST_TEST(
        code_of(check_admitted({IdentityKind::user_id, "anna"}, policy)) == "identity_not_allowed");
    BOOST_TEST(code_of(check_admitted({IdentityKind::skipped, {}}, policy)) == "identity_required");
}

BOOST_AUTO_TEST_CASE(each_kind_comes_in_where_it_is_listed_and_nowhere_else, *label("XA1")) {
    for (const auto listed : kinds) {
        const auto policy = letting_in({listed});
        for (const auto kind : kinds) {
            BOOST_TEST_CONTEXT(name_of(kind) << " where " << name_of(listed) << " is listed")
            BOOST_TEST(
                static_cast<bool>(check_admitted({kind, "x"}, policy)) ==
                (kind == listed && kind != IdentityKind::none));
        }
        BOOST_TEST(!check_admitted({listed, "x"}, letting_in({})));
    }
    BOOST_TEST(!check_admitted({}, letting_in(IdentityKinds::any()))); // no answer is no identity
}

BOOST_AUTO_TEST_CASE(a_set_of_kinds_says_itself_as_it_is_configured, *label("XA1")) {
    BOOST_TEST(IdentityKinds().text() == "");
    BOOST_TEST(IdentityKinds::any().text() == "any");
    const IdentityKinds typed{IdentityKind::user_id, IdentityKind::virtual_key};
    BOOST_TEST(typed.text() == "virtual_key user_id");
    BOOST_TEST(typed.without(IdentityKind::user_id).text() == "virtual_key");
    BOOST_TEST(typed.without(IdentityKind::skipped).text() == typed.text());
    BOOST_TEST(IdentityKinds{}.with(IdentityKind::none).text() == "");
    BOOST_TEST(
        IdentityKinds::any().without(IdentityKind::skipped).with(IdentityKind::skipped).text() ==
        "any");
}

BOOST_AUTO_TEST_CASE(page_1_offers_what_comes_in_and_can_be_chosen_there, *label("XA1")) {
    for (const auto kind : kinds) {
        const bool chosen_there = kind != IdentityKind::none && kind != IdentityKind::verified_user;
        BOOST_TEST_CONTEXT(name_of(kind)) {
            BOOST_TEST(is_offered(kind, letting_in(IdentityKinds::any())) == chosen_there);
            BOOST_TEST(!is_offered(kind, letting_in(IdentityKinds::any().without(kind))));
            BOOST_TEST(
                !is_offered(kind, letting_in(IdentityKinds::any(), VerifiedUser::remote_user)));
        }
    }
    const auto named = letting_in(IdentityKinds::any(), VerifiedUser::remote_user);
    BOOST_TEST(code_of(check_offered(IdentityKind::virtual_key, named)) == "invalid_request");
    BOOST_TEST(
        code_of(check_offered(IdentityKind::user_id, letting_in({IdentityKind::virtual_key}))) ==
        "identity_not_allowed");
}

BOOST_AUTO_TEST_CASE(a_session_is_refused_while_its_kind_may_not_come_in, *label("XA1")) {
    const Identity typed{IdentityKind::user_id, "anna"};
    const SessionView view{sample_finalization(typed).session, "Sample", true, std::nullopt};
    const auto code = sample_finalization(typed).code;
    const CodeRequest request{
        code.client_id, Secret("c"), Secret(rfc7636_verifier), std::nullopt, std::nullopt};
    const auto doors = [&](const Policy& policy) {
        return code_of(check_session(view, policy, noon)) + " " +
               code_of(check_access(view, view.session.resource, policy, noon)) + " " +
               code_of(validate_code_request(request, code, view.session, policy, noon));
    };
    BOOST_TEST(doors(letting_in(IdentityKinds::any())) == "ok ok ok");
    BOOST_TEST(
        doors(letting_in({IdentityKind::virtual_key, IdentityKind::verified_user})) ==
        "invalid_bearer invalid_bearer invalid_grant");
    BOOST_TEST(doors(letting_in({IdentityKind::user_id})) == "ok ok ok"); // allowed again
    BOOST_TEST(code_of(check_lasts(view, noon)) == "ok");                 // it has not ended
}

BOOST_AUTO_TEST_CASE(one_sentence_says_who_can_come_in, *label("XA2")) {
    const auto said = [](const Policy& policy, std::optional<std::size_t> keys) {
        return who_can_come_in(policy, keys).sentence;
    };
    const auto by_default = letting_in(Policy().identities);
    BOOST_TEST(
        said(letting_in(IdentityKinds::any()), 0) ==
        "Anyone who can open the pages can come in, without saying who they are (identities = "
        "any).");
    BOOST_TEST(
        said(letting_in({IdentityKind::user_id, IdentityKind::virtual_key}), 3) ==
        "Anyone who can open the pages can come in, under any name they type (identities = "
        "virtual_key user_id).");
    BOOST_TEST(said(by_default, std::nullopt) == "Only people with a virtual key can come in.");
    BOOST_TEST(
        said(by_default, 1) == "Only people with a virtual key can come in; 1 key is active.");
    BOOST_TEST(
        said(by_default, 2) == "Only people with a virtual key can come in; 2 keys are active.");
    BOOST_TEST(
        said(letting_in(IdentityKinds::any(), VerifiedUser::remote_user), 0) ==
        "Only people whom the web server signs in can come in (verified_user = remote_user).");
    const auto with_idps = [](const Policy& policy, std::optional<std::size_t> keys,
                              std::size_t providers) {
        return who_can_come_in(policy, keys, providers).sentence;
    };
    BOOST_TEST(
        with_idps(by_default, 0, 1) ==
        "Only people who sign in at an identity provider can come in; 1 provider is active.");
    BOOST_TEST(
        with_idps(by_default, 2, 2) ==
        "Only people who sign in at an identity provider, or have a virtual key, can come in; 2 "
        "providers are active, and 2 keys are active.");
    BOOST_TEST(
        with_idps(letting_in({IdentityKind::virtual_key}), 1, 1) ==
        "Only people with a virtual key can come in; 1 key is active.");
}

BOOST_AUTO_TEST_CASE(
    where_nobody_can_come_in_the_next_step_is_named, *label("XA1") * label("XA2")) {
    const auto step = [](const Policy& policy, std::optional<std::size_t> keys) {
        const auto found = who_can_come_in(policy, keys);
        BOOST_TEST(found.sentence.starts_with("Nobody can come in") == !found.next_step.empty());
        BOOST_TEST((found.entrance == Entrance::nobody) == !found.next_step.empty());
        return found.next_step;
    };
    BOOST_TEST(step(letting_in(Policy().identities), 0) == "consentgate-admin key add NAME");
    BOOST_TEST(step(letting_in(Policy().identities), 1) == "");
    BOOST_TEST(
        step(letting_in({IdentityKind::verified_user}), 5) == "add virtual_key to identities");
    BOOST_TEST(step(letting_in({}), 5) == "add virtual_key to identities");
    BOOST_TEST(
        step(letting_in({IdentityKind::virtual_key}, VerifiedUser::remote_user), 5) ==
        "add verified_user to identities");
    BOOST_TEST(step(letting_in({IdentityKind::skipped}), 0) == "");
}

BOOST_AUTO_TEST_SUITE_END()
