// The queue in which the workers of one master wait for their turn to write.
//
// SQLite has one writer at a time, and no queue: a process that finds the database locked sleeps
// and asks again, which wastes the time between two writers and lets an unlucky process wait for
// seconds. Processes that share a WriterQueue are woken when the writer before them is done. The
// queue only orders them; the database's own lock protects the data, and writers from elsewhere
// (consentgate-admin) compete for it as before.
#pragma once

#include <chrono>

namespace consentgate::store {

class WriterQueue {
public:
    // Make it before the fork: it lives in memory that children share.
    // fail: throws std::runtime_error
    WriterQueue();
    ~WriterQueue();
    WriterQueue(const WriterQueue&) = delete;
    WriterQueue& operator=(const WriterQueue&) = delete;

    // False when the turn did not come in time. A process that dies in its turn gives it up.
    bool enter(std::chrono::milliseconds wait);
    void leave();

private:
    struct Shared;
    Shared* shared_;
};

} // namespace consentgate::store
