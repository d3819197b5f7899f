// Tests src/web/monitor.cpp: liveness, readiness and metrics.
#include "tests/support/web_server.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(monitor)

BOOST_AUTO_TEST_CASE(
    readiness_says_that_the_store_answers_and_takes_writes, *label("O6") * label("XF4")) {
    TestServer server;
    sys::WriteTrials trials;
    server.context.write_trials = &trials;
    const auto reply = server.ask(TestServer::get("/readyz"));
    BOOST_TEST(reply.status == 200);
    BOOST_TEST(
        reply.body == "{\"status\":\"ok\",\"schema_version\":" +
                          std::to_string(store::expected_schema_version()) + "}");
    BOOST_TEST(header_of(reply, "Cache-Control") == "no-store");
}

BOOST_AUTO_TEST_CASE(
    a_store_that_takes_no_writes_is_not_ready_and_the_worker_lives, *label("XF4")) {
    TestServer server;
    sys::WriteTrials trials;
    server.context.write_trials = &trials;
    trials.note(false, noon);
    const auto reply = server.ask(TestServer::get("/readyz"));
    BOOST_TEST(reply.status == 503);
    BOOST_TEST(holds(reply.body, "\"status\":\"store_not_writable\""));
    BOOST_TEST(header_of(reply, "Retry-After") == "2");
    BOOST_TEST(server.ask(TestServer::get("/healthz")).status == 200);
}

BOOST_AUTO_TEST_CASE(a_worker_is_live_without_the_store_and_not_ready, *label("O6")) {
    TestServer server(sample_policy(), {0, 0}, false);
    BOOST_TEST(server.ask(TestServer::get("/healthz")).status == 200);
    BOOST_TEST(server.ask(TestServer::get("/readyz")).status == 503);
}

BOOST_AUTO_TEST_CASE(metrics_are_absent_unless_the_operator_asked_for_them, *label("O7")) {
    TestServer server;
    BOOST_TEST(server.ask(TestServer::get("/metrics")).status == 404);
}

BOOST_AUTO_TEST_CASE(
    metrics_count_requests_by_route_and_status_and_no_word_of_a_client, *label("O7")) {
    TestServer server;
    const TempFolder folder;
    sys::Metrics metrics(folder.file("metrics"));
    server.deps.metrics = &metrics;
    server.ask(TestServer::get("/readyz"));
    server.ask(TestServer::get("/readyz"));
    server.ask(TestServer::request("DELETE", "/readyz"));
    server.ask(TestServer::get("/made-up-by-a-client"));
    const auto reply = server.ask(TestServer::get("/metrics"));
    BOOST_TEST(reply.status == 200);
    BOOST_TEST(header_of(reply, "Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
    BOOST_TEST(
        holds(reply.body, "\nconsentgate_requests_total{route=\"readyz\",status=\"200\"} 2\n"));
    BOOST_TEST(
        holds(reply.body, "\nconsentgate_requests_total{route=\"readyz\",status=\"405\"} 1\n"));
    BOOST_TEST(
        holds(reply.body, "\nconsentgate_requests_total{route=\"none\",status=\"404\"} 1\n"));
    BOOST_TEST(holds(reply.body, "\nconsentgate_request_seconds_count{route=\"readyz\"} 3\n"));
    BOOST_TEST(!holds(reply.body, "made-up"));
}

BOOST_AUTO_TEST_SUITE_END()
