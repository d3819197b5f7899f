// Tests src/web/guard.cpp through the router: attempts at virtual keys, how many, by whom, and what
// they show.
#include "tests/support/web_server.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

constexpr int limit = 3;

struct Guarded : TestServer {
    Guarded() : TestServer(sample_policy(), {0, 0, 60, limit}) {
        store->virtual_keys.put(sample_virtual_key("sk-bf-right"));
    }
};

web::Reply try_on_page(
    Guarded& server, const Journey& journey, const std::string& key,
    const std::string& address = "192.0.2.1", core::Instant at = noon) {
    auto request = journey.form("vk", "&vk=" + key);
    request.remote_addr = address;
    request.now = at;
    return server.ask(request);
}

web::Reply try_as_bearer(
    Guarded& server, const Journey& journey, const std::string& key,
    const std::string& address = "192.0.2.1", core::Instant at = noon) {
    auto request = journey.form("submit");
    request.authorization = "Bearer " + key;
    request.remote_addr = address;
    request.now = at;
    return server.ask(request);
}

using Try =
    web::Reply (*)(Guarded&, const Journey&, const std::string&, const std::string&, core::Instant);
constexpr Try ways[] = {try_on_page, try_as_bearer};

bool taken(const web::Reply& reply) {
    return reply.status == 302 && !holds(location_of(reply), "error=");
}

} // namespace

BOOST_AUTO_TEST_SUITE(key_attempts)

BOOST_AUTO_TEST_CASE(
    wrong_keys_of_an_address_are_limited_on_the_page_and_as_bearers, *label("XA3")) {
    for (const auto attempt : ways) {
        Guarded server;
        Journey journey(server);
        for (int i = 0; i < limit; ++i) {
            journey.begin(); // a flow each: the address is what counts
            const auto reply = attempt(server, journey, "sk-bf-wrong", "192.0.2.1", noon);
            BOOST_TEST((reply.status == 401 || holds(location_of(reply), "invalid_virtual_key")));
        }
        journey.begin();
        const auto refused = attempt(server, journey, "sk-bf-wrong", "192.0.2.1", noon);
        BOOST_TEST(refused.status == 429);
        BOOST_TEST(header_of(refused, "Retry-After") == "60");
        // Another address is not slowed down.
        BOOST_TEST(taken(attempt(server, journey, "sk-bf-right", "192.0.2.2", noon)));
    }
}

BOOST_AUTO_TEST_CASE(a_right_key_after_too_many_wrong_ones_waits_for_the_window, *label("XA3")) {
    for (const auto attempt : ways) {
        Guarded server;
        Journey journey(server);
        journey.begin();
        for (int i = 0; i < limit; ++i) attempt(server, journey, "sk-bf-wrong", "192.0.2.1", noon);
        for (const int second : {0, 1, 59})
            BOOST_TEST(
                attempt(server, journey, "sk-bf-right", "192.0.2.1", noon + core::Span(second))
                    .status == 429);
        BOOST_TEST(
            taken(attempt(server, journey, "sk-bf-right", "192.0.2.1", noon + core::Span(60))));
    }
}

BOOST_AUTO_TEST_CASE(both_ways_count_together, *label("XA3")) {
    Guarded server;
    Journey journey(server);
    journey.begin();
    try_on_page(server, journey, "sk-bf-wrong");
    try_as_bearer(server, journey, "sk-bf-wrong");
    try_as_bearer(server, journey, "not.a.jwt");
    BOOST_TEST(try_on_page(server, journey, "sk-bf-right").status == 429);
    BOOST_TEST(try_as_bearer(server, journey, "sk-bf-right").status == 429);
}

BOOST_AUTO_TEST_CASE(wrong_keys_in_one_flow_are_limited_for_all_addresses_together, *label("XA3")) {
    for (const auto attempt : ways) {
        Guarded server;
        Journey journey(server);
        journey.begin();
        for (int i = 0; i < limit; ++i)
            attempt(server, journey, "sk-bf-wrong", "192.0.2." + std::to_string(i), noon);
        BOOST_TEST(attempt(server, journey, "sk-bf-right", "192.0.2.77", noon).status == 429);
        journey.begin();
        BOOST_TEST(taken(attempt(server, journey, "sk-bf-right", "192.0.2.77", noon)));
    }
}

BOOST_AUTO_TEST_CASE(an_ipv6_caller_is_limited_by_its_64, *label("XA3") * label("XD3")) {
    Guarded server;
    Journey journey(server);
    for (int i = 0; i < limit; ++i) {
        journey.begin();
        try_on_page(server, journey, "sk-bf-wrong", "2001:db8::" + std::to_string(i));
    }
    journey.begin();
    BOOST_TEST(try_on_page(server, journey, "sk-bf-right", "2001:db8::beef").status == 429);
    BOOST_TEST(taken(try_on_page(server, journey, "sk-bf-right", "2001:db8:0:1::beef")));
}

BOOST_AUTO_TEST_CASE(right_keys_are_never_counted, *label("XA3")) {
    Guarded server;
    Journey journey(server);
    for (int i = 0; i < 4 * limit; ++i) {
        journey.begin();
        BOOST_REQUIRE(taken(try_on_page(server, journey, "sk-bf-right")));
        BOOST_REQUIRE(taken(try_as_bearer(server, journey, "sk-bf-right")));
    }
}

BOOST_AUTO_TEST_CASE(
    without_a_known_flow_no_answer_tells_a_known_key_from_an_unknown_one, *label("XA3")) {
    for (const auto attempt : ways) {
        Guarded server;
        Journey journey(server);
        journey.begin();
        const auto answers = [&](const Journey& which) {
            const auto right = attempt(server, which, "sk-bf-right", "192.0.2.1", noon);
            const auto wrong = attempt(server, which, "sk-bf-wrong", "192.0.2.1", noon);
            BOOST_TEST(right.status == wrong.status);
            BOOST_TEST(right.body == wrong.body);
            BOOST_TEST(location_of(right) == location_of(wrong));
            return error_of(right);
        };
        auto unknown = journey;
        unknown.flow = std::string(22, 'u');
        BOOST_TEST(answers(unknown) == "invalid_flow");
        auto strange = journey;
        strange.cookie = "consentgate_browser=" + std::string(43, 'x');
        BOOST_TEST(answers(strange) == "browser_mismatch");
        // And nothing was counted, so that nobody can lock a flow that is not theirs.
        for (int i = 0; i < 4 * limit; ++i) answers(strange);
        BOOST_TEST(taken(attempt(server, journey, "sk-bf-right", "192.0.2.1", noon)));
    }
}

BOOST_AUTO_TEST_CASE(a_wrong_key_is_audited_with_its_address_and_never_shown, *label("XA3")) {
    for (const auto attempt : ways) {
        Guarded server;
        Journey journey(server);
        journey.begin();
        for (int i = 0; i <= limit; ++i)
            attempt(server, journey, "sk-bf-wrong", "2001:db8::7", noon);
        BOOST_TEST(holds(server.log, "event=audit what=virtual_key_refused "));
        BOOST_TEST(holds(server.log, " address=2001:db8::7\n"));
        BOOST_TEST(holds(server.log, "reason=\"too many before it\" address=2001:db8::7\n"));
        BOOST_TEST(!holds(server.log, "sk-bf-"));
    }
}

BOOST_AUTO_TEST_SUITE_END()
