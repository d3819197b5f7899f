#include "consentgate/sys/metrics.h"

#include "tests/support/child.h"
#include "tests/support/temp_folder.h"

#include <boost/test/unit_test.hpp>

#include <sys/stat.h>

#include <fstream>
#include <string>

using namespace consentgate;
using namespace consentgate::tests;
using namespace std::chrono_literals;
using boost::unit_test::label;
using sys::Metric;
using sys::Metrics;
using tests::TempFolder;

namespace {

std::size_t times(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

bool has_line(const std::string& text, const std::string& line) {
    return times("\n" + text, "\n" + line + "\n") == 1;
}

} // namespace

BOOST_AUTO_TEST_SUITE(metrics, *label("O7"))

BOOST_AUTO_TEST_CASE(each_set_of_labels_is_counted_for_itself) {
    const TempFolder folder;
    Metrics metrics(folder.file("metrics"));
    metrics.count(Metric::requests, {{"route", "a"}, {"status", "200"}});
    metrics.count(Metric::requests, {{"route", "a"}, {"status", "200"}});
    metrics.count(Metric::requests, {{"route", "a"}, {"status", "503"}});
    metrics.count(Metric::store_errors, {});
    BOOST_TEST(has_line(metrics.text(), R"(consentgate_requests_total{route="a",status="200"} 2)"));
    BOOST_TEST(has_line(metrics.text(), R"(consentgate_requests_total{route="a",status="503"} 1)"));
    BOOST_TEST(has_line(metrics.text(), "consentgate_store_errors_total 1"));
}

BOOST_AUTO_TEST_CASE(what_never_happened_is_zero_and_not_missing) {
    const TempFolder folder;
    BOOST_TEST(
        has_line(Metrics(folder.file("metrics")).text(), "consentgate_store_errors_total 0"));
}

BOOST_AUTO_TEST_CASE(every_family_is_explained_once_and_before_its_lines) {
    const TempFolder folder;
    Metrics metrics(folder.file("metrics"));
    metrics.count(Metric::requests, {{"route", "a"}});
    metrics.count(Metric::requests, {{"route", "b"}});
    const auto text = metrics.text();
    BOOST_TEST(times(text, "# TYPE consentgate_requests_total counter\n") == 1U);
    BOOST_TEST(
        text.find("# TYPE consentgate_requests_total") < text.find("consentgate_requests_total{"));
    BOOST_TEST(times(text, "# HELP ") == times(text, "# TYPE "));
    BOOST_TEST(text.ends_with("\n"));
}

BOOST_AUTO_TEST_CASE(a_time_falls_into_its_bucket_and_all_that_are_longer) {
    const TempFolder folder;
    Metrics metrics(folder.file("metrics"));
    metrics.observe(Metric::gate_seconds, {}, 1ms); // the bound belongs to its bucket
    metrics.observe(Metric::gate_seconds, {}, 1001us);
    metrics.observe(Metric::gate_seconds, {}, 60s);
    const auto text = metrics.text();
    BOOST_TEST(has_line(text, R"(consentgate_gate_seconds_bucket{le="0.0005"} 0)"));
    BOOST_TEST(has_line(text, R"(consentgate_gate_seconds_bucket{le="0.001"} 1)"));
    BOOST_TEST(has_line(text, R"(consentgate_gate_seconds_bucket{le="0.0025"} 2)"));
    BOOST_TEST(has_line(text, R"(consentgate_gate_seconds_bucket{le="10"} 2)"));
    BOOST_TEST(has_line(text, R"(consentgate_gate_seconds_bucket{le="+Inf"} 3)"));
    BOOST_TEST(has_line(text, "consentgate_gate_seconds_sum 60.002001"));
    BOOST_TEST(has_line(text, "consentgate_gate_seconds_count 3"));
}

BOOST_AUTO_TEST_CASE(a_gauge_is_what_it_was_set_to_last) {
    const TempFolder folder;
    Metrics metrics(folder.file("metrics"));
    metrics.set(Metric::workers, {{"role", "gate"}}, 4);
    metrics.set(Metric::workers, {{"role", "gate"}}, 3);
    BOOST_TEST(has_line(metrics.text(), R"(consentgate_workers{role="gate"} 3)"));
}

BOOST_AUTO_TEST_CASE(a_label_cannot_forge_a_line) {
    const TempFolder folder;
    Metrics metrics(folder.file("metrics"));
    metrics.count(Metric::upstream_refreshes, {{"service", "a\"} 1\nforged 1\\"}});
    BOOST_TEST(has_line(
        metrics.text(), R"(consentgate_upstream_refreshes_total{service="a\"} 1 forged 1\\"} 1)"));
}

BOOST_AUTO_TEST_CASE(what_somebody_else_knows_stands_among_the_counts, *label("XC13")) {
    const TempFolder folder;
    Metrics metrics(folder.file("metrics"));
    const auto text = metrics.text(
        {{Metric::service_accounts, {{"service", "notion"}, {"state", "needs_person"}}, 7},
         {Metric::service_last_success, {{"service", "notion"}}, 1800000000}});
    BOOST_TEST(
        has_line(text, R"(consentgate_service_accounts{service="notion",state="needs_person"} 7)"));
    BOOST_TEST(has_line(
        text,
        R"(consentgate_service_last_success_timestamp_seconds{service="notion"} 1800000000)"));
    BOOST_TEST(metrics.text().find("consentgate_service_accounts{") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(one_value_can_be_read, *label("O7")) {
    const TempFolder folder;
    Metrics metrics(folder.file("metrics"));
    const auto rests = [&](const char* service) {
        return metrics.value(Metric::services_resting, {{"role", "gate"}, {"service", service}});
    };
    metrics.set(Metric::services_resting, {{"role", "gate"}, {"service", "notion"}}, 1);
    BOOST_TEST(rests("notion").value() == 1U);
    BOOST_TEST(!rests("github").has_value());
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_counted_as_lost) {
    const TempFolder folder;
    Metrics metrics(folder.file("metrics"));
    metrics.count(Metric::upstream_refreshes, {{"service", std::string(200, 's')}});
    for (int i = 0; i < 1030; ++i) metrics.count(Metric::requests, {{"route", std::to_string(i)}});
    BOOST_TEST(has_line(metrics.text(), "consentgate_metrics_lost_total 7"));
    BOOST_TEST(times(metrics.text(), "\nconsentgate_requests_total{") == 1024U);
}

BOOST_AUTO_TEST_CASE(
    a_label_that_the_metric_does_not_have_makes_the_count_a_lost_one, *label("O7")) {
    const TempFolder folder;
    Metrics metrics(folder.file("metrics"));
    metrics.count(Metric::workers, {{"part", "gate"}});
    BOOST_TEST(has_line(metrics.text(), "consentgate_metrics_lost_total 1"));
    BOOST_TEST(metrics.text().find("part=") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(processes_count_together_and_lose_nothing) {
    const TempFolder folder;
    Metrics metrics(folder.file("metrics"));
    constexpr int processes = 4, each = 5000;
    std::vector<pid_t> children;
    for (int i = 0; i < processes; ++i) {
        children.push_back(start_child([&] {
            for (int n = 0; n < each; ++n)
                metrics.count(Metric::requests, {{"route", std::to_string(n % 50)}});
            return 0;
        }));
    }
    for (const pid_t child : children) BOOST_TEST(end_of(child) == 0);
    for (int route = 0; route < 50; ++route)
        BOOST_TEST(has_line(
            metrics.text(),
            "consentgate_requests_total{route=\"" + std::to_string(route) + "\"} 400"));
}

BOOST_AUTO_TEST_CASE(two_masters_count_in_one_file_and_a_restart_goes_on) {
    const TempFolder folder;
    {
        Metrics pages(folder.file("metrics")), gate(folder.file("metrics"));
        pages.count(Metric::requests, {{"route", "a"}});
        gate.count(Metric::gate_decisions, {{"result", "allowed"}});
        BOOST_TEST(
            has_line(pages.text(), R"(consentgate_gate_decisions_total{result="allowed"} 1)"));
    }
    BOOST_TEST(has_line(
        Metrics(folder.file("metrics")).text(), R"(consentgate_requests_total{route="a"} 1)"));
}

BOOST_AUTO_TEST_CASE(only_its_owner_can_read_the_file) {
    const TempFolder folder;
    const Metrics metrics(folder.file("metrics"));
    struct stat facts {};
    BOOST_REQUIRE(::stat(folder.file("metrics").c_str(), &facts) == 0);
    BOOST_TEST((facts.st_mode & 0777) == 0600U);
}

BOOST_AUTO_TEST_CASE(another_versions_file_is_replaced_and_not_written_into) {
    const TempFolder folder;
    std::ofstream(folder.file("metrics")) << "something else";
    Metrics metrics(folder.file("metrics"));
    metrics.count(Metric::store_errors, {});
    BOOST_TEST(has_line(metrics.text(), "consentgate_store_errors_total 1"));
}

BOOST_AUTO_TEST_CASE(a_place_that_cannot_be_written_is_an_error_that_names_it) {
    const TempFolder folder;
    const auto names_it = [](const std::runtime_error& error) {
        return std::string(error.what()).find("metrics_file /") == 0;
    };
    BOOST_CHECK_EXCEPTION(Metrics(folder.file("not/there")), std::runtime_error, names_it);
    BOOST_REQUIRE(::symlink("/etc/hostname", folder.file("link").c_str()) == 0);
    BOOST_CHECK_EXCEPTION(Metrics(folder.file("link")), std::runtime_error, names_it);
    BOOST_REQUIRE(::mkdir(folder.file("folder").c_str(), 0700) == 0);
    BOOST_CHECK_EXCEPTION(Metrics(folder.file("folder")), std::runtime_error, names_it);
}

BOOST_AUTO_TEST_SUITE_END()
