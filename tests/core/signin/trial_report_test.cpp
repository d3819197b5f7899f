// Tests src/core/signin/trial_report.cpp: the claims, and the hints for an operator.
#include "consentgate/core/signin/trial_report.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/signin/identity_provider.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using boost::unit_test::label;

namespace {

IdentityProvider corp() {
    IdentityProvider idp;
    idp.id = IdpId("corp");
    idp.issuer = "https://sso.example.org";
    idp.groups_claim = "groups";
    return idp;
}

// in: claims, userinfo  JSON; userinfo empty: it was not asked
TrialReport report_of(
    const std::string& claims, const IdentityProvider& idp, const std::string& userinfo = {},
    std::int64_t clock_ahead = 0) {
    ProvedClaims proved;
    proved.issuer = idp.issuer;
    proved.subject = "anna";
    proved.clock_ahead = clock_ahead;
    proved.claims = *parse_json_object(claims);
    const auto more = userinfo.empty() ? std::nullopt : parse_json_object(userinfo);
    return make_trial_report(proved, more, person_claims(proved, more, idp), idp);
}

bool hints_at(const TrialReport& report, const std::string& words) {
    return join(report.hints, "\n").find(words) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(trial_reports)

BOOST_AUTO_TEST_CASE(each_claim_is_shown_with_its_source_and_cut, *label("SI9")) {
    const auto report = report_of(
        R"({"sub":"anna","long":")" + std::string(300, 'x') + R"(","flag":true,"list":[1,"a"]})",
        corp(), R"({"sub":"anna","groups":["eng"],"email":"a@example.org"})");
    BOOST_REQUIRE(report.claims.size() == 7U);
    BOOST_TEST(report.claims[0].value == "anna");
    BOOST_TEST(report.claims[0].source == "ID token");
    BOOST_TEST(count_characters(report.claims[1].value) <= 201U);
    BOOST_TEST(report.claims[2].value == "true");
    BOOST_TEST(report.claims[3].value == R"([1,"a"])");
    BOOST_TEST(report.claims[5].source == "userinfo");
    BOOST_TEST((report.groups == std::vector<std::string>{"eng"}));
}

BOOST_AUTO_TEST_CASE(an_address_that_does_not_count_is_explained, *label("SI9") * label("SI54")) {
    auto idp = corp();
    const std::string unverified = R"({"email":"a@example.org","groups":[]})";
    BOOST_TEST(hints_at(report_of(unverified, idp), "--email always"));
    const std::string verified = R"({"email":"a@example.org","email_verified":true,"groups":[]})";
    BOOST_TEST(report_of(verified, idp).email == "a@example.org");
    BOOST_TEST(report_of(verified, idp).hints.empty());
    BOOST_TEST(hints_at(report_of(R"({"groups":[]})", idp), "No e-mail address came"));
    idp.email_trust = EmailTrust::never;
    BOOST_TEST(report_of(unverified, idp).hints.empty());
    // The operator's word is given already, so it cannot be the advice.
    idp.email_trust = EmailTrust::always;
    BOOST_TEST(
        !hints_at(report_of(R"({"email":"\"a\"@example.org","groups":[]})", idp), "--email"));
}

BOOST_AUTO_TEST_CASE(claims_that_could_be_the_groups_are_named, *label("SI9")) {
    const auto report = report_of(
        R"({"aud":["a"],"amr":["pwd"],"roles":["a"],"realm_access":{"roles":["b"]},"n":[1],"e":[],
            "x/y":{"z":["a"]}})",
        corp());
    BOOST_TEST(hints_at(report, "--groups-claim roles, /realm_access/roles, /x~1y/z."));
    BOOST_TEST(!hints_at(report_of(R"({"groups":[]})", corp()), "--groups-claim"));
    auto none = corp();
    none.groups_claim.clear();
    BOOST_TEST(!hints_at(report_of(R"({"roles":["a"]})", none), "--groups-claim"));
}

BOOST_AUTO_TEST_CASE(groups_that_did_not_come_whole_are_explained, *label("SI9") * label("SI55")) {
    auto entra = corp();
    entra.kind = ProviderKind::entra;
    const std::string many = R"({"_claim_names":{"groups":"src1"}})";
    BOOST_TEST(hints_at(report_of(many, entra), "--graph-groups"));
    BOOST_TEST(hints_at(report_of(R"({"groups":3})", corp()), "did not say all groups"));
    BOOST_TEST(!hints_at(report_of(R"({"groups":3})", corp()), "--graph-groups"));
    BOOST_TEST(hints_at(report_of(R"({"groups":["a",""]})", corp()), "1 entries"));
}

BOOST_AUTO_TEST_CASE(a_clock_that_differs_is_named, *label("SI9")) {
    BOOST_TEST(hints_at(report_of(R"({"groups":[]})", corp(), "", -31), "-31 seconds ahead"));
    BOOST_TEST(!hints_at(report_of(R"({"groups":[]})", corp(), "", 30), "clock"));
}

BOOST_AUTO_TEST_CASE(a_report_is_read_back_as_it_was_written, *label("SI9")) {
    auto report = report_of(R"({"sub":"änna","groups":["a","b"]})", corp());
    report.kept = {"hd: example.org"};
    report.rules = {"rule 1: allow everyone"};
    const auto back = parse_trial_report(trial_report_text(report));
    BOOST_REQUIRE(back.has_value());
    BOOST_TEST(trial_report_text(*back) == trial_report_text(report));
    BOOST_TEST(back->claims.size() == 2U);
    BOOST_TEST(back->groups_known);
    BOOST_TEST(parse_trial_report(trial_report_text(failed_trial("no")))->problem == "no");
    BOOST_TEST(!parse_trial_report("[]").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
