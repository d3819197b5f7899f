// A session with SQLite. It avoids these traps of Poco 1.11 and of SQLite:
//
// - Poco prepares a statement anew at each execution, which is half the cost of a request. Ours are
//   prepared once, on the handle of Poco's session.
// - Poco's begin() is BEGIN DEFERRED, which can fail at once when a read turns into a write. Ours
// is
//   BEGIN IMMEDIATE.
// - Poco waits with SQLite's own busy handler, which lets an unlucky writer starve for seconds.
//   Writers of one master take turns in a queue, and compete with writers from elsewhere
//   through a handler that asks often.
// - A file that was moved away stays open under its old inode, and commits would go to a file that
//   no other process opens. usable() checks that the path still leads to the open file.
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

// As a URI, because only a URI can say "do not create it": a missing database must be an error, not
// an empty database.
std::string address(const std::string& path, Create create) {
    std::string escaped;
    Poco::URI::encode(path, "?#%", escaped);
    return "file:" + escaped + (create == Create::yes ? "?mode=rwc" : "?mode=rw");
}

// Poco's texts can hold SQL and values, so only the kind of error leaves this file.
[[noreturn]] void rethrow_as_engine_error() {
    try {
        throw;
    } catch (const EngineError&) {
        throw;
    } catch (const Poco::Data::SQLite::DBLockedException&) {
        // The busy handler has waited for as long as it may.
        throw EngineError(EngineErrorKind::refused, stayed_locked);
    } catch (const Poco::Data::SQLite::ConstraintViolationException& error) {
        throw EngineError(
            EngineErrorKind::taken, std::string("the database refused: ") + error.name());
    } catch (const Poco::Exception& error) {
        throw EngineError(
            EngineErrorKind::refused, std::string("the database refused: ") + error.name());
    }
}

// Each function of sqlite3_column_… looks its column up anew, and half of the columns are NULL. So
// the value is looked up once; one thread may read it as it stands (sqlite.org/c3ref/value.html).
class SqliteRow final : public Row {
public:
    explicit SqliteRow(sqlite3_stmt* statement) : statement_(statement) {}

protected:
    bool number(int column, std::int64_t& to) override {
        auto* value = present(column);
        to = value == nullptr ? 0 : sqlite3_value_int64(value);
        return value != nullptr;
    }
    bool text(int column, std::string& to) override {
        auto* value = present(column);
        const void* text = value == nullptr ? nullptr : sqlite3_value_text(value);
        assign(to, text, value);
        return text != nullptr;
    }
    bool bytes(int column, std::string& to) override {
        auto* value = present(column);
        assign(to, value == nullptr ? nullptr : sqlite3_value_blob(value), value);
        return value != nullptr;
    }

private:
    // Null when the column is NULL.
    sqlite3_value* present(int column) const {
        auto* value = sqlite3_column_value(statement_, column);
        return sqlite3_value_type(value) == SQLITE_NULL ? nullptr : value;
    }
    // in: bytes  null: there are none
    static void assign(std::string& to, const void* bytes, sqlite3_value* value) {
        if (bytes == nullptr)
            to.clear();
        else
            to.assign(
                static_cast<const char*>(bytes),
                static_cast<std::size_t>(sqlite3_value_bytes(value)));
    }
    sqlite3_stmt* statement_;
};

class SqliteSession final : public DbSession {
public:
    SqliteSession(const StoreConfig& config, Create create)
        : config_(config), session_("SQLite", address(config.path, create), no_retries) {
        handle_ = Utility::dbHandle(session_);
        // First, because the statements below would else wait for Poco's own timeout, a minute.
        sqlite3_busy_handler(handle_, &SqliteSession::wait_for_writer, this);
        // WAL is a property of the file, and a fresh file gets it here. With FULL an acknowledged
        // commit survives a power cut. The limit shrinks a WAL that one slow reader let grow.
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

    // Closing a SQLite connection rolls an open transaction back; the next writer's turn comes only
    // after that.
    ~SqliteSession() override {
        for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
        try {
            session_.close();
        } catch (...) { // a connection that does not close is left to the end of the process
        }
        end_turn();
    }

    bool usable() const override {
        struct stat at {};
        const bool same_file =
            ::stat(config_.path.c_str(), &at) == 0 && at.st_dev == device_ && at.st_ino == inode_;
        // A connection that was opened while the file was read-only stays read-only.
        return same_file && sqlite3_db_readonly(handle_, "main") == 0;
    }

    std::optional<Commit> last_commit() const override { return wal_index_->last_commit(); }

    // The time in the queue counts against the wait for SQLite's lock, so that both together are no
    // longer than configured.
    void begin() override {
        waiting_since_ns_ = monotonic_ns();
        if (config_.queue && !config_.queue->enter(config_.wait))
            throw EngineError(EngineErrorKind::refused, stayed_locked);
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

    std::size_t query(const char* sql, const RowReader& read_row, Values values) override {
        try {
            const Execution execution{prepared(sql)};
            bind(execution.statement, values);
            std::size_t rows = 0;
            for (; next_row(execution.statement); ++rows) {
                SqliteRow row(execution.statement);
                read_row(row);
            }
            return rows;
        } catch (const Poco::Exception&) {
            rethrow_as_engine_error();
        }
    }

private:
    // However the execution ends, the statement can then run again, and no longer refers to values
    // that are about to be destroyed.
    struct Execution {
        sqlite3_stmt* statement;
        ~Execution() {
            sqlite3_reset(statement);
            sqlite3_clear_bindings(statement);
        }
    };

    // Poco would repeat a failed opening for its login timeout, a minute; here the next unit of
    // work opens again.
    static constexpr std::size_t no_retries = 0;

    // Two processes that set WAL on a fresh file at once would wait for each other: SQLite answers
    // "locked" to one of them without calling the handler.
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

    // Sleeps briefly and often instead of in SQLite's growing steps, so that under load a writer
    // waits hardly longer than the writers ahead of it need. The first tries are the shortest,
    // because most transactions are over within that time.
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
            if (value.null) continue; // an unbound question mark is NULL
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
        statements_;                    // of that handle, so they are destroyed before it
    std::optional<WalIndex> wal_index_; // of that handle
    dev_t device_ = 0;
    ino_t inode_ = 0;
    std::int64_t waiting_since_ns_ = 0;
    bool writing_ = false; // from our turn in the queue to the end of the transaction
};

// One thread uses a connection here, and no part of the program asks for SQLite's memory
// statistics. Without SQLite's locks around both, which every column that is read would take, a
// row costs less. Call it before SQLite is used; later it has no effect, and does no harm.
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
