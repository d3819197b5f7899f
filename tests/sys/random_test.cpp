#include "consentgate/sys/random.h"

#include "consentgate/core/base/text.h"
#include "consentgate/sys/clock.h"

#include "tests/support/child.h"

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <array>
#include <set>

using namespace consentgate::tests;
using boost::unit_test::label;
using consentgate::sys::OsRandom;

BOOST_AUTO_TEST_SUITE(random_bytes)

BOOST_AUTO_TEST_CASE(as_many_bytes_come_as_were_asked_for) {
    OsRandom random;
    for (const std::size_t count : {0U, 1U, 8U, 16U, 32U, 1000U})
        BOOST_TEST(random.bytes(count).size() == count);
}

BOOST_AUTO_TEST_CASE(
    a_secret_has_43_characters_and_an_id_of_16_bytes_22, *label("A24") * label("S14")) {
    OsRandom random;
    const auto secret = random.secret();
    BOOST_TEST(secret.reveal().size() == 43U);
    BOOST_TEST(consentgate::core::is_base64url(secret.reveal()));
    const auto id = random.id(16);
    BOOST_TEST(id.size() == 22U);
    BOOST_TEST(consentgate::core::is_base64url(id));
}

BOOST_AUTO_TEST_CASE(a_thousand_secrets_differ_in_every_position, *label("A24")) {
    OsRandom random;
    std::set<std::string> seen;
    std::array<std::set<char>, 43> letters;
    for (int i = 0; i < 1000; ++i) {
        const auto secret = random.secret();
        seen.insert(secret.reveal());
        for (std::size_t at = 0; at < letters.size(); ++at) letters[at].insert(secret.reveal()[at]);
    }
    BOOST_TEST(seen.size() == 1000U);
    // 64 letters are possible, 16 in the last place, which holds four bits.
    for (std::size_t at = 0; at < letters.size(); ++at)
        BOOST_TEST_CONTEXT(at) BOOST_TEST(letters[at].size() >= (at == 42 ? 12U : 48U));
}

BOOST_AUTO_TEST_CASE(a_fork_does_not_repeat_its_parent, *label("A24")) {
    OsRandom random;
    random.bytes(32); // seeded before the fork, as in a worker
    std::set<std::string> seen;
    for (int i = 0; i < 4; ++i) {
        std::array<int, 2> ends{};
        BOOST_REQUIRE(::pipe(ends.data()) == 0);
        const pid_t child = start_child([&] {
            const auto bytes = random.bytes(32);
            return ::write(ends[1], bytes.data(), bytes.size()) == 32 ? 0 : 1;
        });
        std::string bytes(32, '\0');
        BOOST_REQUIRE(::read(ends[0], bytes.data(), bytes.size()) == 32);
        seen.insert(bytes);
        BOOST_TEST(end_of(child) == 0);
        ::close(ends[0]);
        ::close(ends[1]);
    }
    seen.insert(random.bytes(32));
    BOOST_TEST(seen.size() == 5U);
}

BOOST_AUTO_TEST_CASE(the_clock_is_of_this_century) {
    BOOST_TEST(consentgate::core::epoch(consentgate::sys::SystemClock().now()) > 1'700'000'000);
}

BOOST_AUTO_TEST_SUITE_END()
