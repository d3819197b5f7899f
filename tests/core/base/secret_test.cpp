#include "consentgate/core/base/secret.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

#include <concepts>
#include <ostream>
#include <type_traits>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

template <class Value>
concept Streamable = requires(std::ostream& out, const Value& value) {
    out << value;
};
template <class Value>
concept Comparable = requires(const Value& value) {
    value == value;
};

// A secret cannot be printed, logged, compared in variable time or turned into text by accident.
static_assert(Streamable<std::string>);
static_assert(!Streamable<Secret>);
static_assert(!Streamable<Digest>);
static_assert(!Comparable<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string, Secret>);
static_assert(!std::is_convertible_v<Secret, bool>);

} // namespace

BOOST_AUTO_TEST_SUITE(secret)

BOOST_AUTO_TEST_CASE(a_secret_that_is_moved_away_is_empty) {
    Secret first("clear text");
    Secret second(std::move(first));
    BOOST_TEST(second.reveal() == "clear text");
    BOOST_TEST(first.empty()); // NOLINT: that is the point
    Secret third;
    third = std::move(second);
    BOOST_TEST(third.reveal() == "clear text");
    BOOST_TEST(second.empty()); // NOLINT
    BOOST_TEST(Secret().empty());
}

// spec: FIPS 180-4, the message "abc"
BOOST_AUTO_TEST_CASE(sha256_gives_the_vectors_of_fips_180) {
    BOOST_TEST(
        sha256("abc").hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    BOOST_TEST(
        sha256("").hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    BOOST_TEST(sha256(Secret("abc")).hex == sha256("abc").hex);
    BOOST_TEST(to_hex(sha256_bytes("abc")) == sha256("abc").hex);
}

// spec: RFC 4231 section 4.3
BOOST_AUTO_TEST_CASE(hmac_gives_the_vector_of_rfc4231) {
    BOOST_TEST(
        to_hex(hmac_sha256_bytes(Secret("Jefe"), "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

BOOST_AUTO_TEST_CASE(bytes_are_the_same_only_when_all_are) {
    BOOST_TEST(same_bytes("", ""));
    BOOST_TEST(same_bytes(std::string_view("a\0b", 3), std::string_view("a\0b", 3)));
    BOOST_TEST(!same_bytes(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
    BOOST_TEST(!same_bytes("a", "ab"));
    BOOST_TEST(!same_bytes("xb", "ab"));
    BOOST_TEST(!same_bytes("ax", "ab"));
    BOOST_TEST((sha256("a") == sha256("a")));
    BOOST_TEST(!(sha256("a") == sha256("b")));
    BOOST_TEST(!(Digest{} == sha256("a")));
}

BOOST_AUTO_TEST_SUITE_END()
