#include "consentgate/sys/service_rests.h"

#include "consentgate/sys/metrics.h"
#include "tests/support/child.h"
#include "tests/support/samples.h"
#include "tests/support/temp_folder.h"

#include <boost/test/unit_test.hpp>

#include <memory>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using Outcome = sys::ServiceRests::Outcome;
using Change = sys::ServiceRests::Change;

namespace {

const core::ServiceId notion("notion"), github("github");
constexpr core::Span trial_time{20};

// One request in a process of its own, as a worker's.
void time_out_in_a_child(sys::ServiceRests& rests, const std::string& account, core::Instant now) {
    const int status = in_child([&] {
        const auto entry = rests.enter(notion, now, trial_time);
        rests.leave(notion, entry, Outcome::timed_out, account, now);
        return 0;
    });
    BOOST_REQUIRE(status == 0);
}

void put_to_rest(sys::ServiceRests& rests) {
    for (int i = 0; i < 5; ++i) time_out_in_a_child(rests, i % 2 == 0 ? "anna's" : "berta's", noon);
}

} // namespace

BOOST_AUTO_TEST_SUITE(service_rests)

BOOST_AUTO_TEST_CASE(all_workers_leave_a_service_alone_and_ask_the_others, *label("XC4")) {
    sys::ServiceRests rests;
    put_to_rest(rests);
    BOOST_TEST((rests.enter(notion, noon, trial_time).rests == core::Span(30)));
    BOOST_TEST(!rests.enter(github, noon, trial_time).rests.has_value());
    BOOST_TEST(!rests.enter(notion, noon + core::Span(30), trial_time).rests.has_value());
}

BOOST_AUTO_TEST_CASE(looking_whether_a_service_rests_begins_no_trial, *label("XC4")) {
    sys::ServiceRests rests;
    put_to_rest(rests);
    BOOST_TEST((rests.rest_of(notion, noon + core::Span(1)) == core::Span(29)));
    BOOST_TEST(!rests.rest_of(github, noon).has_value());
    const auto later = noon + core::Span(30);
    BOOST_TEST(!rests.rest_of(notion, later).has_value());
    BOOST_TEST(rests.enter(notion, later, trial_time).trial);
}

BOOST_AUTO_TEST_CASE(of_those_who_come_after_a_rest_one_tries, *label("XC4")) {
    sys::ServiceRests rests;
    put_to_rest(rests);
    const auto later = noon + core::Span(30);
    const auto first = rests.enter(notion, later, trial_time);
    BOOST_TEST(first.trial);
    BOOST_TEST((rests.enter(notion, later, trial_time).rests == trial_time));
    // It asked nothing after all, so the next one is the trial.
    rests.leave(notion, first, Outcome::not_asked, "anna's", later);
    const auto second = rests.enter(notion, later, trial_time);
    BOOST_TEST(second.trial);
    const auto left = rests.leave(notion, second, Outcome::timed_out, "anna's", later);
    BOOST_TEST((left.change == Change::rests));
    BOOST_TEST((left.time == core::Span(60)));
    const auto third = rests.enter(notion, later + left.time, trial_time);
    BOOST_TEST(third.trial);
    BOOST_TEST(
        (rests.leave(notion, third, Outcome::in_time, "anna's", later + left.time).change ==
         Change::awake));
    BOOST_TEST(!rests.enter(notion, later + left.time, trial_time).trial);
}

BOOST_AUTO_TEST_CASE(programs_without_a_master_share_a_file, *label("XC4")) {
    const TempFolder folder;
    const auto file = folder.file("rests");
    {
        sys::ServiceRests rests(file);
        put_to_rest(rests);
    }
    sys::ServiceRests another(file);
    BOOST_TEST((another.enter(notion, noon, trial_time).rests == core::Span(30)));
    BOOST_TEST(::access(file.c_str(), R_OK | W_OK) == 0);
    BOOST_CHECK_THROW(sys::ServiceRests(folder.file("no/such")), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_monitor_sees_which_services_rest, *label("XC4")) {
    const TempFolder folder;
    sys::Metrics metrics(folder.file("metrics"));
    sys::ServiceRests rests;
    rests.show_in(&metrics, "gate");
    put_to_rest(rests);
    const std::string line = "consentgate_services_resting{role=\"gate\",service=\"notion\"} ";
    BOOST_TEST(metrics.text().find(line + "1\n") != std::string::npos);
    const auto later = noon + core::Span(30);
    const auto entry = rests.enter(notion, later, trial_time);
    rests.leave(notion, entry, Outcome::in_time, "anna's", later);
    BOOST_TEST(metrics.text().find(line + "0\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_service_for_which_the_table_is_too_small_is_asked_as_ever, *label("XC4")) {
    sys::ServiceRests rests;
    for (int i = 0; i < 300; ++i) {
        const core::ServiceId service("service-" + std::to_string(i));
        for (int timeout = 0; timeout < 6; ++timeout) {
            const auto entry = rests.enter(service, noon, trial_time);
            if (entry.rests) break;
            rests.leave(service, entry, Outcome::timed_out, std::to_string(timeout), noon);
        }
    }
    BOOST_TEST(rests.enter(core::ServiceId("service-0"), noon, trial_time).rests.has_value());
    BOOST_TEST(!rests.enter(core::ServiceId("service-299"), noon, trial_time).rests.has_value());
    const core::ServiceId too_long(std::string(65, 'x'));
    BOOST_TEST((rests.leave(too_long, {}, Outcome::timed_out, "a", noon).change == Change::none));
}

BOOST_AUTO_TEST_SUITE_END()
