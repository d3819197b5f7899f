// Captures what is written to stderr while this lives: the log. The sanitizer keeps the real one
// for its reports.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace consentgate::tests {

class CapturedLog {
public:
    CapturedLog() : file_(::memfd_create("log", MFD_CLOEXEC)), before_(::dup(STDERR_FILENO)) {
#ifdef __SANITIZE_ADDRESS__
        __sanitizer_set_report_fd(reinterpret_cast<void*>(static_cast<std::intptr_t>(before_)));
#endif
        ::dup2(file_, STDERR_FILENO);
    }
    ~CapturedLog() {
        ::dup2(before_, STDERR_FILENO);
#ifdef __SANITIZE_ADDRESS__
        __sanitizer_set_report_fd(
            reinterpret_cast<void*>(static_cast<std::intptr_t>(STDERR_FILENO)));
#endif
        ::close(before_);
        ::close(file_);
    }
    CapturedLog(const CapturedLog&) = delete;
    CapturedLog& operator=(const CapturedLog&) = delete;

    std::string text() const {
        std::string out(static_cast<std::size_t>(::lseek(file_, 0, SEEK_CUR)), '\0');
        const auto got = ::pread(file_, out.data(), out.size(), 0);
        out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return out;
    }

private:
    int file_, before_;
};

} // namespace consentgate::tests
