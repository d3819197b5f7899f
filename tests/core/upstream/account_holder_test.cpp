// Whose account it is, as services tell with their tokens.
#include "consentgate/core/upstream/account_holder.h"

#include "consentgate/core/base/text.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using boost::unit_test::label;

namespace {

std::string with_id_token(const std::string& claims) {
    return R"({"access_token":"a","id_token":"e30.)" + to_base64url(claims) + R"(.c2ln"})";
}

std::optional<AccountHolder> of_claims(const std::string& claims) {
    return holder_in(with_id_token(claims));
}

} // namespace

BOOST_AUTO_TEST_SUITE(account_holder, *label("S7"))

BOOST_AUTO_TEST_CASE(an_id_token_tells_the_person_s_address_or_else_their_name) {
    const auto named = [](const std::string& more) {
        return of_claims(R"({"iss":"https://i.example","sub":"1")" + more + "}").value().name;
    };
    BOOST_TEST(named(R"(,"email":"ada@example.org","name":"Ada")") == "ada@example.org");
    BOOST_TEST(named(R"(,"preferred_username":"ada","name":"Ada L")") == "ada");
    BOOST_TEST(named(R"(,"name":"Ada L")") == "Ada L");
    BOOST_TEST(named("") == "");
    BOOST_TEST(named(R"(,"email":7,"name":"   ")") == "");
}

BOOST_AUTO_TEST_CASE(the_id_is_the_issuer_s_and_not_the_name) {
    const auto id = [](const std::string& iss, const std::string& sub, const std::string& email) {
        return of_claims(
                   R"({"iss":")" + iss + R"(","sub":")" + sub + R"(","email":")" + email + "\"}")
            .value()
            .id_hash;
    };
    const auto first = id("https://i.example", "1", "a@example.org");
    BOOST_TEST(first.size() == 64U);
    BOOST_TEST(first == id("https://i.example", "1", "new@example.org"));
    BOOST_TEST(first != id("https://i.example", "2", "a@example.org"));
    BOOST_TEST(first != id("https://j.example", "1", "a@example.org"));
}

BOOST_AUTO_TEST_CASE(some_services_tell_in_members_of_their_own) {
    const auto slack =
        holder_in(R"({"ok":true,"team":{"id":"T1","name":"Garden"},"authed_user":{"id":"U1"}})");
    BOOST_TEST(slack.value().name == "Garden");
    const auto notion = holder_in(
        R"({"workspace_id":"w","workspace_name":"Home","owner":{"user":{"id":"u","name":"Ada",)"
        R"("person":{"email":"ada@example.org"}}}})");
    BOOST_TEST(notion.value().name == "ada@example.org");
    const auto salesforce = holder_in(
        R"({"id":"https://login.example/id/00D/005","instance_url":"https://eu1.example"})");
    BOOST_TEST(salesforce.value().name == "");
    BOOST_TEST(slack->id_hash != notion->id_hash);
}

BOOST_AUTO_TEST_CASE(a_service_that_does_not_tell_or_tells_half_is_not_guessed_at) {
    for (const auto* body :
         {"", "{}", "access_token=a", R"({"id_token":"x"})", R"({"id_token":"a.b.c.d"})",
          R"({"id_token":5})", R"({"team":{"id":"T1"}})", R"({"team":"T1","authed_user":"U1"})",
          R"({"owner":{"workspace":true},"workspace_id":"w"})", R"({"id":"only"})"})
        BOOST_TEST(!holder_in(body).has_value(), body);
    BOOST_TEST(!of_claims("not json").has_value());
    BOOST_TEST(!of_claims(R"({"sub":"1"})").has_value());
    BOOST_TEST(!of_claims(R"({"iss":"https://i.example"})").has_value());
    BOOST_TEST(!of_claims(R"({"iss":"https://i.example","sub":"\ud800"})").has_value());
}

BOOST_AUTO_TEST_CASE(a_name_is_short_and_shows_nothing_hidden) {
    const auto name =
        of_claims(R"({"iss":"i","sub":"1","name":"\u202eAda)" + std::string(200, 'x') + "\"}")
            .value()
            .name;
    BOOST_TEST(count_characters(name) <= 81U);
    BOOST_TEST(name.starts_with("Ada"));
}

BOOST_AUTO_TEST_SUITE_END()
