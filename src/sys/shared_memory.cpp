#include "shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace consentgate::sys {
namespace {

void set_lock(int file, short type) {
    struct flock whole {}; // from the start of the file to its end
    whole.l_type = type;
    while (::fcntl(file, F_SETLKW, &whole) != 0 && errno == EINTR) {}
}

} // namespace

SharedMemory::Lock::Lock(const SharedMemory& memory) : file_(memory.file_) {
    set_lock(file_, F_WRLCK);
}
SharedMemory::Lock::~Lock() { set_lock(file_, F_UNLCK); }

SharedMemory::SharedMemory(std::size_t size) : size_(size) {
    file_ = ::memfd_create("consentgate", MFD_CLOEXEC);
    if (file_ < 0 || ::ftruncate(file_, static_cast<off_t>(size)) != 0)
        throw std::runtime_error("there is no memory for the workers to share");
    map("memory");
}

SharedMemory::SharedMemory(const std::string& file, std::size_t size, std::uint64_t layout)
    : size_(size) {
    for (int tries = 0; tries < 2; ++tries) {
        if (open_whole(file, layout)) return;
        // Another version made it and may still use it.
        if (data_ != nullptr) ::munmap(std::exchange(data_, nullptr), size_);
        ::close(std::exchange(file_, -1));
        if (::unlink(file.c_str()) != 0)
            throw std::runtime_error(file + ": belongs to another version, and cannot be replaced");
    }
    throw std::runtime_error(file + ": is being replaced by another process");
}

SharedMemory::~SharedMemory() {
    if (data_ != nullptr) ::munmap(data_, size_);
    if (file_ >= 0) ::close(file_);
}

// out: false when it is of another layout
bool SharedMemory::open_whole(const std::string& file, std::uint64_t layout) {
    file_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file_ < 0) throw std::runtime_error(file + ": cannot be opened for writing");
    const Lock locked(*this);
    struct stat facts {};
    if (::fstat(file_, &facts) != 0 || !S_ISREG(facts.st_mode))
        throw std::runtime_error(file + ": is not a file");
    // Allocates the blocks: a write into a hole of the file kills its writer on a full disk.
    if (facts.st_size == 0 && ::posix_fallocate(file_, 0, static_cast<off_t>(size_)) != 0)
        throw std::runtime_error(file + ": cannot be made large enough");
    if (facts.st_size != 0 && facts.st_size != static_cast<off_t>(size_)) return false;
    map(file);
    if (facts.st_size == 0) std::memcpy(data_, &layout, sizeof layout);
    return std::memcmp(data_, &layout, sizeof layout) == 0;
}

void SharedMemory::map(const std::string& name) {
    void* memory = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
    if (memory == MAP_FAILED) throw std::runtime_error(name + ": cannot be mapped");
    data_ = memory;
}

} // namespace consentgate::sys
