#include "consentgate/core/oauth/pkce.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(pkce)

BOOST_AUTO_TEST_CASE(
    the_verifier_of_rfc7636_proves_its_challenge_and_no_other, *label("T13") * label("K4")) {
    BOOST_TEST(proves(rfc7636_verifier, rfc7636_challenge));
    BOOST_TEST(!proves(rfc7636_challenge, rfc7636_challenge)); // plain
    std::string other = rfc7636_verifier;
    other.back() = other.back() == 'k' ? 'l' : 'k';
    BOOST_TEST(!proves(other, rfc7636_challenge));
    BOOST_TEST(!proves(std::string(rfc7636_verifier) + "a", rfc7636_challenge));
    BOOST_TEST(!proves("", rfc7636_challenge));
    BOOST_TEST(!proves(rfc7636_verifier, ""));
    BOOST_TEST(!proves("", ""));
    BOOST_TEST(!proves(rfc7636_verifier, std::string(rfc7636_challenge) + "="));
}

BOOST_AUTO_TEST_CASE(a_challenge_has_43_base64url_characters, *label("A16")) {
    BOOST_TEST(!valid_challenge(std::string(42, 'a')));
    BOOST_TEST(valid_challenge(std::string(43, 'a')));
    BOOST_TEST(!valid_challenge(std::string(44, 'a')));
    BOOST_TEST(!valid_challenge(""));
    for (const char bad : {'=', '+', '/', '.', '~', ' ', '%', '\n'}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(!valid_challenge(std::string(42, 'a') + bad));
    }
    BOOST_TEST(valid_challenge(std::string(41, 'a') + "-_"));
}

BOOST_AUTO_TEST_CASE(a_verifier_has_43_to_128_unreserved_characters, *label("T14")) {
    BOOST_TEST(!valid_verifier(std::string(42, 'a')));
    BOOST_TEST(valid_verifier(std::string(43, 'a')));
    BOOST_TEST(valid_verifier(std::string(128, 'a')));
    BOOST_TEST(!valid_verifier(std::string(129, 'a')));
    BOOST_TEST(!valid_verifier(""));
    BOOST_TEST(valid_verifier(std::string(40, 'a') + "-._~"));
    for (const char bad : {'=', '+', '/', ' ', '%', '\n', '\0'}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(!valid_verifier(std::string(43, 'a') + bad));
    }
}

BOOST_AUTO_TEST_SUITE_END()
