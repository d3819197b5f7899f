// Where the workers of one master wait for their turn to write.
//
// SQLite has one writer at a time, and no queue: who finds the database taken sleeps and asks
// again, which wastes the time between two writers and lets the unlucky wait for seconds. Processes
// that share a WriterQueue are woken when the writer before them is done. It only orders them; what
// keeps the data right is the database's own lock, which writers from elsewhere (consentgate-admin)
// compete for as before.
#pragma once

#include <chrono>

namespace consentgate::store {

class WriterQueue {
public:
    // Make it before the fork: it lives in memory that children share. fail: throws
    // std::runtime_error
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
