// A session with SQLite, with the traps of Poco 1.11 taken out.
//
// - Poco prepares a statement anew at each execution, half of what a request costs: ours are
//   prepared once, on the handle of
//   Poco's session.
// - Poco's begin() is BEGIN DEFERRED, which can fail at once when a read turns into a write: we say
//   BEGIN IMMEDIATE.
// - Poco waits with SQLite's own busy handler, which lets the unlucky starve for seconds: writers
//   of one master take turns in
//   a queue, and meet writers from elsewhere with a handler that asks often.
// - A file that was moved away stays open under its old inode, and commits would go to a file
//   nobody sees: usable() looks
//   whether the path still leads to the file that is open.
#include "db_session.h"
#include "wal_index.h"

#include <Poco/Data/DataException.h>
#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/SQLite/SQLiteException.h>
#include <Poco/Data/SQLite/Utility.h>
#include <Poco/Data/Session.h>
#include <Poco/URI.h>

#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>

namespace consentgate::store {
namespace {

using namespace Poco::Data::Keywords;
using Poco::Data::SQLite::Utility;

std::int64_t monotonic_ns() {
    timespec at{};
    clock_gettime(CLOCK_MONOTONIC, &at);
    return static_cast<std::int64_t>(at.tv_sec) * 1'000'000'000 + at.tv_nsec;
}

// As a URI, because only that can say "do not create it": a database that is gone must be an error,
// not an empty one.
std::string address(const std::string& path, Create create) {
    std::string escaped;
    Poco::URI::encode(path, "?#%", escaped);
    return "file:" + escaped + (create == Create::yes ? "?mode=rwc" : "?mode=rw");
}

// Poco's texts can hold SQL and values, so only the kind of error leaves.
[[noreturn]] void rethrow_as_engine_error() {
    try {
        throw;
    } catch (const EngineError&) {
        throw;
    } catch (const Poco::Data::SQLite::DBLockedException&) {
        throw EngineError(
            EngineErrorKind::refused,
            "the database stayed locked"); // it was waited for long enough
    } catch (const Poco::Data::SQLite::ConstraintViolationException& error) {
        throw EngineError(
            EngineErrorKind::taken, std::string("the database refused: ") + error.name());
    } catch (const Poco::Exception& error) {
        throw EngineError(
            EngineErrorKind::refused, std::string("the database refused: ") + error.name());
    }
}

class SqliteRow final : public Row {
public:
    explicit SqliteRow(sqlite3_stmt* statement) : statement_(statement) {}

protected:
    bool number(int column, std::int64_t& to) override {
        to = sqlite3_column_int64(statement_, column);
        return present(column);
    }
    bool text(int column, std::string& to) override {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
        to.assign(
            text == nullptr ? "" : text,
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
        return text != nullptr;
    }
    bool bytes(int column, std::string& to) override {
        const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
        to.assign(
            bytes == nullptr ? "" : bytes,
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
        return bytes != nullptr || present(column);
    }

private:
    bool present(int column) const {
        return sqlite3_column_type(statement_, column) != SQLITE_NULL;
    }
    sqlite3_stmt* statement_;
};

class SqliteSession final : public DbSession {
public:
    SqliteSession(const StoreConfig& config, Create create)
        : config_(config), session_("SQLite", address(config.path, create), no_retries) {
        handle_ = Utility::dbHandle(session_);
        // First, or the statements below would wait as long as Poco's own timeout says, a minute.
        sqlite3_busy_handler(handle_, &SqliteSession::wait_for_writer, this);
        // WAL is a property of the file, but asking for it is how a fresh file gets it. FULL: an
        // acknowledged commit survives a power cut. The journal limit keeps a WAL that one slow
        // reader let grow from staying large.
        for (const char* setting :
             {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON",
              "PRAGMA journal_size_limit=4194304"}) {
            set(setting);
        }
        struct stat at {};
        if (::stat(config.path.c_str(), &at) != 0)
            throw EngineError(EngineErrorKind::refused, "the database file is missing");
        device_ = at.st_dev;
        inode_ = at.st_ino;
        wal_index_.emplace(handle_);
    }

    // Closing a SQLite connection rolls an open transaction back; only then may the next writer
    // come.
    ~SqliteSession() override {
        for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
        try {
            session_.close();
        } catch (...) { // nothing more can be done about a connection that will not close
        }
        end_turn();
    }

    bool usable() const override {
        struct stat at {};
        const bool same_file =
            ::stat(config_.path.c_str(), &at) == 0 && at.st_dev == device_ && at.st_ino == inode_;
        // A connection that was opened while the file could not be written stays read-only for
        // ever.
        return same_file && sqlite3_db_readonly(handle_, "main") == 0;
    }

    std::optional<Commit> last_commit() const override { return wal_index_->last_commit(); }

    // The time spent in the queue counts against the wait for SQLite's lock, so that the two
    // together are no longer than configured.
    void begin() override {
        waiting_since_ns_ = monotonic_ns();
        if (config_.queue && !config_.queue->enter(config_.wait))
            throw EngineError(EngineErrorKind::refused, "the database stayed locked");
        writing_ = true;
        run("BEGIN IMMEDIATE", {});
    }
    void commit() override {
        run("COMMIT", {});
        end_turn();
    }
    void roll_back() override {
        if (sqlite3_get_autocommit(handle_) == 0) run("ROLLBACK", {});
        end_turn();
    }

    std::size_t run(const char* sql, Values values) override {
        const auto before = sqlite3_total_changes(handle_);
        query(
            sql, [](Row&) {}, values);
        return static_cast<std::size_t>(sqlite3_total_changes(handle_) - before);
    }

    std::size_t query(const char* sql, const RowReader& take, Values values) override {
        try {
            const Execution execution{prepared(sql)};
            bind(execution.statement, values);
            std::size_t rows = 0;
            for (; next_row(execution.statement); ++rows) {
                SqliteRow row(execution.statement);
                take(row);
            }
            return rows;
        } catch (const Poco::Exception&) {
            rethrow_as_engine_error();
        }
    }

private:
    // However it ends, the statement is then ready to run again, and free of values that are about
    // to go.
    struct Execution {
        sqlite3_stmt* statement;
        ~Execution() {
            sqlite3_reset(statement);
            sqlite3_clear_bindings(statement);
        }
    };

    // Poco would repeat a failed opening for its login timeout, a minute; that is for whoever asks
    // next.
    static constexpr std::size_t no_retries = 0;

    // Two that give a fresh file its WAL at once would wait for each other: SQLite says "locked" to
    // one without asking the handler.
    void set(const char* setting) {
        for (int tries = 0;; ++tries) {
            try {
                session_ << setting, now;
                return;
            } catch (const Poco::Data::SQLite::DBLockedException&) {
                if (wait_for_writer(this, tries) == 0) throw;
            }
        }
    }

    // Sleeps briefly and often instead of SQLite's growing steps, so that under load nobody waits
    // much longer than the writers ahead of it need. The first tries are the shortest: most
    // transactions are over within that time.
    static int wait_for_writer(void* session, int tries) {
        auto& self = *static_cast<SqliteSession*>(session);
        const auto at = monotonic_ns();
        if (tries == 0 && !self.writing_) self.waiting_since_ns_ = at;
        if (at - self.waiting_since_ns_ > std::chrono::nanoseconds(self.config_.wait).count())
            return 0;
        const long spread =
            static_cast<long>(at / 1000 % 128); // so that waiters do not wake in step
        const timespec pause{0, (std::min(50 + tries * 25, 500) + spread) * 1000};
        nanosleep(&pause, nullptr);
        return 1;
    }

    void end_turn() {
        if (!writing_) return;
        writing_ = false;
        if (config_.queue) config_.queue->leave();
    }

    sqlite3_stmt* prepared(std::string_view sql) {
        const auto known = statements_.find(sql);
        if (known != statements_.end()) return known->second;
        sqlite3_stmt* fresh = nullptr;
        const int result = sqlite3_prepare_v3(
            handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &fresh,
            nullptr);
        if (result != SQLITE_OK) Utility::throwException(handle_, result);
        return statements_.emplace(sql, fresh).first->second;
    }

    static void bind(sqlite3_stmt* statement, Values values) {
        int at = 0;
        for (const auto& value : values) {
            ++at;
            if (value.null) continue; // what is not bound is NULL
            const int size = static_cast<int>(value.data.size());
            if (value.kind == Value::Kind::number)
                sqlite3_bind_int64(statement, at, value.number);
            else if (value.kind == Value::Kind::text)
                sqlite3_bind_text(statement, at, value.data.data(), size, SQLITE_STATIC);
            else
                sqlite3_bind_blob(statement, at, value.data.data(), size, SQLITE_STATIC);
        }
    }

    static bool next_row(sqlite3_stmt* statement) {
        const int result = sqlite3_step(statement);
        if (result != SQLITE_ROW && result != SQLITE_DONE)
            Utility::throwException(sqlite3_db_handle(statement), result);
        return result == SQLITE_ROW;
    }

    StoreConfig config_;
    Poco::Data::Session session_;
    sqlite3* handle_ = nullptr; // the session's own
    std::map<std::string, sqlite3_stmt*, std::less<>>
        statements_;                    // on that handle, so they go before it
    std::optional<WalIndex> wal_index_; // of that handle
    dev_t device_ = 0;
    ino_t inode_ = 0;
    std::int64_t waiting_since_ns_ = 0;
    bool writing_ = false; // between the queue's beginning and the transaction's end
};

// A connection is one thread's here, and nobody asks how much memory SQLite has: without its locks
// around both, which every column that is read would take, a row costs less. Before SQLite is used
// at all; later it would have no effect, and do no harm.
void leave_out_locks() {
    static const bool done = sqlite3_config(SQLITE_CONFIG_MULTITHREAD) == SQLITE_OK &&
                             sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK;
    static_cast<void>(done);
}

} // namespace

std::unique_ptr<DbSession> open_sqlite(const StoreConfig& config, Create create) {
    leave_out_locks();
    try {
        Poco::Data::SQLite::Connector::registerConnector();
        return std::make_unique<SqliteSession>(config, create);
    } catch (const Poco::Exception&) {
        rethrow_as_engine_error();
    }
}

} // namespace consentgate::store
