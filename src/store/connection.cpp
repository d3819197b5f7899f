#include "connection.h"

#include <Poco/Data/DataException.h>
#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/SQLite/SQLiteException.h>
#include <Poco/Data/SQLite/Utility.h>
#include <Poco/URI.h>

#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <ctime>

namespace consentgate::store {
namespace {

using namespace Poco::Data::Keywords;

std::int64_t monotonic_ns() {
    timespec at{};
    clock_gettime(CLOCK_MONOTONIC, &at);
    return static_cast<std::int64_t>(at.tv_sec) * 1'000'000'000 + at.tv_nsec;
}

// As a URI, because only that can say "do not create it": a database that is gone must be an error, not an empty one.
std::string address(const std::string& path, bool create) {
    std::string escaped;
    Poco::URI::encode(path, "?#%", escaped);
    return "file:" + escaped + (create ? "?mode=rwc" : "?mode=rw");
}

} // namespace

BLOB to_blob(std::string_view text) { return BLOB(reinterpret_cast<const unsigned char*>(text.data()), text.size()); }

MaybeBlob to_maybe_blob(std::string_view text) { return text.empty() ? MaybeBlob() : MaybeBlob(to_blob(text)); }

std::string from_blob(const BLOB& blob) { return std::string(reinterpret_cast<const char*>(blob.rawContent()), blob.size()); }

std::string from_blob(const MaybeBlob& blob) { return blob.isNull() ? std::string() : from_blob(blob.value()); }

MaybeTime to_maybe_time(const std::optional<core::Instant>& at) { return at ? MaybeTime(core::epoch(*at)) : MaybeTime(); }

std::optional<core::Instant> from_maybe_time(const MaybeTime& at) {
    return at.isNull() ? std::nullopt : std::optional(core::from_epoch(at.value()));
}

Connection::~Connection() { close(); }

// Sleeps briefly and often instead of SQLite's growing steps, so that under load nobody waits much longer than the
// writers ahead of it need. The first tries are the shortest: most transactions are over within that time.
int Connection::wait_for_writer(void* connection, int tries) {
    auto& self = *static_cast<Connection*>(connection);
    const auto now = monotonic_ns();
    if (tries == 0 && !self.writing_) self.waiting_since_ns_ = now;
    if (now - self.waiting_since_ns_ > std::chrono::nanoseconds(self.config_.wait).count()) return 0;
    const long spread = static_cast<long>(now / 1000 % 128); // so that waiters do not wake in step
    const timespec pause{0, (std::min(50 + tries * 25, 500) + spread) * 1000};
    nanosleep(&pause, nullptr);
    return 1;
}

Connection::Turn::Turn(Connection& connection) : connection_(connection) {
    connection.waiting_since_ns_ = monotonic_ns();
    auto* queue = connection.config_.queue.get();
    if (queue != nullptr && !queue->enter(connection.config_.wait)) throw StoreFailure("the database stayed locked");
    connection.writing_ = true;
}

Connection::Turn::~Turn() {
    connection_.writing_ = false;
    if (connection_.config_.queue) connection_.config_.queue->leave();
}

void Connection::ensure_open() {
    struct stat at{};
    const bool there = ::stat(config_.path.c_str(), &at) == 0;
    const bool same_file = there && at.st_dev == device_ && at.st_ino == inode_;
    // A connection that was opened while the file could not be written stays read-only for ever.
    if (session_ && same_file && sqlite3_db_readonly(handle_, "main") == 0) return;
    close();
    open();
}

void Connection::open() {
    Poco::Data::SQLite::Connector::registerConnector();
    // 0: Poco would repeat a failed opening for a minute; that is for whoever asks next.
    session_.emplace("SQLite", address(config_.path, create_ == Create::yes), std::size_t{0});
    handle_ = Poco::Data::SQLite::Utility::dbHandle(*session_);
    // First, or the statements below would wait as long as Poco's own timeout says, a minute.
    sqlite3_busy_handler(handle_, &Connection::wait_for_writer, this);
    // WAL is a property of the file, but asking for it is how a fresh file gets it. FULL: an acknowledged commit
    // survives a power cut. The journal limit keeps a WAL that one slow reader let grow from staying large.
    for (const char* setting : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON", "PRAGMA journal_size_limit=4194304"}) {
        *session_ << setting, now;
    }
    struct stat at{};
    if (::stat(config_.path.c_str(), &at) != 0) throw StoreFailure("the database file is missing");
    device_ = at.st_dev;
    inode_ = at.st_ino;
}

void Connection::close() noexcept {
    // Closing a SQLite connection rolls an open transaction back.
    statements_.clear();
    try {
        session_.reset();
    } catch (...) { // nothing more can be done about a connection that will not close
    }
}

// Poco's texts can hold SQL and values, so only the kind of error leaves this room.
void Connection::rethrow_as_failure() {
    try {
        throw;
    } catch (const StoreFailure&) {
        throw;
    } catch (const Poco::Data::SQLite::DBLockedException&) {
        throw StoreFailure("the database stayed locked");
    } catch (const Poco::Exception& error) {
        throw StoreFailure(std::string("the database refused: ") + error.name());
    } catch (const std::exception&) {
        throw StoreFailure("the database could not be used");
    }
}

} // namespace consentgate::store
