#include "consentgate/sys/document_fetcher.h"

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>

#include <boost/test/unit_test.hpp>

#include <arpa/inet.h>

#include <atomic>
#include <csignal>
#include <thread>

using namespace consentgate;
using boost::unit_test::label;
using std::chrono::milliseconds;
using sys::Fetched;
using Clock = std::chrono::steady_clock;

namespace {

constexpr core::Instant noon{core::Span{1'800'000'000}};

std::string bytes(const std::string& text) {
    std::string out(text.find(':') == std::string::npos ? 4 : 16, '\0');
    BOOST_REQUIRE_MESSAGE(
        inet_pton(out.size() == 4 ? AF_INET : AF_INET6, text.c_str(), out.data()) == 1, text);
    return out;
}

// A listener that must not be connected to, or that accepts a connection and sends nothing.
struct Canary {
    Poco::Net::ServerSocket socket{Poco::Net::SocketAddress("127.0.0.1", 0)};
    int port() const { return socket.address().port(); }
    bool hit() { return socket.poll(Poco::Timespan(0, 50000), Poco::Net::Socket::SELECT_READ); }
};

struct FetcherFixture {
    sys::FetchLimiter limiter;
    sys::RateLimiter rates;
    sys::Places places;
    sys::FetchLimits limits{
        .total = milliseconds(1000),
        .per_minute = 0,
        .per_host_per_minute = 0,
        .per_caller_per_minute = 0,
        .at_once = 2};
    std::atomic<int> asked{0};
    bool needed = true;
    sys::FetchTurn turn{
        .purpose = sys::PlaceKind::documents,
        .still_needed = [this] { return needed; },
        .keep = [](const core::DocumentAnswer&) {},
        .caller = "192.0.2.1",
        .known = true};

    FetcherFixture() {
        ::signal(SIGPIPE, SIG_IGN); // as in a worker
        places.set_workers(8);
    }

    static core::DocumentUrl url(int port, bool test_host = false) {
        return {core::ClientId("https://app.example/a"), "app.example", port, "/a", test_host};
    }

    // in: addresses  what the name leads to, one list for each time that it is asked
    Fetched fetch(
        const core::DocumentUrl& document, std::vector<std::vector<std::string>> addresses) {
        sys::PocoHttpClient http({limits.total, ""}, [this, addresses](const std::string&) {
            std::vector<std::string> found;
            for (const auto& text : addresses.at(static_cast<std::size_t>(asked++)))
                found.push_back(bytes(text));
            return found;
        });
        sys::LimitedFetcher fetcher(limiter, rates, places, http, limits);
        return fetcher.fetch(document, noon, turn);
    }
};

// Callers ask hosts for documents, and this counts what is fetched.
struct BudgetFixture : FetcherFixture {
    BudgetFixture() {
        limits.per_minute = 40;
        limits.per_host_per_minute = 20;
        limits.per_caller_per_minute = 16;
        turn.known = false;
    }

    // out: how many of so many fetches were made, each at the host and by the caller of its number
    int made(
        int tries, const std::function<std::string(int)>& host,
        const std::function<std::string(int)>& caller, const std::string& address = "10.0.0.1") {
        int fetched = 0;
        for (int i = 0; i < tries; ++i) {
            asked = 0;
            turn.caller = caller(i);
            const auto name = host(i);
            const auto answer = fetch(
                {core::ClientId("https://" + name + "/a"), name, 443, "/a", false},
                {address.empty() ? std::vector<std::string>{} : std::vector{address}});
            fetched += answer.outcome == Fetched::Outcome::busy ? 0 : 1;
        }
        return fetched;
    }
};

std::function<std::string(int)> always(const std::string& text) {
    return [=](int) { return text; };
}
std::function<std::string(int)> numbered(const std::string& text) {
    return [=](int i) { return text + std::to_string(i); };
}

// Two names may share one of 16384 counters, which costs a budget one or two of its fetches.
void check_about(int made, int budget) {
    BOOST_TEST(made <= budget);
    BOOST_TEST(made >= budget - 2);
}

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(document_fetcher, FetcherFixture)

BOOST_AUTO_TEST_CASE(
    no_connection_is_made_to_an_address_that_is_not_public, *label("R30") * label("K26")) {
    Canary canary;
    for (const auto* special :
         {"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
          "0.0.0.0", "::"}) {
        BOOST_TEST_CONTEXT(special) {
            asked = 0;
            const auto fetched = fetch(url(canary.port()), {{special}});
            BOOST_TEST((fetched.outcome == Fetched::Outcome::failed));
            BOOST_TEST(fetched.reason == "the name has an address that is not public");
        }
    }
    BOOST_TEST(!canary.hit());
}

BOOST_AUTO_TEST_CASE(
    one_such_address_among_public_ones_is_enough_to_refuse, *label("R30") * label("K26")) {
    Canary canary;
    BOOST_TEST((
        fetch(url(canary.port()), {{"8.8.8.8", "127.0.0.1"}}).outcome == Fetched::Outcome::failed));
    BOOST_TEST(!canary.hit());
}

BOOST_AUTO_TEST_CASE(
    a_name_is_asked_once_so_that_it_cannot_change_its_mind, *label("R30") * label("K26")) {
    Canary canary;
    limits.total = milliseconds(300);
    // The first one is public, and nothing answers there at this port.
    const auto fetched = fetch(url(canary.port()), {{"8.8.8.8"}, {"127.0.0.1"}});
    BOOST_TEST((fetched.outcome == Fetched::Outcome::failed));
    BOOST_TEST(asked == 1);
    BOOST_TEST(!canary.hit());
}

BOOST_AUTO_TEST_CASE(a_test_host_may_be_on_loopback_and_nowhere_else, *label("R30")) {
    Canary canary;
    limits.total = milliseconds(2000); // the system's authorities are read within it, once
    fetch(url(canary.port(), true), {{"127.0.0.1"}});
    BOOST_TEST(canary.hit());
    asked = 0;
    BOOST_TEST(
        fetch(url(canary.port(), true), {{"10.0.0.1"}}).reason ==
        "the name has an address that is not of this machine");
    asked = 0;
    BOOST_TEST(
        fetch(url(canary.port(), true), {{"8.8.8.8"}}).reason ==
        "the name has an address that is not of this machine");
}

BOOST_AUTO_TEST_CASE(
    a_resolver_that_hangs_is_not_waited_for_and_not_asked_for_ever, *label("R31")) {
    limits.total = milliseconds(100);
    std::atomic<bool> go_on{false};
    std::atomic<int> ended{0};
    int failed = 0;
    {
        const auto hang = [&](const std::string&) -> std::vector<std::string> {
            ++asked;
            while (!go_on) std::this_thread::sleep_for(milliseconds(5));
            ++ended;
            return {};
        };
        sys::PocoHttpClient http({limits.total, ""}, hang);
        sys::LimitedFetcher fetcher(limiter, rates, places, http, limits);
        const auto begin = Clock::now();
        for (int i = 0; i < 8; ++i)
            failed +=
                fetcher.fetch(url(443), noon, turn).outcome == Fetched::Outcome::failed ? 1 : 0;
        BOOST_TEST(seconds_since(begin) < 2.0);
    }
    BOOST_TEST(failed == 8);
    BOOST_TEST(asked == 4);
    go_on = true;
    while (ended < 4) std::this_thread::sleep_for(milliseconds(5));
    std::this_thread::sleep_for(milliseconds(50));
}

BOOST_AUTO_TEST_CASE(a_host_that_is_silent_or_drips_is_left_in_time, *label("R31") * label("K27")) {
    limits.total = milliseconds(2000);
    for (const bool drips : {false, true}) {
        Canary host;
        std::atomic<bool> over{false};
        std::thread server([&] {
            auto peer = host.socket.acceptConnection();
            // The beginning of a TLS record of 16 KiB, byte by byte.
            const std::string record =
                std::string("\x16\x03\x03\x40\x00", 5) + std::string(1000, '\x02');
            try {
                for (std::size_t i = 0; !over; ++i) {
                    if (drips) peer.sendBytes(record.data() + i % record.size(), 1);
                    std::this_thread::sleep_for(milliseconds(20));
                }
            } catch (const Poco::Exception&) { // the client has closed the connection
            }
        });
        asked = 0;
        const auto begin = Clock::now();
        BOOST_TEST(
            (fetch(url(host.port(), true), {{"127.0.0.1"}}).outcome == Fetched::Outcome::failed));
        BOOST_TEST(seconds_since(begin) > 1.9);
        BOOST_TEST(seconds_since(begin) < 4.0);
        over = true;
        server.join();
    }
}

BOOST_AUTO_TEST_CASE(what_was_kept_meanwhile_is_not_asked_for, *label("R31")) {
    needed = false;
    BOOST_TEST((fetch(url(443), {}).outcome == Fetched::Outcome::look_again));
    BOOST_TEST(asked == 0);
    turn.still_needed = []() -> bool { throw std::runtime_error("the store is away"); };
    for (int i = 0; i < 3; ++i)
        BOOST_CHECK_THROW(fetch(url(443), {}), std::runtime_error); // and its place is free again
}

BOOST_AUTO_TEST_CASE(
    fetches_of_a_minute_are_counted_in_all_and_for_each_host, *label("R31") * label("K27")) {
    limits.per_minute = 3;
    limits.per_host_per_minute = 2;
    const auto from = [&](const std::string& host) {
        asked = 0;
        return fetch(
            {core::ClientId("https://" + host + "/a"), host, 443, "/a", false}, {{"10.0.0.1"}});
    };
    BOOST_TEST((from("a.example").outcome == Fetched::Outcome::failed));
    BOOST_TEST((from("a.example").outcome == Fetched::Outcome::failed));
    const auto refused = from("a.example");
    BOOST_TEST((refused.outcome == Fetched::Outcome::busy));
    BOOST_TEST(refused.retry_after_seconds == 60);
    BOOST_TEST(asked == 0);
    BOOST_TEST(
        (from("b.example").outcome == Fetched::Outcome::failed),
        "what was refused for its host does not count against others");
    BOOST_TEST((from("c.example").outcome == Fetched::Outcome::busy));
}

BOOST_AUTO_TEST_CASE(the_system_resolver_knows_this_machine, *label("R30")) {
    for (const auto& address : sys::resolve_by_system("localhost"))
        BOOST_TEST((address == bytes("127.0.0.1") || address == bytes("::1")));
    BOOST_TEST((sys::resolve_by_system("127.0.0.1") == std::vector{bytes("127.0.0.1")}));
    BOOST_TEST(sys::resolve_by_system("no such name").empty());
}

BOOST_FIXTURE_TEST_CASE(one_caller_cannot_use_up_what_is_everybodys, BudgetFixture, *label("XD4")) {
    check_about(made(100, numbered("h"), always("192.0.2.1")), 16);
    BOOST_TEST(made(1, always("app.example"), always("192.0.2.2")) == 1);
}

BOOST_FIXTURE_TEST_CASE(one_caller_gets_at_most_half_of_a_host, BudgetFixture, *label("XD4")) {
    check_about(made(100, always("app.example"), always("192.0.2.1")), 10);
    BOOST_TEST(made(1, always("app.example"), always("192.0.2.2")) == 1);
}

BOOST_FIXTURE_TEST_CASE(
    what_is_known_has_a_reserve_that_no_number_of_callers_can_use, BudgetFixture, *label("XD4")) {
    check_about(made(100, always("app.example"), numbered("192.0.2.")), 15);
    check_about(made(100, numbered("h"), numbered("198.51.100.")), 15);
    turn.known = true;
    check_about(made(100, always("app.example"), numbered("203.0.113.")), 5);
    check_about(made(100, numbered("k"), numbered("203.0.113.2")), 5);
}

BOOST_FIXTURE_TEST_CASE(
    names_that_lead_nowhere_cost_their_caller_alone, BudgetFixture, *label("XD4")) {
    check_about(made(100, numbered("nowhere"), always("192.0.2.1"), ""), 16);
    BOOST_TEST(made(200, numbered("nowhere"), numbered("192.0.2."), "") >= 190);
    check_about(made(100, numbered("h"), numbered("198.51.100.")), 30);
}

BOOST_FIXTURE_TEST_CASE(
    what_is_refused_by_one_budget_costs_no_other, BudgetFixture, *label("XD4")) {
    made(1000, always("app.example"), always("192.0.2.1"));
    check_about(made(100, numbered("h"), always("192.0.2.1")), 6);
    check_about(made(100, numbered("h"), numbered("198.51.100.")), 14);
}

BOOST_AUTO_TEST_SUITE_END()
