#include "consentgate/core/signin/remote_groups.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using boost::unit_test::label;
using core::Identity;
using core::IdentityKind;

namespace {

const core::Instant noon = core::from_epoch(1'800'000'000);
const Identity anna{IdentityKind::verified_user, "anna"};
const core::RemoteGroups commas{.variable = "OIDC_CLAIM_groups"};

core::Person of(const std::optional<std::string>& listed) {
    return core::remote_person(anna, listed, commas, noon);
}

} // namespace

BOOST_AUTO_TEST_SUITE(remote_groups)

BOOST_AUTO_TEST_CASE(a_variable_that_clients_fill_is_refused, *label("SI12")) {
    const auto plain = core::parse_remote_groups("OIDC_CLAIM_groups");
    BOOST_REQUIRE(!!plain);
    BOOST_TEST(plain->variable == "OIDC_CLAIM_groups");
    BOOST_TEST(plain->separator == ",");
    BOOST_TEST(core::parse_remote_groups("MELLON_groups:;")->separator == ";");
    BOOST_TEST(core::parse_remote_groups("REMOTE_USER_GROUPS::")->separator == ":");
    for (const auto* text :
         {"HTTP_GROUPS", "http_groups", "Http_X", "QUERY_STRING", "CONTENT_TYPE", "REQUEST_URI",
          "REMOTE_USER", "REMOTE_ADDR", "PATH_INFO", "SCRIPT_NAME", "FCGI_ROLE", "", "9x", "a b",
          "a-b", "x:", "x:123456789", "x:\n"})
        BOOST_TEST(!core::parse_remote_groups(text), text);
}

BOOST_AUTO_TEST_CASE(groups_are_split_to_the_byte_and_those_not_said_are_unknown, *label("SI12")) {
    using Names = std::vector<std::string>;
    BOOST_TEST((of("staff,eng").groups == Names{"eng", "staff"}));
    BOOST_TEST((of("a b, c,,a b").groups == Names{" c", "a b"}));
    BOOST_TEST(of("").groups_known);
    BOOST_TEST(of("").groups.empty());
    BOOST_TEST(!of(std::nullopt).groups_known);
    std::string many;
    for (int i = 0; i < 2001; ++i) many += std::to_string(i) + ",";
    BOOST_TEST(!of(many).groups_known);
    BOOST_TEST(of(many).groups.empty());
}

BOOST_AUTO_TEST_CASE(a_person_of_the_web_server_is_nobody_else, *label("SI12") * label("SA29")) {
    const auto person = of("eng");
    BOOST_TEST((core::identity_of(person) == anna));
    BOOST_TEST(!core::identity_of(person).is_person());
    BOOST_TEST(person.idp.text == "remote");
    BOOST_TEST((core::snapshot_of(anna) == person.id));
    BOOST_TEST(!core::person_of(anna).has_value());
    BOOST_TEST(!core::snapshot_of({IdentityKind::user_id, "anna"}).has_value());
    BOOST_TEST((person.id == core::PersonId(anna.owner(core::SessionId()).id())));
    BOOST_TEST(!(person.id == core::person_id("https://sso.example.org", "anna")));
}

BOOST_AUTO_TEST_CASE(what_was_known_is_written_again_after_an_hour, *label("SI12")) {
    const auto known = of("eng");
    auto later = known;
    BOOST_TEST(!core::is_news(known, later));
    later.checked_at = noon + core::Span(3600);
    BOOST_TEST(core::is_news(known, later));
    BOOST_TEST(core::is_news(known, of("")));
    BOOST_TEST(core::is_news(of(""), of(std::nullopt)));
}

BOOST_AUTO_TEST_SUITE_END()
