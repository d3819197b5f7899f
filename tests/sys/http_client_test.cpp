#include "consentgate/sys/http_client.h"

#include "consentgate/core/base/address.h"

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <thread>
#include <vector>

using namespace consentgate;
using boost::unit_test::label;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

namespace {

// Answers one connection with `answer`, byte by byte when it drips, and keeps the request in
// `asked`.
struct Host {
    Poco::Net::ServerSocket socket{Poco::Net::SocketAddress("127.0.0.1", 0)};
    std::string asked;
    std::thread thread;

    Host(std::string answer, bool drips = false)
        : thread([this, answer = std::move(answer), drips] {
              try {
                  auto peer = socket.acceptConnection();
                  char buffer[8192];
                  const int read = peer.receiveBytes(buffer, sizeof buffer);
                  asked.assign(buffer, static_cast<std::size_t>(std::max(read, 0)));
                  for (std::size_t i = 0; i < answer.size(); i += drips ? 1 : answer.size()) {
                      peer.sendBytes(
                          answer.data() + i, static_cast<int>(drips ? 1 : answer.size()));
                      if (drips) std::this_thread::sleep_for(milliseconds(50));
                  }
              } catch (const Poco::Exception&) { // the client has closed the connection
              }
          }) {
        ::signal(SIGPIPE, SIG_IGN);
    }
    ~Host() { thread.join(); }

    std::string url(const std::string& path = "/x") const {
        return "http://127.0.0.1:" + std::to_string(socket.address().port()) + path;
    }
};

const std::string loopback4("\x7f\0\0\1", 4), public4("\x08\x08\x08\x08", 4),
    private4("\x0a\0\0\1", 4);
const std::string loopback6 = std::string(15, '\0') + '\1';

// A port of an address whose connections are never made: the kernel drops what does not fit into
// the queue of a socket that nobody accepts from.
class Blackhole {
public:
    Blackhole(const std::string& address, int port) {
        const Poco::Net::SocketAddress at(address, static_cast<Poco::UInt16>(port));
        socket_.bind(at, true);
        socket_.listen(0);
        for (int i = 0; i < 8; ++i) {
            fillers_.emplace_back();
            fillers_.back().connectNB(at);
        }
    }

private:
    Poco::Net::ServerSocket socket_;
    std::vector<Poco::Net::StreamSocket> fillers_;
};

// Which family a resolver names first.
std::vector<std::vector<std::string>> both_orders() {
    return {{loopback6, loopback4}, {loopback4, loopback6}};
}

sys::HttpResponse ask(const std::string& url, milliseconds total = milliseconds(3000)) {
    sys::PocoHttpClient client({total, ""});
    return client.send({.purpose = sys::PlaceKind::refresh, .url = url});
}

std::string answer_of(std::size_t length) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n" +
           std::string(length, 'x');
}

} // namespace

BOOST_AUTO_TEST_SUITE(http_client)

BOOST_AUTO_TEST_CASE(http_is_for_this_machine_and_other_addresses_are_refused_in_words) {
    for (const auto* url :
         {"http://example.org/", "http://10.0.0.1/", "http://127.0.0.2/", "ftp://127.0.0.1/",
          "https://u:p@example.org/", "https://example.org/#f", "nothing", "http:///x",
          "https://a b/"}) {
        const auto answer = ask(url);
        BOOST_TEST(!answer.answered, url);
        BOOST_TEST(!answer.reason.empty(), url);
    }
}

BOOST_AUTO_TEST_CASE(a_loopback_name_that_leads_elsewhere_is_not_asked) {
    sys::PocoHttpClient client({milliseconds(1000), ""}, [](const std::string&) {
        return std::vector<std::string>{std::string("\x08\x08\x08\x08", 4)};
    });
    BOOST_TEST(
        client.send({.purpose = sys::PlaceKind::refresh, .url = "http://localhost/"}).reason ==
        "localhost does not lead to this machine");
}

BOOST_AUTO_TEST_CASE(a_form_is_sent_whole_and_the_response_is_returned_as_it_came) {
    Host host("HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer a=\"b\"\r\nWWW-Authenticate: Basic\r\n"
              "Content-Type: Application/JSON; charset=utf-8\r\nRetry-After: 7\r\n"
              "Content-Length: 2\r\n\r\n{}");
    sys::PocoHttpClient client({milliseconds(3000), ""});
    const auto answer = client.send(
        {.purpose = sys::PlaceKind::refresh,
         .method = "POST",
         .url = host.url("/token?x=1"),
         .headers = {{"Accept", "application/json"}},
         .body = core::Secret("a=b"),
         .content_type = "application/x-www-form-urlencoded"});
    BOOST_TEST(answer.answered, answer.reason);
    BOOST_TEST(answer.status == 401);
    BOOST_TEST(answer.authenticate == "Bearer a=\"b\", Basic");
    BOOST_TEST(answer.content_type == "application/json");
    BOOST_TEST(answer.retry_after_seconds == 7);
    BOOST_TEST(answer.body.reveal() == "{}");
    host.thread.join();
    host.thread = std::thread([] {});
    BOOST_TEST(host.asked.starts_with("POST /token?x=1 HTTP/1.1\r\n"));
    BOOST_TEST(
        (host.asked.find("Host: 127.0.0.1:" + std::to_string(host.socket.address().port())) !=
         std::string::npos));
    BOOST_TEST(host.asked.ends_with("a=b"));
}

BOOST_AUTO_TEST_CASE(when_to_come_again_is_read_as_seconds_and_as_a_date, *label("XC4")) {
    const auto said = [](const std::string& headers) {
        Host host("HTTP/1.1 503 No\r\n" + headers + "Content-Length: 0\r\n\r\n");
        return ask(host.url()).retry_after_seconds;
    };
    const std::string date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    BOOST_TEST(said("Retry-After: 120\r\n") == 120);
    BOOST_TEST(said("Retry-After: 99999999999999999999\r\n" + date) >= 0);
    // By the server's clock alone, whatever ours says.
    BOOST_TEST(said(date + "Retry-After: Sun, 06 Nov 1994 08:51:37 GMT\r\n") == 120);
    BOOST_TEST(said(date + "Retry-After: Sun, 06 Nov 1994 08:49:00 GMT\r\n") == 0);
    BOOST_TEST(said("Retry-After: Sun, 06 Nov 1994 08:51:37 GMT\r\n") == 0);
    BOOST_TEST(said(date + "Retry-After: soon\r\n") == 0);
    BOOST_TEST(said("") == 0);
}

BOOST_AUTO_TEST_CASE(a_redirect_is_reported_and_not_followed) {
    Host host("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    const auto answer = ask(host.url());
    BOOST_TEST(answer.status == 302);
    BOOST_TEST(answer.location == "http://127.0.0.1:1/");
}

BOOST_AUTO_TEST_CASE(an_answer_of_256_KiB_is_read_and_one_byte_more_is_none) {
    {
        Host host(answer_of(256 * 1024));
        BOOST_TEST(ask(host.url()).body.reveal().size() == 256U * 1024);
    }
    Host host(answer_of(256 * 1024 + 1));
    const auto answer = ask(host.url());
    BOOST_TEST(!answer.answered);
    BOOST_TEST(answer.reason == "the answer is larger than 256 KiB");
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_cut_off_is_none) {
    Host host("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}");
    BOOST_TEST(ask(host.url()).reason == "the answer was cut off");
}

BOOST_AUTO_TEST_CASE(only_the_operator_s_own_urls_may_be_plain_http, *label("R30")) {
    sys::PocoHttpClient client({milliseconds(1000), ""});
    for (const auto policy : {sys::AddressPolicy::public_only, sys::AddressPolicy::loopback_only}) {
        const auto response = client.send(
            {.purpose = sys::PlaceKind::refresh,
             .url = "http://127.0.0.1/",
             .addresses = policy,
             .allow_plain_http = true});
        BOOST_TEST(!response.answered);
        BOOST_TEST(response.reason == "only https can be asked");
    }
}

BOOST_AUTO_TEST_CASE(a_request_has_its_own_limit_of_bytes_and_may_leave_out_bodies_of_errors) {
    {
        Host host(answer_of(11));
        sys::PocoHttpClient client({milliseconds(3000), ""});
        const auto response = client.send(
            {.purpose = sys::PlaceKind::refresh, .url = host.url(), .max_body_bytes = 10});
        BOOST_TEST(!response.answered);
        BOOST_TEST(response.too_large);
        BOOST_TEST(response.status == 200);
        BOOST_TEST(response.body.reveal().size() == 11U);
    }
    Host host("HTTP/1.1 404 No\r\nContent-Length: 100\r\n\r\nx");
    sys::PocoHttpClient client({milliseconds(3000), ""});
    const auto response = client.send(
        {.purpose = sys::PlaceKind::refresh, .url = host.url(), .body_of_success_only = true});
    BOOST_TEST(response.answered, response.reason);
    BOOST_TEST(response.status == 404);
    BOOST_TEST(response.body.empty());
}

BOOST_AUTO_TEST_CASE(a_body_that_does_not_end_is_not_waited_for, *label("XC11")) {
    const std::string stream = "HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer x=\"y\"\r\n"
                               "Content-Type: text/event-stream\r\n\r\n: ping";
    Poco::Net::ServerSocket socket{Poco::Net::SocketAddress("127.0.0.1", 0)};
    Poco::Net::StreamSocket open_stream;
    std::thread host([&] {
        open_stream = socket.acceptConnection();
        open_stream.sendBytes(stream.data(), static_cast<int>(stream.size()));
    });
    sys::PocoHttpClient client({milliseconds(5000), ""});
    const auto response = client.send(
        {.purpose = sys::PlaceKind::discovery,
         .url = "http://127.0.0.1:" + std::to_string(socket.address().port()) + "/mcp",
         .head_only = true});
    host.join();
    BOOST_TEST(response.answered, response.reason);
    BOOST_TEST(response.status == 401);
    BOOST_TEST(response.authenticate == "Bearer x=\"y\"");
    BOOST_TEST(response.body.empty());
}

BOOST_AUTO_TEST_CASE(the_deadline_of_a_request_counts_when_it_comes_first) {
    Host host(answer_of(1000), true);
    sys::PocoHttpClient client({milliseconds(5000), ""});
    const auto begin = Clock::now();
    const auto response = client.send(
        {.purpose = sys::PlaceKind::refresh,
         .url = host.url(),
         .deadline = begin + milliseconds(300)});
    BOOST_TEST(!response.answered);
    BOOST_TEST(response.reason.starts_with("no whole answer within "));
    BOOST_TEST(std::chrono::duration<double>(Clock::now() - begin).count() < 2.0);
}

BOOST_AUTO_TEST_CASE(a_host_that_drips_is_left_in_time) {
    Host host(answer_of(1000), true);
    const auto begin = Clock::now();
    const auto answer = ask(host.url(), milliseconds(500));
    BOOST_TEST(!answer.answered);
    BOOST_TEST(answer.timed_out);
    BOOST_TEST(answer.reason == "no whole answer within 500 ms");
    BOOST_TEST(std::chrono::duration<double>(Clock::now() - begin).count() < 2.0);
}

BOOST_AUTO_TEST_CASE(a_header_with_a_line_break_is_not_sent) {
    sys::PocoHttpClient client({milliseconds(1000), ""});
    Poco::Net::ServerSocket silent(Poco::Net::SocketAddress("127.0.0.1", 0));
    const auto url = "http://127.0.0.1:" + std::to_string(silent.address().port()) + "/";
    BOOST_TEST(
        client
            .send(
                {.purpose = sys::PlaceKind::refresh,
                 .url = url,
                 .headers = {{"Authorization", "a\r\nX: b"}}})
            .reason == "what would be sent holds a control character");
}

BOOST_AUTO_TEST_CASE(
    an_address_that_swallows_packets_costs_a_fraction_of_the_time, *label("XC12")) {
    for (const auto& addresses : both_orders()) {
        Host host(answer_of(1));
        const Blackhole hole("::1", host.socket.address().port());
        sys::PocoHttpClient client(
            {milliseconds(5000), ""}, [&](const std::string&) { return addresses; });
        const auto response = client.send({.purpose = sys::PlaceKind::refresh, .url = host.url()});
        BOOST_TEST(response.answered, response.reason);
    }
}

BOOST_AUTO_TEST_CASE(
    the_other_family_is_tried_before_more_addresses_of_the_dead_one, *label("XC12")) {
    Host host(answer_of(1));
    const auto port = host.socket.address().port();
    std::vector<std::string> dead;
    std::vector<std::unique_ptr<Blackhole>> holes;
    for (int last = 2; last < 10; ++last) {
        holes.push_back(std::make_unique<Blackhole>("127.0.0." + std::to_string(last), port));
        dead.push_back(std::string("\x7f\0\0", 3) + static_cast<char>(last));
    }
    // Eight of this family come first, and six attempts are all that there are.
    Poco::Net::ServerSocket other(Poco::Net::SocketAddress("::1", static_cast<Poco::UInt16>(port)));
    dead.push_back(loopback6);
    sys::PocoHttpClient client({milliseconds(5000), ""}, [&](const std::string&) { return dead; });
    std::thread asking(
        [&] { client.send({.purpose = sys::PlaceKind::refresh, .url = host.url()}); });
    BOOST_TEST(other.poll(Poco::Timespan(4, 0), Poco::Net::Socket::SELECT_READ));
    other.close();
    asking.join();
    Poco::Net::StreamSocket last(host.socket.address());
    last.sendBytes("x", 1);
}

BOOST_AUTO_TEST_CASE(an_address_that_refuses_is_passed_over_at_once, *label("XC12")) {
    for (const auto& addresses : both_orders()) { // nothing listens on ::1
        Host host(answer_of(1));
        sys::PocoHttpClient client(
            {milliseconds(3000), ""}, [&](const std::string&) { return addresses; });
        const auto response = client.send({.purpose = sys::PlaceKind::refresh, .url = host.url()});
        BOOST_TEST(response.answered, response.reason);
    }
    Poco::Net::ServerSocket closed(Poco::Net::SocketAddress("127.0.0.1", 0));
    const auto url = "http://127.0.0.1:" + std::to_string(closed.address().port()) + "/";
    closed.close();
    const auto refused = ask(url);
    BOOST_TEST(refused.reason == "nothing listens there (connection refused)");
    BOOST_TEST(!refused.timed_out);
}

BOOST_AUTO_TEST_CASE(each_way_to_get_no_answer_has_a_cause_of_its_own, *label("XC13")) {
    using core::FailureCause;
    const auto cause_of = [](const std::string& url, milliseconds total = milliseconds(3000)) {
        return ask(url, total).cause;
    };
    Poco::Net::ServerSocket closed(Poco::Net::SocketAddress("127.0.0.1", 0));
    const auto url = "http://127.0.0.1:" + std::to_string(closed.address().port()) + "/";
    closed.close();
    BOOST_TEST((cause_of(url) == FailureCause::connection_refused));
    BOOST_TEST((cause_of("http://example.org/") == FailureCause::not_asked));
    sys::PocoHttpClient nameless(
        {milliseconds(1000), ""}, [](const std::string&) { return std::vector<std::string>(); });
    BOOST_TEST(
        (nameless.send({.purpose = sys::PlaceKind::refresh, .url = "https://a.example/"}).cause ==
         FailureCause::name_not_found));
    {
        Host host(answer_of(1000), true);
        BOOST_TEST((cause_of(host.url(), milliseconds(300)) == FailureCause::timeout));
    }
    {
        Host host("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}");
        BOOST_TEST((cause_of(host.url()) == FailureCause::no_whole_answer));
    }
    {
        Host host("");
        BOOST_TEST((cause_of(host.url()) == FailureCause::unreachable));
    }
    {
        Host host("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        const auto plain = "https" + host.url().substr(4); // no TLS is spoken there
        BOOST_TEST((cause_of(plain) == FailureCause::tls_failed));
    }
    Host host(answer_of(1));
    BOOST_TEST((cause_of(host.url()) == FailureCause::none));
}

BOOST_AUTO_TEST_CASE(a_service_elsewhere_cannot_aim_our_requests_at_this_machine, *label("XC12")) {
    const auto ask_for = [](const std::string& url, const std::string& operator_url) {
        sys::PocoHttpClient client({milliseconds(3000), ""}, [](const std::string& host) {
            if (host == "public.example") return std::vector{public4};
            if (host == "mixed.example") return std::vector{public4, private4};
            return std::vector{host.starts_with("private") ? private4 : loopback4};
        });
        return client.send(
            {.purpose = sys::PlaceKind::refresh,
             .method = "POST",
             .url = url,
             .body = core::Secret("x=y"),
             .content_type = "application/x-www-form-urlencoded",
             .addresses = sys::AddressPolicy::named_by_service,
             .operator_url = operator_url});
    };
    Poco::Net::ServerSocket here(Poco::Net::SocketAddress("127.0.0.1", 0));
    const auto port = ":" + std::to_string(here.address().port());
    for (const auto& aimed :
         {"http://127.0.0.1" + port + "/", "http://localhost" + port + "/",
          "https://127.0.0.1" + port + "/", "https://inside.example" + port + "/"}) {
        for (const auto* own :
             {"https://public.example/mcp", "https://mixed.example/mcp",
              "https://private.example/"}) {
            const auto refused = ask_for(aimed, own);
            BOOST_TEST(!refused.answered);
            BOOST_TEST(
                refused.reason ==
                "the service names an address that is nearer to this machine than its own");
        }
    }
    BOOST_TEST(!here.poll(Poco::Timespan(0, 0), Poco::Net::Socket::SELECT_READ));
    BOOST_TEST(
        ask_for("http://private.example/", "http://localhost/").reason.starts_with("http is not"));
    {
        Host host(answer_of(1));
        BOOST_TEST(ask_for(host.url(), "http://localhost:8080/mcp").answered);
    }
}

BOOST_AUTO_TEST_SUITE_END()
