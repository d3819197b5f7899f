// Encryption at rest: what was sealed opens in its own place, under its own key, unchanged, and
// nowhere else.
#include "consentgate/core/base/aead.h"
#include "consentgate/core/upstream/service.h"

#include <boost/test/unit_test.hpp>

#include <stdexcept>

using namespace consentgate;
using boost::unit_test::label;

namespace {

const core::KeyId k1("k1"), k2("k2");
const core::Keyring keyring(
    {{k1, core::Secret(std::string(32, '\1'))}, {k2, core::Secret(std::string(32, '\2'))}});
const std::string nonce = "123456789012";
const std::string place = core::associated_data("upstream_token", "row/notion", "access_token");

std::string sealed(const std::string& clear, const core::KeyId& key = k1) {
    return core::seal(keyring, key, nonce, place, core::Secret(clear));
}

// The opened text, or "refused".
std::string opened(
    const std::string& bytes, const core::KeyId& key = k1, const std::string& at = place) {
    const auto clear = core::unseal(keyring, key, bytes, at);
    return clear ? clear->reveal() : "refused";
}

std::string every_byte() {
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(aead)

BOOST_AUTO_TEST_CASE(what_was_sealed_opens, *label("S12")) {
    for (const auto& clear :
         {std::string(), std::string("a"), std::string("a token"), every_byte(),
          std::string(65536, 'x'), std::string(65536, '\0')}) {
        const auto bytes = sealed(clear);
        BOOST_TEST_CONTEXT(clear.size()) {
            BOOST_TEST((opened(bytes) == clear));
            BOOST_TEST(bytes.size() == clear.size() + 12 + 16);
            BOOST_TEST(bytes.starts_with(nonce));
            if (clear.size() > 1) BOOST_TEST((bytes.find(clear) == std::string::npos));
        }
    }
}

BOOST_AUTO_TEST_CASE(
    a_nonce_of_another_length_or_an_unknown_key_is_a_mistake_of_ours, *label("S12")) {
    for (const std::string bad : {"", "12345678901", "1234567890123"}) {
        BOOST_CHECK_THROW(core::seal(keyring, k1, bad, place, core::Secret("x")), std::logic_error);
    }
    BOOST_CHECK_THROW(
        core::seal(keyring, core::KeyId("k3"), nonce, place, core::Secret("x")), std::logic_error);
}

BOOST_AUTO_TEST_CASE(another_key_does_not_open_it, *label("S12")) {
    const auto bytes = sealed("a token");
    BOOST_TEST(opened(bytes, k2) == "refused");
    BOOST_TEST(opened(bytes, core::KeyId("k3")) == "refused");
    BOOST_TEST(opened(bytes, core::KeyId("")) == "refused");
    BOOST_TEST((sealed("a token", k2) != bytes));
    const core::Keyring other(
        {{k1, core::Secret(std::string(32, '\3'))}}); // another key under the same id
    BOOST_TEST(!core::unseal(other, k1, bytes, place).has_value());
}

BOOST_AUTO_TEST_CASE(it_opens_in_its_own_place_only, *label("S12")) {
    const auto bytes = sealed("a token");
    for (const auto& elsewhere :
         {core::associated_data("upstream_token", "row2/notion", "access_token"),
          core::associated_data("upstream_token", "row/notion", "refresh_token"),
          core::associated_data("service", "row/notion", "access_token"),
          core::associated_data("upstream_token", "row", "/notionaccess_token"), std::string(),
          place + "\n"}) {
        BOOST_TEST_CONTEXT(elsewhere) BOOST_TEST(opened(bytes, k1, elsewhere) == "refused");
    }
}

BOOST_AUTO_TEST_CASE(the_parts_of_a_place_cannot_be_shifted, *label("S12")) {
    BOOST_TEST(core::associated_data("a", "bc", "d") != core::associated_data("ab", "c", "d"));
    BOOST_TEST(core::associated_data("a", "", "b") != core::associated_data("a", "b", ""));
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_anywhere_is_noticed, *label("S12")) {
    const auto bytes = sealed("a token of some length");
    for (std::size_t at = 0; at < bytes.size(); ++at) { // nonce, body and tag
        for (int bit = 0; bit < 8; ++bit) {
            auto changed = bytes;
            changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
            BOOST_TEST_CONTEXT(at << ", " << bit) BOOST_TEST(opened(changed) == "refused");
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_cut_or_longer_is_refused, *label("S12")) {
    for (const std::string clear : {"", "a token"}) {
        const auto bytes = sealed(clear);
        for (std::size_t length = 0; length < bytes.size(); ++length) {
            BOOST_TEST_CONTEXT(length) {
                BOOST_TEST(opened(bytes.substr(0, length)) == "refused");
                BOOST_TEST(opened(bytes.substr(bytes.size() - length)) == "refused");
            }
        }
        BOOST_TEST(opened(bytes + '\0') == "refused");
        BOOST_TEST(opened('\0' + bytes) == "refused");
    }
}

BOOST_AUTO_TEST_CASE(another_nonce_gives_another_ciphertext, *label("S12")) {
    const auto other = core::seal(keyring, k1, "abcdefghijkl", place, core::Secret("a token"));
    BOOST_TEST((other.substr(12) != sealed("a token").substr(12)));
    BOOST_TEST(opened(other) == "a token");
    BOOST_TEST(opened(nonce + other.substr(12)) == "refused");
}

BOOST_AUTO_TEST_CASE(a_token_has_a_place_of_its_own_for_each_owner, *label("S12") * label("XC14")) {
    core::LinkedAccount token;
    token.id = "row";
    token.service = core::ServiceId("notion");
    token.owner = core::Owner::verified_user("anna");
    const auto access = token.access_token_aad();
    BOOST_TEST(token.refresh_token_aad() != access);
    auto other = token;
    other.owner = core::Owner::verified_user("berta");
    BOOST_TEST(other.access_token_aad() != access);
    other = token;
    other.service = core::ServiceId("github");
    BOOST_TEST(other.access_token_aad() != access);
    other = token;
    other.seal = 0; // the form before
    BOOST_TEST(other.access_token_aad() != access);
}

BOOST_AUTO_TEST_CASE(
    the_owner_that_an_account_was_sealed_for_counts_once_it_has_ended_and_never_before,
    *label("XC14")) {
    core::LinkedAccount token;
    token.id = "row";
    token.service = core::ServiceId("notion");
    token.owner = core::Owner::verified_user("anna");
    const auto hers = token.access_token_aad();
    token.sealed_for = core::Owner::verified_user("berta").text();
    BOOST_TEST(token.access_token_aad() == hers);
    token.sealed_for = token.owner.text();
    token.owner = core::Owner::ended("row");
    BOOST_TEST(token.access_token_aad() == hers);
}

BOOST_AUTO_TEST_SUITE_END()
