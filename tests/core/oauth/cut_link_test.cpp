// Tests include/consentgate/core/oauth/authorize.h: a link that was cut on the way is known from a
// wrong one.
#include "consentgate/core/oauth/authorize.h"

#include "tests/support/requests.h"
#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(cut_link)

BOOST_AUTO_TEST_CASE(a_link_that_was_cut_or_broken_is_known_from_a_wrong_one, *label("XE7")) {
    const auto cut = [](const Parameters& query) {
        return looks_cut(web::read_authorization_request(query.form()));
    };
    const auto whole = sample_authorize();
    BOOST_TEST(!cut(whole));
    BOOST_TEST(!cut(whole.with("client_id", "cgc_gone")));
    BOOST_TEST(!cut(whole.with("scope", "a b")));
    BOOST_TEST(!cut(whole.with("code_challenge_method", "plain")));
    BOOST_TEST(!cut(whole.with("code_challenge", std::string(44, 'a'))));
    BOOST_TEST(!cut(whole.with("response_type", "token")));
    BOOST_TEST(!cut(whole.also("client_id", "another"))); // an error of the app's, and no cut
    BOOST_TEST(!cut(Parameters{{"client_id", "x"}, {"request", "e30.e30."}}));
    for (const auto* missing : {"client_id", "response_type", "code_challenge"}) {
        BOOST_TEST_CONTEXT(missing) {
            BOOST_TEST(cut(whole.without(missing)));
            BOOST_TEST(cut(whole.with(missing, "")));
            BOOST_TEST(cut(whole.with(missing, "two parts")));
            BOOST_TEST(cut(whole.with(missing, "two\nparts")));
        }
    }
    BOOST_TEST(cut(whole.with("code_challenge", std::string(42, 'a'))));
    BOOST_TEST(cut(whole.with("redirect_uri", "http://127.0.0.1:53111/ callback")));
    BOOST_TEST(cut(Parameters{}));

    const auto refused = [](const char* requested) {
        return looks_cut(
            RedirectMismatch{requested, {"https://a.example/", "https://c.example/cb"}});
    };
    BOOST_TEST(refused("https://c.example/c"));
    BOOST_TEST(refused("https://c"));
    BOOST_TEST(!refused("https://c.example/cb"));
    BOOST_TEST(!refused("https://c.example/cb2"));
    BOOST_TEST(!refused("https://evil.test/cb"));
    BOOST_TEST(!refused(""));
}

BOOST_AUTO_TEST_SUITE_END()
