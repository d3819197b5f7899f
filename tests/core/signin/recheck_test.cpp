#include "consentgate/core/signin/recheck.h"

#include "id_tokens.h"

using boost::unit_test::label;
using namespace consentgate::tests;

namespace {

ServiceReply reply(int status, const std::string& body) {
    return {.answered = true, .status = status, .body = Secret(body)};
}
// The code of the refusal; "ok" for tokens.
std::string verdict_of(const ServiceReply& answer) {
    const auto read = read_renewed_tokens(answer);
    return read ? "ok" : std::string(traits(read.error().code).name);
}

Person person_checked(Span ago) {
    Person person;
    person.issuer = sample_signing_provider().issuer;
    person.subject = "anna";
    person.groups = {"eng"};
    person.claims = {{"hd", {"example.org"}}};
    person.last_signin = person.snapshot_at = noon - Span(500000);
    person.checked_at = noon - ago;
    return person;
}
IdentityProvider asked_after(std::optional<Span> age) {
    auto idp = sample_signing_provider();
    idp.recheck_after = age;
    return idp;
}

std::string renewed_verdict(const Edit& edit, const std::string& subject = "") {
    auto claims = sample_id_claims();
    edit(claims);
    auto person = person_checked(Span(0));
    person.subject = subject.empty() ? sample_id_claims().text("sub").value_or("") : subject;
    const auto token = provider_ec().sign(token_header("ES256", "ec"), claims);
    const auto proved = validate_renewed_id_token(
        {.access_token = Secret("at"), .id_token = Secret(token)}, sample_signing_provider(),
        usual_keys(), person, noon);
    return proved ? "ok" : std::string(traits(proved.error().code).name);
}

} // namespace

BOOST_AUTO_TEST_SUITE(recheck)

BOOST_AUTO_TEST_CASE(a_person_is_asked_about_when_the_last_good_word_is_too_old, *label("SI58")) {
    BOOST_TEST(!recheck_is_due(asked_after({}), person_checked(Span(999999)), noon));
    BOOST_TEST(!recheck_is_due(asked_after(Span(3600)), person_checked(Span(3599)), noon));
    BOOST_TEST(recheck_is_due(asked_after(Span(3600)), person_checked(Span(3600)), noon));
}

BOOST_AUTO_TEST_CASE(without_an_answer_people_go_on_for_a_day, *label("SI58")) {
    const auto often = asked_after(Span(3600)), daily = asked_after(Span(86400));
    BOOST_TEST(may_go_on_unchecked(often, person_checked(Span(86400)), noon));
    BOOST_TEST(!may_go_on_unchecked(often, person_checked(Span(86401)), noon));
    BOOST_TEST(may_go_on_unchecked(daily, person_checked(Span(90000)), noon));
    BOOST_TEST(!may_go_on_unchecked(daily, person_checked(Span(90001)), noon));
}

BOOST_AUTO_TEST_CASE(only_invalid_grant_says_that_somebody_is_gone, *label("SI58")) {
    BOOST_TEST(verdict_of(reply(200, R"({"access_token":"at","token_type":"Bearer"})")) == "ok");
    BOOST_TEST(verdict_of(reply(400, R"({"error":"invalid_grant"})")) == "invalid_grant");
    const std::pair<int, const char*> unknown[] = {
        {401, R"({"error":"invalid_client"})"},
        {400, R"({"error":"unauthorized_client"})"},
        {400, R"({"error":"invalid_scope"})"},
        {401, ""},
        {500, R"({"error":"invalid_grant"})"},
        {429, "{}"},
        {302, ""},
        {200, "<html>"},
        {200, R"({"error":"invalid_grant"})"},
        {200, R"({"token_type":"Bearer"})"}};
    for (const auto& [status, body] : unknown)
        BOOST_TEST(verdict_of(reply(status, body)) == "service_unavailable", status << body);
    BOOST_TEST(verdict_of({.reason = "away"}) == "service_unavailable");
}

BOOST_AUTO_TEST_CASE(an_id_token_of_a_refresh_is_of_the_same_person, *label("SI58")) {
    BOOST_TEST(renewed_verdict(keep()) == "ok");
    BOOST_TEST(renewed_verdict(drop("nonce")) == "ok");
    BOOST_TEST(renewed_verdict(keep(), "ben") == "service_unavailable");
    BOOST_TEST(renewed_verdict(put("aud", std::string("other"))) == "service_unavailable");
    BOOST_TEST(renewed_verdict(at("exp", -600)) == "service_unavailable");
}

BOOST_AUTO_TEST_CASE(an_answer_without_groups_keeps_the_old_ones, *label("SI51") * label("SI58")) {
    const auto before = person_checked(Span(7200));
    const ProvedClaims proved{.issuer = before.issuer, .subject = "anna", .issued_at = noon};
    PersonClaims claims;
    claims.name = "Anna M.";
    const auto same = rechecked_person(before, proved, claims, noon);
    BOOST_TEST(same.groups == before.groups);
    BOOST_TEST(same.name == "Anna M.");
    BOOST_TEST((same.checked_at == noon));
    BOOST_TEST((same.snapshot_at == noon));
    BOOST_TEST((same.last_signin == before.last_signin));
    claims.groups_sent = true;
    BOOST_TEST(rechecked_person(before, proved, claims, noon).groups.empty());
    claims.groups_known = false;
    BOOST_TEST(!rechecked_person(before, proved, claims, noon).groups_known);
}

BOOST_AUTO_TEST_SUITE_END()
