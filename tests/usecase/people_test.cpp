// People whom an operator names, and people who are forgotten.
#include "consentgate/usecase/people.h"

#include "dependencies_fixture.h"

#include "consentgate/usecase/access_rules.h"
#include "consentgate/usecase/adoption.h"
#include "tests/support/captured_log.h"

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

const core::Instant long_ago = noon - core::Span(181 * 86400);

struct Town : DependenciesFixture {
    core::Person put(const std::string& subject, const std::string& email, core::Instant at) {
        core::Person one;
        one.idp = core::IdpId("corp");
        one.issuer = "https://sso.example";
        one.subject = subject;
        one.id = core::person_id(one.issuer, one.subject);
        one.name = subject;
        one.email = email;
        one.first_signin = one.last_signin = one.checked_at = one.snapshot_at = at;
        one.version = 1;
        store->people.put(one);
        return one;
    }
    bool known(const core::Person& one) { return store->people.find(one.id).has_value(); }
    std::vector<std::string> meant(const std::string& word) {
        std::vector<std::string> subjects;
        const auto found = usecase::find_people(deps, word);
        for (const auto& one : *found) subjects.push_back(one.subject);
        std::sort(subjects.begin(), subjects.end());
        return subjects;
    }
};

using Subjects = std::vector<std::string>;

} // namespace

BOOST_FIXTURE_TEST_SUITE(people, Town)

BOOST_AUTO_TEST_CASE(a_word_means_the_people_whom_it_names_to_the_letter, *label("SI82")) {
    const auto anna = put("anna", "anna@example.org", noon);
    put("ben", "anna@example.org", noon);
    put("user:x", "", noon);
    const auto id = "user:" + anna.id.text;
    for (const auto& word :
         {id, id.substr(0, 13), std::string("corp/anna"), std::string("corp/user:anna")})
        BOOST_TEST(meant(word) == Subjects{"anna"}, word);
    BOOST_TEST(meant("ANNA@example.org") == (Subjects{"anna", "ben"}));
    BOOST_TEST(meant("corp/user:x") == Subjects{"user:x"});
    for (const auto* word :
         {"corp/Anna", "corp/ann", "other/anna", "nna@example.org", "@", "corp/"})
        BOOST_TEST(meant(word).empty(), word);
    for (const auto& word : {id.substr(0, 12), std::string("anna"), std::string()})
        BOOST_TEST(code_of(usecase::find_people(deps, word)) == "invalid_request", word);
}

BOOST_AUTO_TEST_CASE(
    people_without_anything_are_forgotten_unless_a_rule_names_them, *label("SI84")) {
    const auto idle = put("idle", "idle@example.org", long_ago);
    const auto recent = put("recent", "", noon - core::Span(179 * 86400));
    const auto by_subject = put("by_subject", "", long_ago);
    const auto by_address = put("by_address", "by@example.org", long_ago);
    const auto in_team = put("in_team", "", long_ago);
    const auto disabled = put("disabled", "", long_ago);
    usecase::disable_person(deps, disabled, noon);
    for (const auto* who :
         {"corp/user:by_subject", "any/email:by@example.org", "corp/everyone",
          "corp/email:*@example.org"})
        BOOST_REQUIRE_EQUAL(
            code_of(usecase::add_rule(deps, {.who = *core::Who::parse(who)}, noon)), "ok");
    BOOST_REQUIRE_EQUAL(
        code_of(usecase::join_team(deps, "eng", {*core::Who::parse("corp/user:in_team")}, noon)),
        "ok");
    BOOST_TEST(usecase::sweep_people(deps, noon) == 1U);
    BOOST_TEST(!known(idle));
    for (const auto* one : {&recent, &by_subject, &by_address, &in_team, &disabled})
        BOOST_TEST(known(*one), one->subject);
    BOOST_TEST(usecase::sweep_people(deps, noon) == 0U);
}

BOOST_AUTO_TEST_CASE(more_idle_people_than_one_page_holds_are_all_forgotten, *label("SI84")) {
    for (int i = 0; i < 250; ++i) put("p" + std::to_string(i), "", long_ago);
    BOOST_TEST(usecase::sweep_people(deps, noon) == 250U);
}

BOOST_AUTO_TEST_CASE(the_names_of_mod_auth_openidc_lack_the_scheme_of_https_alone, *label("SI56")) {
    core::IdentityProvider idp;
    idp.id = core::IdpId("corp");
    idp.issuer = "https://sso.example";
    put("anna", "", noon);
    const auto meant = [&] {
        std::vector<std::pair<std::string, core::Identity>> names;
        for (const auto& [from, to] : usecase::find_module_names(deps, idp))
            names.emplace_back(from.value, to);
        return names;
    };
    const auto anna = core::person_identity("https://sso.example", "anna");
    BOOST_REQUIRE_EQUAL(meant().size(), 1U);
    BOOST_TEST(meant()[0].first == "anna@sso.example");
    BOOST_TEST((meant()[0].second == anna));
    const auto come_in = [&](const std::string& name) {
        auto flow = sample_flow();
        flow.id = core::FlowId(random.id(16));
        store->flows.put(flow);
        const auto finalization = core::finalize(
            flow, {core::IdentityKind::verified_user, name},
            {core::SessionId(random.id(16)), random.secret()}, keyring, policy, noon);
        BOOST_REQUIRE((store->flows.finalize(finalization, {}) == store::Applied::yes));
    };
    come_in("ben@sso.example");
    come_in("@sso.example");             // no subject
    come_in("carla@sso.example.evil");   // another issuer
    come_in("dora@https://sso.example"); // not how the module writes it
    come_in("emil@other@sso.example");   // a subject may hold an @
    const auto names = meant();
    BOOST_REQUIRE_EQUAL(names.size(), 3U);
    BOOST_TEST(names[1].first == "ben@sso.example");
    BOOST_TEST((names[1].second == core::person_identity("https://sso.example", "ben")));
    BOOST_TEST((names[2].second == core::person_identity("https://sso.example", "emil@other")));
}

BOOST_AUTO_TEST_SUITE_END()
