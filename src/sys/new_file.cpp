#include "consentgate/sys/new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace consentgate::sys {
namespace {

[[noreturn]] void fail(const std::string& path) {
    throw std::runtime_error(path + ": " + std::strerror(errno));
}

void reach_the_disk(const std::string& path, int flags) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
    if (file < 0) fail(path);
    const bool synced = ::fsync(file) == 0;
    ::close(file);
    if (!synced) fail(path);
}

std::string folder_of(const std::string& path) {
    const auto folder = std::filesystem::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
}

} // namespace

NewFile::NewFile(std::string path) : path_(std::move(path)), draft_(path_ + ".part") {
    if (::access(path_.c_str(), F_OK) == 0) {
        errno = EEXIST;
        fail(path_);
    }
    const int file = ::open(draft_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) fail(draft_);
    ::close(file);
}

NewFile::~NewFile() {
    if (!kept_) ::unlink(draft_.c_str());
}

void NewFile::keep() {
    reach_the_disk(draft_, 0);
    bool named =
        ::renameat2(AT_FDCWD, draft_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) == 0;
    // Network file systems know no such renaming. There the draft's name has kept others out.
    if (!named && (errno == EINVAL || errno == ENOSYS) && ::access(path_.c_str(), F_OK) != 0)
        named = ::rename(draft_.c_str(), path_.c_str()) == 0;
    if (!named) fail(path_);
    kept_ = true;
    reach_the_disk(folder_of(path_), O_DIRECTORY);
}

} // namespace consentgate::sys
