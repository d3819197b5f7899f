#include "consentgate/core/base/keyring.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

const ServerKey first{KeyId("k1"), Secret(std::string(32, '\1'))};
const ServerKey second{KeyId("k2"), Secret(std::string(32, '\2'))};
const Secret code(std::string(43, 'c'));

std::string token_of(const Keyring& keyring, const char* key, const Secret& from) {
    const auto token = keyring.session_token(KeyId(key), from);
    return token ? token->reveal() : "(none)";
}

} // namespace

BOOST_AUTO_TEST_SUITE(keyring)

BOOST_AUTO_TEST_CASE(a_session_token_has_its_prefix_and_43_base64url_characters, *label("S14")) {
    const auto token = token_of(Keyring({first}), "k1", code);
    BOOST_TEST(token.size() == 47U);
    BOOST_TEST(token.starts_with("cgs_"));
    BOOST_TEST(is_base64url(token.substr(4)));
}

BOOST_AUTO_TEST_CASE(the_token_depends_on_the_code_and_on_the_key, *label("S12")) {
    const Keyring keyring({first, second});
    const auto token = token_of(keyring, "k1", code);
    BOOST_TEST(
        token == token_of(Keyring({first}), "k1", code)); // the same at submit and at exchange
    BOOST_TEST(token != token_of(keyring, "k2", code));
    BOOST_TEST(token != token_of(keyring, "k1", Secret(std::string(42, 'c') + "d")));
    BOOST_TEST(token.find(code.reveal()) == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_key_that_is_not_in_the_file_gives_no_token, *label("S12")) {
    BOOST_TEST(token_of(Keyring({first}), "k2", code) == "(none)");
    BOOST_TEST(token_of(Keyring({first}), "", code) == "(none)");
}

BOOST_AUTO_TEST_CASE(the_last_key_is_used_for_what_is_new) {
    BOOST_TEST(Keyring({first, second}).newest().text == "k2");
    BOOST_TEST(Keyring({second, first}).newest().text == "k1");
}

BOOST_AUTO_TEST_CASE(a_fingerprint_tells_keys_apart_and_does_not_tell_the_key, *label("S12")) {
    BOOST_TEST(
        (Keyring::fingerprint(first) ==
         Keyring::fingerprint({KeyId("k1"), Secret(std::string(32, '\1'))})));
    BOOST_TEST(!(Keyring::fingerprint(first) == Keyring::fingerprint(second)));
    BOOST_TEST(!(Keyring::fingerprint(first) == Keyring::fingerprint({KeyId("k1"), second.bytes})));
    BOOST_TEST(!(Keyring::fingerprint(first) == sha256(first.bytes)));
}

BOOST_AUTO_TEST_CASE(a_callers_mark_shows_no_address_and_belongs_to_the_newest_key, *label("XD2")) {
    const Keyring keyring({{KeyId("k1"), Secret(std::string(32, '\1'))}});
    const Keyring rotated(
        {{KeyId("k1"), Secret(std::string(32, '\1'))},
         {KeyId("k2"), Secret(std::string(32, '\2'))}});
    const auto mark = keyring.caller_mark("192.0.2.1");
    BOOST_TEST(mark.size() == 22U);
    BOOST_TEST(is_base64url(mark));
    BOOST_TEST(keyring.caller_mark("192.0.2.1") == mark);
    BOOST_TEST(keyring.caller_mark("192.0.2.2") != mark);
    BOOST_TEST(rotated.caller_mark("192.0.2.1") != mark);
}

BOOST_AUTO_TEST_SUITE_END()
