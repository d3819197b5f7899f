// A connection to the web server that costs as little as one can, so that the figures are the
// server's.
#pragma once

#include <string>
#include <string_view>

namespace consentgate::bench {

struct Response {
    int status = 0;
    std::string_view head, body; // valid until the next request on the connection

    std::string_view header(
        std::string_view name) const; // as lighttpd spells it; empty when absent
};

// Keeps the connection open over requests, and opens it again when the server has closed it as
// announced.
class HttpClient {
public:
    explicit HttpClient(int port) : port_(port) {}
    ~HttpClient() { disconnect(); }
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    // in:   request  complete, head and body
    // fail: throws std::runtime_error when the answer is cut off or has no Content-Length
    Response exchange(std::string_view request);

private:
    void connect();
    void disconnect();
    void send(std::string_view request) const;
    void receive_more();

    int port_;
    int socket_ = -1;
    std::string received_;
};

int free_port(); // one that nothing listens on now, on 127.0.0.1

} // namespace consentgate::bench
