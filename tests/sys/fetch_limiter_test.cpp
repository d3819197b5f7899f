#include "consentgate/sys/fetch_limiter.h"

#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <thread>

using namespace consentgate::sys;
using boost::unit_test::label;
using Entry = FetchLimiter::Entry;

namespace {

FetchLimiter::Time soon(int ms = 200) {
    return std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
}

// A child that enters and then does as it is told; it says by a byte of the pipe that it is in.
pid_t child_that_holds(FetchLimiter& gate, const char* what, int ms) {
    int ends[2];
    BOOST_REQUIRE(::pipe(ends) == 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
        const auto place = gate.enter(what, 4, soon());
        if (::write(ends[1], "x", 1) != 1) ::_exit(2);
        ::usleep(static_cast<useconds_t>(ms) * 1000);
        gate.leave(place);
        ::_exit(place.entry == Entry::entered ? 0 : 1);
    }
    char byte = 0;
    BOOST_REQUIRE(::read(ends[0], &byte, 1) == 1);
    ::close(ends[0]);
    ::close(ends[1]);
    return pid;
}

int end_of(pid_t pid) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

} // namespace

BOOST_AUTO_TEST_SUITE(fetch_gate)

BOOST_AUTO_TEST_CASE(as_many_as_allowed_enter_and_no_more, *label("R31") * label("K27")) {
    FetchLimiter gate;
    const auto first = gate.enter("a", 2, soon());
    const auto second = gate.enter("b", 2, soon());
    BOOST_TEST((first.entry == Entry::entered && second.entry == Entry::entered));
    BOOST_TEST((gate.enter("c", 2, soon()).entry == Entry::full));
    gate.leave(first);
    const auto third = gate.enter("c", 2, soon());
    BOOST_TEST((third.entry == Entry::entered));
    BOOST_TEST((gate.enter("d", 2, soon()).entry == Entry::full));
}

BOOST_AUTO_TEST_CASE(
    who_wants_what_another_process_fetches_waits_until_that_is_done, *label("R31")) {
    FetchLimiter gate;
    const auto pid = child_that_holds(gate, "a", 100);
    const auto other = gate.enter("b", 4, soon());
    BOOST_TEST((other.entry == Entry::entered), "another document is no reason to wait");
    BOOST_TEST((gate.enter("a", 4, soon(5000)).entry == Entry::waited));
    BOOST_TEST(end_of(pid) == 0);
    BOOST_TEST((gate.enter("a", 4, soon()).entry == Entry::entered));
}

BOOST_AUTO_TEST_CASE(who_waits_holds_a_place_and_gives_up_in_time, *label("R31") * label("K27")) {
    FetchLimiter gate;
    const auto pid = child_that_holds(gate, "a", 400);
    BOOST_TEST((gate.enter("a", 1, soon()).entry == Entry::full));
    BOOST_TEST((gate.enter("a", 2, soon(50)).entry == Entry::full));
    BOOST_TEST(end_of(pid) == 0);
    BOOST_TEST(
        (gate.enter("a", 1, soon()).entry == Entry::entered), "neither of them is in any more");
}

BOOST_AUTO_TEST_CASE(the_place_of_a_process_that_died_is_free_again, *label("R31")) {
    FetchLimiter gate;
    const auto pid = child_that_holds(gate, "a", 60000);
    ::kill(pid, SIGKILL);
    end_of(pid);
    BOOST_TEST((gate.enter("a", 1, soon()).entry == Entry::entered));
}

BOOST_AUTO_TEST_SUITE_END()
