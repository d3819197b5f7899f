#include "consentgate/sys/recent_calls.h"

#include "tests/support/samples.h"
#include "tests/support/temp_folder.h"

#include <boost/test/unit_test.hpp>

#include <fstream>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

const core::SessionId anna("annas-session"), berta("bertas-session");

} // namespace

BOOST_AUTO_TEST_SUITE(recent_calls)

BOOST_AUTO_TEST_CASE(
    the_pages_see_the_calls_that_the_gate_noted_until_they_are_no_longer_recent, *label("M4")) {
    const TempFolder folder;
    const auto file = folder.file("calls");
    sys::RecentCalls gate(file), pages(file);
    BOOST_TEST(!pages.called_lately(anna, noon));
    BOOST_TEST(!pages.last_call().has_value());
    gate.note_call(anna, noon + core::Span(60), noon);
    BOOST_TEST(pages.called_lately(anna, noon));
    BOOST_TEST(pages.called_lately(anna, noon + core::Span(59)));
    BOOST_TEST(!pages.called_lately(anna, noon + core::Span(60)));
    BOOST_TEST(!pages.called_lately(berta, noon));
    BOOST_TEST((pages.last_call() == noon));
    // A clock was set back by more than such a time.
    BOOST_TEST(!pages.called_lately(anna, noon - core::Span(1)));
}

BOOST_AUTO_TEST_CASE(a_call_with_a_token_near_its_end_is_none_that_counts, *label("M4")) {
    const TempFolder folder;
    sys::RecentCalls calls(folder.file("calls"));
    calls.note_call(anna, noon, noon);
    calls.note_call(berta, noon - core::Span(30), noon);
    BOOST_TEST(!calls.called_lately(anna, noon - core::Span(1)));
    BOOST_TEST(!calls.called_lately(berta, noon - core::Span(31)));
    BOOST_TEST((calls.last_call() == noon));
}

BOOST_AUTO_TEST_CASE(it_says_when_the_web_server_last_reported_a_call, *label("M10")) {
    const TempFolder folder;
    sys::RecentCalls calls(folder.file("calls"));
    BOOST_TEST(!calls.last_report().has_value());
    calls.note_report(noon);
    BOOST_TEST((calls.last_report() == noon));
}

BOOST_AUTO_TEST_CASE(a_file_of_another_version_is_replaced, *label("M4")) {
    const TempFolder folder;
    const auto file = folder.file("calls");
    std::ofstream(file) << "something else";
    sys::RecentCalls calls(file);
    calls.note_call(anna, noon + core::Span(60), noon);
    BOOST_TEST(sys::RecentCalls(file).called_lately(anna, noon));
}

BOOST_AUTO_TEST_SUITE_END()
