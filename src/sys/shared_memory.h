// Memory that the processes of a program share, with a lock that the kernel gives back when its
// holder dies. Private to this module.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace consentgate::sys {

class SharedMemory {
public:
    // For the workers of one master: make it before the fork. All bytes are zero.
    // fail: throws std::runtime_error, as the next
    explicit SharedMemory(std::size_t size);
    // For programs that have no master in common: a file, readable for its owner only, which is
    // replaced when another program version made it.
    // in: layout  begins the memory, and differs between versions
    SharedMemory(const std::string& file, std::size_t size, std::uint64_t layout);
    ~SharedMemory();
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    void* data() const { return data_; }

    class Lock {
    public:
        explicit Lock(const SharedMemory& memory);
        ~Lock();
        Lock(const Lock&) = delete;
        Lock& operator=(const Lock&) = delete;

    private:
        int file_;
    };

private:
    bool open_whole(const std::string& file, std::uint64_t layout);
    void map(const std::string& name);

    std::size_t size_;
    int file_ = -1;
    void* data_ = nullptr;
};

} // namespace consentgate::sys
