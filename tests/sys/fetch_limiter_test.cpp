#include "consentgate/sys/fetch_limiter.h"

#include "tests/support/child.h"

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <thread>

using namespace consentgate::sys;
using namespace consentgate::tests;
using boost::unit_test::label;
using Entry = FetchLimiter::Entry;

namespace {

FetchLimiter::Time soon(int ms = 200) {
    return std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
}

// A child process that enters and leaves after `ms`; it writes a byte to the pipe once it is in.
pid_t child_that_holds(FetchLimiter& limiter, const char* what, int ms) {
    int ends[2];
    BOOST_REQUIRE(::pipe(ends) == 0);
    const pid_t pid = start_child([&] {
        const auto place = limiter.enter(what, 4, soon());
        if (::write(ends[1], "x", 1) != 1) return 2;
        ::usleep(static_cast<useconds_t>(ms) * 1000);
        limiter.leave(place);
        return place.entry == Entry::entered ? 0 : 1;
    });
    char byte = 0;
    BOOST_REQUIRE(::read(ends[0], &byte, 1) == 1);
    ::close(ends[0]);
    ::close(ends[1]);
    return pid;
}

} // namespace

BOOST_AUTO_TEST_SUITE(fetch_limiter)

BOOST_AUTO_TEST_CASE(as_many_as_allowed_enter_and_no_more, *label("R31") * label("K27")) {
    FetchLimiter limiter;
    const auto first = limiter.enter("a", 2, soon());
    const auto second = limiter.enter("b", 2, soon());
    BOOST_TEST((first.entry == Entry::entered && second.entry == Entry::entered));
    BOOST_TEST((limiter.enter("c", 2, soon()).entry == Entry::full));
    limiter.leave(first);
    const auto third = limiter.enter("c", 2, soon());
    BOOST_TEST((third.entry == Entry::entered));
    BOOST_TEST((limiter.enter("d", 2, soon()).entry == Entry::full));
}

BOOST_AUTO_TEST_CASE(
    a_worker_that_wants_what_another_one_fetches_waits_until_it_is_done, *label("R31")) {
    FetchLimiter limiter;
    const auto pid = child_that_holds(limiter, "a", 100);
    const auto other = limiter.enter("b", 4, soon());
    BOOST_TEST((other.entry == Entry::entered), "another document is no reason to wait");
    BOOST_TEST((limiter.enter("a", 4, soon(5000)).entry == Entry::waited));
    BOOST_TEST(end_of(pid) == 0);
    BOOST_TEST((limiter.enter("a", 4, soon()).entry == Entry::entered));
}

BOOST_AUTO_TEST_CASE(
    a_worker_that_waits_holds_a_place_and_gives_up_in_time, *label("R31") * label("K27")) {
    FetchLimiter limiter;
    const auto pid = child_that_holds(limiter, "a", 400);
    BOOST_TEST((limiter.enter("a", 1, soon()).entry == Entry::full));
    BOOST_TEST((limiter.enter("a", 2, soon(50)).entry == Entry::full));
    BOOST_TEST(end_of(pid) == 0);
    BOOST_TEST((limiter.enter("a", 1, soon()).entry == Entry::entered), "both have left");
}

BOOST_AUTO_TEST_CASE(the_place_of_a_process_that_died_is_free_again, *label("R31")) {
    FetchLimiter limiter;
    const auto pid = child_that_holds(limiter, "a", 60000);
    ::kill(pid, SIGKILL);
    end_of(pid);
    BOOST_TEST((limiter.enter("a", 1, soon()).entry == Entry::entered));
}

BOOST_AUTO_TEST_CASE(half_of_the_places_are_never_for_one_caller, *label("XD4")) {
    FetchLimiter limiter;
    const auto enter = [&](const char* what, const char* who) {
        return limiter.enter(what, 4, soon(), who);
    };
    const auto first = enter("a", "192.0.2.1");
    BOOST_TEST((first.entry == Entry::entered));
    BOOST_TEST((enter("b", "192.0.2.1").entry == Entry::entered));
    BOOST_TEST((enter("c", "192.0.2.1").entry == Entry::full));
    BOOST_TEST((enter("c", "192.0.2.2").entry == Entry::entered));
    limiter.leave(first);
    BOOST_TEST((enter("d", "192.0.2.1").entry == Entry::entered));
    BOOST_TEST((enter("e", "192.0.2.3").entry == Entry::entered));
    BOOST_TEST((enter("f", "192.0.2.4").entry == Entry::full));
    FetchLimiter single; // one place is for everybody
    BOOST_TEST((single.enter("a", 1, soon(), "192.0.2.1").entry == Entry::entered));
}

BOOST_AUTO_TEST_SUITE_END()
