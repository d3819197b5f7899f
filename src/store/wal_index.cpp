#include "wal_index.h"

#include <sqlite3.h>

#include <atomic>
#include <cstring>

namespace consentgate::store {
namespace {

// The part of the wal-index that begins with the header, as large as SQLite maps it at a time.
constexpr int region = 0, region_size = 32768;
constexpr std::uint32_t known_version = 3007000;
constexpr std::size_t version_at = 0, initialized_at = 12; // bytes from the header's beginning

std::array<std::uint64_t, Commit{}.words.size()> copy_of(const volatile std::uint64_t* header) {
    std::array<std::uint64_t, Commit{}.words.size()> words{};
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = header[i];
    return words;
}

} // namespace

WalIndex::WalIndex(sqlite3* handle) {
    if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file_) != SQLITE_OK)
        file_ = nullptr;
}

// Uses SQLite's own mapping, because opening and closing the file here would release the locks that
// SQLite holds on it (POSIX).
std::optional<Commit> WalIndex::last_commit() const {
    if (file_ == nullptr || file_->pMethods == nullptr || file_->pMethods->iVersion < 2 ||
        file_->pMethods->xShmMap == nullptr)
        return std::nullopt;
    void volatile* memory = nullptr;
    if (file_->pMethods->xShmMap(file_, region, region_size, 0, &memory) != SQLITE_OK ||
        memory == nullptr)
        return std::nullopt;
    const auto* header = static_cast<const volatile std::uint64_t*>(memory);
    Commit commit;
    commit.words = copy_of(header);
    // SQLite writes the second copy before the first, with a barrier between.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (copy_of(header + commit.words.size()) != commit.words) return std::nullopt;
    const auto* bytes = reinterpret_cast<const unsigned char*>(commit.words.data());
    std::uint32_t version = 0;
    std::memcpy(&version, bytes + version_at, sizeof version);
    return version == known_version && bytes[initialized_at] != 0 ? std::optional(commit)
                                                                  : std::nullopt;
}

} // namespace consentgate::store
