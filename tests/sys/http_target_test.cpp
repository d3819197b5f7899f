// src/sys/http_client.cpp: the request line of the outgoing client, where it is not the URL's path.
#include "consentgate/sys/http_client.h"

#include <Poco/Exception.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <boost/test/unit_test.hpp>

#include <thread>

using namespace consentgate;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(http_target)

BOOST_AUTO_TEST_CASE(a_request_may_write_its_address_in_another_form, *label("XF3")) {
    Poco::Net::ServerSocket socket(Poco::Net::SocketAddress("127.0.0.1", 0));
    std::string asked;
    std::thread host([&] {
        auto peer = socket.acceptConnection();
        std::string bytes(8192, '\0');
        bytes.resize(static_cast<std::size_t>(peer.receiveBytes(bytes.data(), 8192)));
        asked = bytes;
        const std::string answer = "HTTP/1.1 204 No Content\r\n\r\n";
        peer.sendBytes(answer.data(), static_cast<int>(answer.size()));
    });
    sys::PocoHttpClient client({std::chrono::milliseconds(3000), ""});
    sys::HttpRequest request{.purpose = sys::PlaceKind::discovery};
    request.url = "http://127.0.0.1:" + std::to_string(socket.address().port()) + "/x";
    request.target = "http://tools.example.org/mcp";
    BOOST_TEST(client.send(request).status == 204);
    host.join();
    BOOST_TEST(asked.starts_with("GET http://tools.example.org/mcp HTTP/1.1\r\n"));
    request.target = "/mcp\r\nX: y"; // a second header would be smuggled in
    BOOST_TEST(client.send(request).reason.find("control character") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
