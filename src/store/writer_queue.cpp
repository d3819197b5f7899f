#include "consentgate/store/writer_queue.h"

#include <pthread.h>
#include <sys/mman.h>

#include <cerrno>
#include <ctime>
#include <new>
#include <stdexcept>

namespace consentgate::store {

struct WriterQueue::Shared {
    pthread_mutex_t turn;
};

WriterQueue::WriterQueue() {
    void* memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("there is no memory for the writers' queue");
    shared_ = new (memory) Shared{};
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    const int failed = pthread_mutex_init(&shared_->turn, &kind);
    pthread_mutexattr_destroy(&kind);
    if (failed != 0) throw std::runtime_error("the writers' queue cannot be made");
}

// The mutex is not destroyed, because other processes may still use it. The system frees its memory
// when the last of them unmaps it.
WriterQueue::~WriterQueue() { ::munmap(shared_, sizeof(Shared)); }

bool WriterQueue::enter(std::chrono::milliseconds wait) {
    timespec until{};
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait.count() / 1000;
    until.tv_nsec += wait.count() % 1000 * 1'000'000;
    if (until.tv_nsec >= 1'000'000'000) {
        until.tv_nsec -= 1'000'000'000;
        ++until.tv_sec;
    }
    const int result = pthread_mutex_clocklock(&shared_->turn, CLOCK_MONOTONIC, &until);
    // The process before died in its turn. The mutex guards no data, so nothing has to be repaired.
    if (result == EOWNERDEAD) return pthread_mutex_consistent(&shared_->turn) == 0;
    return result == 0;
}

void WriterQueue::leave() { pthread_mutex_unlock(&shared_->turn); }

} // namespace consentgate::store
