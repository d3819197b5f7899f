#include "consentgate/sys/call_log_socket.h"

#include "tests/support/temp_folder.h"

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <stdexcept>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(call_log_socket)

BOOST_AUTO_TEST_CASE(each_line_that_is_sent_arrives_once, *label("P32")) {
    const TempFolder folder;
    const auto path = folder.file("calls.sock");
    const sys::CallLogSocket socket(path);
    BOOST_TEST(!socket.receive().has_value());
    const sys::CallLogSender sender(path);
    BOOST_TEST(sender.send("one") == "");
    BOOST_TEST(sender.send("") == "");
    BOOST_TEST(sender.send(std::string(10000, 'x')) == "");
    BOOST_TEST(socket.receive().value() == "one");
    BOOST_TEST(socket.receive().value() == "");
    BOOST_TEST(socket.receive().value().size() == sys::max_call_log_bytes);
    BOOST_TEST(!socket.receive().has_value());
}

BOOST_AUTO_TEST_CASE(any_web_server_of_this_machine_may_write_to_it, *label("P32")) {
    const TempFolder folder;
    const auto path = folder.file("calls.sock");
    const sys::CallLogSocket socket(path);
    struct stat facts {};
    BOOST_REQUIRE(::stat(path.c_str(), &facts) == 0);
    BOOST_TEST((facts.st_mode & 0777) == 0666U);
}

BOOST_AUTO_TEST_CASE(nobody_waits_for_a_gate_that_is_away_or_does_not_read, *label("P32")) {
    const TempFolder folder;
    const auto path = folder.file("calls.sock");
    const sys::CallLogSender sender(path);
    BOOST_TEST(sender.send("lost") != "");
    {
        const sys::CallLogSocket first(path);
        std::string problem;
        for (int lines = 0; lines < 100000 && problem.empty(); ++lines) problem = sender.send("x");
        BOOST_TEST(problem != "");
    }
    // The gate starts again, where its socket of before still lies.
    const sys::CallLogSocket again(path);
    BOOST_TEST(sender.send("received") == "");
    BOOST_TEST(again.receive().value() == "received");
}

BOOST_AUTO_TEST_CASE(it_takes_the_place_of_a_socket_and_of_nothing_else, *label("P32")) {
    const TempFolder folder;
    const auto path = folder.file("notes");
    std::ofstream(path) << "mine";
    BOOST_CHECK_THROW(sys::CallLogSocket{path}, std::runtime_error);
    BOOST_TEST(std::ifstream(path).good());
    BOOST_CHECK_THROW(sys::CallLogSocket{folder.file("none/calls")}, std::runtime_error);
    BOOST_CHECK_THROW(sys::CallLogSocket{std::string(200, 'x')}, std::runtime_error);
    BOOST_TEST(sys::CallLogSender(std::string(200, 'x')).send("x") != "");
}

BOOST_AUTO_TEST_SUITE_END()
