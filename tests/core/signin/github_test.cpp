// GitHub's answers, in the shapes of its documentation.
#include "consentgate/core/signin/github.h"

#include "consentgate/core/signin/identity_provider.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using boost::unit_test::label;

namespace {

const Instant noon = from_epoch(1'800'000'000);
const std::string orgs_url = "https://api.github.com/user/orgs?per_page=100";

ServiceReply answer(std::string body, int status = 200) {
    return {.answered = true, .status = status, .body = Secret(std::move(body))};
}

IdentityProvider github() {
    IdentityProvider idp;
    idp.id = IdpId("github");
    idp.kind = ProviderKind::github;
    idp.issuer = "https://github.com";
    idp.groups_claim = "groups";
    return idp;
}

std::string reason_of(const Result<GithubToken>& read) { return read ? "" : read.error().reason; }

std::string next_of(const std::string& link) {
    const auto page = read_github_groups(answer("[]"), link, orgs_url);
    return page ? page->next : "refused: " + page.error().param;
}

} // namespace

BOOST_AUTO_TEST_SUITE(github_answers)

BOOST_AUTO_TEST_CASE(the_addresses_follow_from_the_issuer, *label("SI16")) {
    const auto known = github_metadata("https://github.com");
    BOOST_TEST(known.authorization_endpoint == "https://github.com/login/oauth/authorize");
    BOOST_TEST(known.token_endpoint == "https://github.com/login/oauth/access_token");
    BOOST_TEST(known.userinfo_endpoint == "https://api.github.com/user");
    BOOST_TEST(known.jwks_uri.empty());
    BOOST_TEST(
        github_metadata("https://acme.ghe.com").userinfo_endpoint ==
        "https://api.acme.ghe.com/user");
    BOOST_TEST(
        github_metadata("https://git.example.org").userinfo_endpoint ==
        "https://git.example.org/api/v3/user");
    // A host that only ends like it is somebody else's.
    BOOST_TEST(
        github_metadata("https://evilghe.com").userinfo_endpoint ==
        "https://evilghe.com/api/v3/user");
}

BOOST_AUTO_TEST_CASE(an_error_with_status_200_is_an_error, *label("SI16") * label("SI46")) {
    const auto good = read_github_token(
        answer(R"({"access_token":"gho_x","token_type":"bearer","scope":"read:org,user:email"})"));
    BOOST_REQUIRE(bool(good));
    BOOST_TEST(good->access_token.reveal() == "gho_x");
    BOOST_TEST(good->may_read_groups);
    BOOST_TEST(
        reason_of(read_github_token(answer(
            R"({"error":"bad_verification_code","error_description":"The code is wrong"})"))) ==
        "status 200, bad_verification_code");
    BOOST_TEST(!bool(read_github_token(answer(R"({"access_token":"gho_x"})"))));
    BOOST_TEST(!bool(read_github_token(answer(R"({"token_type":"bearer","access_token":""})"))));
    BOOST_TEST(!bool(
        read_github_token(answer(R"({"access_token":"a\nb","token_type":"bearer","scope":""})"))));
    const auto away = read_github_token(answer("", 502));
    BOOST_REQUIRE(!bool(away));
    BOOST_TEST((away.error().code == ErrorCode::service_unavailable));
}

BOOST_AUTO_TEST_CASE(a_scope_without_organisations_tells_no_groups, *label("SI46")) {
    const auto may = [](const std::string& scope) {
        const auto read = read_github_token(
            answer(R"({"access_token":"gho_x","token_type":"bearer","scope":")" + scope + "\"}"));
        return read && read->may_read_groups;
    };
    BOOST_TEST(may("")); // an app whose rights are no scopes
    BOOST_TEST(may("user:email, read:org"));
    BOOST_TEST(may("admin:org"));
    BOOST_TEST(!may("user:email"));
    BOOST_TEST(!may("read:orgs"));
}

BOOST_AUTO_TEST_CASE(the_subject_is_the_number_and_never_the_name, *label("SI16") * label("SI46")) {
    const auto user = read_github_user(
        answer(R"({"login":"octocat","id":583231,"name":"The Octocat","email":"x@evil.test"})"),
        github(), noon);
    BOOST_REQUIRE(bool(user));
    BOOST_TEST(user->subject == "583231");
    BOOST_TEST(user->issuer == "https://github.com");
    BOOST_TEST((user->issued_at == noon));
    BOOST_TEST(user->claims.text("name").value_or("") == "The Octocat");
    BOOST_TEST(user->claims.text("preferred_username").value_or("") == "octocat");
    // The public address of a profile is what its owner wrote.
    BOOST_TEST(!user->claims.has("email"));
    for (const auto* body :
         {R"({"login":"octocat"})", R"({"id":"583231"})", R"({"id":0})", R"({"id":1.5})", "[]", ""})
        BOOST_TEST(!bool(read_github_user(answer(body), github(), noon)), body);
    BOOST_TEST(!bool(read_github_user(answer(R"({"id":1})", 403), github(), noon)));
}

BOOST_AUTO_TEST_CASE(the_primary_address_counts_when_it_is_verified, *label("SI54")) {
    const auto email_of = [](const std::string& body, int status = 200) {
        auto user = read_github_user(answer(R"({"id":1,"login":"a"})"), github(), noon);
        add_github_email(*user, answer(body, status));
        return person_claims(*user, std::nullopt, github()).email;
    };
    const std::string two = R"([{"email":"old@example.org","primary":false,"verified":true},
        {"email":"a@example.org","primary":true,"verified":)";
    BOOST_TEST(email_of(two + "true}]") == "a@example.org");
    BOOST_TEST(email_of(two + "false}]") == "");
    BOOST_TEST(email_of(two + "\"true\"}]") == "");
    BOOST_TEST(email_of(R"([{"email":"a@example.org","verified":true}])") == "");
    BOOST_TEST(email_of(two + "true}]", 404) == "");
    BOOST_TEST(email_of("{}") == "");
}

BOOST_AUTO_TEST_CASE(groups_are_organisations_and_teams_in_lower_case, *label("SI46")) {
    const auto orgs =
        read_github_groups(answer(R"([{"login":"Example"},{"login":"other"}])"), "", orgs_url);
    BOOST_REQUIRE(bool(orgs));
    BOOST_TEST((orgs->names == std::vector<std::string>{"example", "other"}));
    BOOST_TEST(orgs->next.empty());
    const auto teams = read_github_groups(
        answer(R"([{"slug":"Core-Team","name":"Core","organization":{"login":"Example"}}])"), "",
        orgs_url);
    BOOST_REQUIRE(bool(teams));
    BOOST_TEST((teams->names == std::vector<std::string>{"example/core-team"}));
    // A part of a list would pass for the whole.
    for (const auto* body :
         {R"([{"login":"a"},{}])", R"([{"slug":"x","organization":{}}])", R"(["a"])", "{}", "",
          R"([],"list":[])"})
        BOOST_TEST(!bool(read_github_groups(answer(body), "", orgs_url)), body);
    BOOST_TEST(!bool(read_github_groups(answer("[]", 403), "", orgs_url)));
}

BOOST_AUTO_TEST_CASE(a_next_page_is_of_the_same_origin, *label("SI46") * label("SA28")) {
    const std::string next = "https://api.github.com/user/1/orgs?page=2";
    BOOST_TEST(next_of("<" + next + R"(>; rel="next", <https://x>; rel="last")") == next);
    BOOST_TEST(next_of("<https://x>; rel=\"last\", <" + next + ">; rel=\"next\"") == next);
    BOOST_TEST(next_of("<" + next + R"(>; rel="prev")") == "");
    BOOST_TEST(next_of("") == "");
    for (const auto* other :
         {"https://evil.test/user/orgs?page=2", "http://api.github.com/user/orgs?page=2",
          "https://api.github.com.evil.test/user/orgs", "https://api.github.com:8443/user/orgs",
          "https://a@api.github.com/user/orgs", "/user/orgs?page=2", "//api.github.com/user/orgs"})
        BOOST_TEST(
            next_of("<" + std::string(other) + R"(>; rel="next")") == "refused: next", other);
}

BOOST_AUTO_TEST_CASE(groups_that_did_not_come_are_unknown, *label("SI46") * label("SI55")) {
    const auto user = read_github_user(answer(R"({"id":1,"login":"a"})"), github(), noon);
    auto claims = person_claims(*user, std::nullopt, github());
    apply_asked_groups(claims, std::nullopt, github());
    BOOST_TEST(!claims.groups_known);
    apply_asked_groups(claims, std::vector<std::string>{"b", "a", "b"}, github());
    BOOST_TEST(claims.groups_known);
    BOOST_TEST((claims.groups == std::vector<std::string>{"a", "b"}));
    apply_asked_groups(claims, std::vector<std::string>(2001, "a"), github());
    BOOST_TEST(!claims.groups_known);
    apply_asked_groups(claims, std::vector<std::string>{}, github());
    BOOST_TEST(claims.groups_known);
}

BOOST_AUTO_TEST_CASE(what_is_kept_says_what_it_is, *label("SI58")) {
    const auto lasting = read_github_token(
        answer(R"({"access_token":"gho_x","token_type":"bearer","scope":"read:org"})"));
    BOOST_REQUIRE(bool(lasting));
    const auto again = github_token_of(kept_github_token(*lasting));
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(again->access_token.reveal() == "gho_x");
    BOOST_TEST(again->may_read_groups);
    const auto less = read_github_token(
        answer(R"({"access_token":"gho_x","token_type":"bearer","scope":"user:email"})"));
    BOOST_TEST(!github_token_of(kept_github_token(*less))->may_read_groups);
    const auto expiring = read_github_token(
        answer(R"({"access_token":"ghu_x","token_type":"bearer","scope":"","expires_in":28800,)"
               R"("refresh_token":"ghr_y"})"));
    BOOST_TEST(kept_github_token(*expiring).reveal() == "ghr_y");
    BOOST_TEST(!github_token_of(Secret("ghr_y")).has_value());
}

BOOST_AUTO_TEST_CASE(only_its_own_word_says_that_a_token_is_over, *label("SI58")) {
    const auto code_of = [](const auto& read) {
        return read ? ErrorCode::server_error : read.error().code;
    };
    const auto renewed = [&](const char* body, int status = 200) {
        return code_of(read_renewed_github_token(answer(body, status)));
    };
    BOOST_TEST((renewed(R"({"error":"bad_refresh_token"})") == ErrorCode::invalid_grant));
    for (const auto* word : {"incorrect_client_credentials", "unverified_user_email", "x"})
        BOOST_TEST(
            (renewed((std::string(R"({"error":")") + word + "\"}").c_str()) ==
             ErrorCode::service_unavailable),
            word);
    BOOST_TEST((renewed("<html>") == ErrorCode::service_unavailable));
    BOOST_TEST((renewed("{}", 502) == ErrorCode::service_unavailable));
    BOOST_TEST((code_of(check_github_token(answer("{}", 401))) == ErrorCode::invalid_grant));
    for (const int status : {403, 404, 429, 500})
        BOOST_TEST(
            (code_of(check_github_token(answer("{}", status))) == ErrorCode::service_unavailable),
            status);
    BOOST_TEST(!!check_github_token(answer("{}")));
}

BOOST_AUTO_TEST_SUITE_END()
