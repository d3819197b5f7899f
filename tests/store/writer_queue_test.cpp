// The writers' queue: one at a time, in time, and a dead process does not hold it.

#include "tests/support/child.h"

#include "consentgate/store/writer_queue.h"

#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

using consentgate::store::WriterQueue;
using namespace consentgate::tests;
using std::chrono::milliseconds;

BOOST_AUTO_TEST_SUITE(writer_queue)

BOOST_AUTO_TEST_CASE(a_turn_that_is_taken_is_waited_for_no_longer_than_allowed) {
    WriterQueue queue;
    BOOST_REQUIRE(queue.enter(milliseconds(0)));
    BOOST_TEST(in_child([&] { return queue.enter(milliseconds(50)) ? 0 : 7; }) == 7);
    queue.leave();
    BOOST_TEST(in_child([&] { return queue.enter(milliseconds(50)) ? 0 : 7; }) == 0);
}

BOOST_AUTO_TEST_CASE(a_process_that_is_killed_in_its_turn_gives_it_up) {
    WriterQueue queue;
    for (int round = 0; round < 3; ++round) {
        BOOST_TEST(
            in_child([&] { return queue.enter(milliseconds(1000)) ? raise(SIGKILL) : 7; }) == -1);
    }
    BOOST_TEST(queue.enter(milliseconds(1000)));
    queue.leave();
}

BOOST_AUTO_TEST_CASE(of_many_processes_one_at_a_time_has_the_turn) {
    WriterQueue queue;
    int pipes[2];
    BOOST_REQUIRE(pipe(pipes) == 0);
    std::vector<pid_t> children;
    for (int child = 0; child < 4; ++child) {
        children.push_back(start_child([&] {
            for (int i = 0; i < 200; ++i) {
                if (!queue.enter(milliseconds(10000))) return 1;
                if (write(pipes[1], "(", 1) != 1 || write(pipes[1], ")", 1) != 1) return 1;
                queue.leave();
            }
            return 0;
        }));
    }
    close(pipes[1]);
    std::string seen;
    char byte = 0;
    while (read(pipes[0], &byte, 1) == 1) seen += byte;
    close(pipes[0]);
    for (const pid_t child : children) BOOST_TEST(end_of(child) == 0);
    BOOST_REQUIRE(seen.size() == 1600U);
    for (std::size_t i = 0; i < seen.size(); i += 2) BOOST_REQUIRE(seen.substr(i, 2) == "()");
}

BOOST_AUTO_TEST_SUITE_END()
