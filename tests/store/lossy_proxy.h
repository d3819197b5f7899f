// A proxy of a database server that can lose the answer to a COMMIT: the commit takes effect, and
// the client never learns of it.
#pragma once

#include <atomic>
#include <thread>

namespace consentgate::tests {

class LossyProxy {
public:
    explicit LossyProxy(int server_port, int port = 0); // both on 127.0.0.1; port 0: a free one
    ~LossyProxy();
    LossyProxy(const LossyProxy&) = delete;
    LossyProxy& operator=(const LossyProxy&) = delete;

    int port() const { return port_; }
    // The next COMMIT reaches the server, whose answer is thrown away with the connection.
    void lose_next_answer() { lose_ = true; }
    int lost() const { return lost_; }

private:
    void serve();

    int server_port_, listener_ = -1, port_ = 0;
    std::atomic<bool> lose_{false}, ending_{false};
    std::atomic<int> lost_{0};
    std::thread thread_;
};

} // namespace consentgate::tests
