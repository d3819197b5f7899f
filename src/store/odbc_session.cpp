// A session with a database server over ODBC. It avoids these traps of Poco 1.11 and of the
// drivers:
//
// - Poco asks isConnected() before every statement, which MariaDB's driver answers with a ping. On
//   a Galera cluster that ping can swallow the news that the transaction was rolled back, and the
//   rest of it then commits as a transaction of its own. SilentSession never pings, and nothing
//   here uses Poco's statements.
// - Poco's statements count bound rows where changed ones are meant, cut long text at 255 bytes,
// are
//   unusable after their first exception and cannot tell a miss of RETURNING from an error. Ours
//   are prepared once, on the handle of Poco's session.
// - Poco's close() commits an open transaction when autocommit is off. Here autocommit stays on,
// and
//   transactions say BEGIN and COMMIT themselves: the server rolls back an uncommitted one, and a
//   read costs one round trip.
// - The texts of Poco and of the drivers quote SQL, values and, when no connection was made, the
//   password. Only codes leave this file.
#include "db_session.h"
#include "dialect.h"
#include "odbc_errors.h"

#include <Poco/AutoPtr.h>
#include <Poco/Data/ODBC/Handle.h>
#include <Poco/Data/ODBC/ODBCException.h>
#include <Poco/Data/ODBC/SessionImpl.h>
#include <Poco/Data/ODBC/Utility.h>

#include <sqlext.h>

#include <algorithm>
#include <map>

namespace consentgate::store {
namespace {

namespace odbc = Poco::Data::ODBC;

constexpr std::size_t login_seconds = 2;

class SilentSession final : public odbc::SessionImpl {
public:
    explicit SilentSession(const std::string& connection) : SessionImpl(connection, login_seconds) {
        open_ = true;
    }
    bool isConnected() const override { return open_; }

private:
    bool open_ = false;
};

class Statement {
public:
    explicit Statement(const odbc::ConnectionHandle& connection) : handle_(connection) {}

    void prepare(const char* sql) {
        check(SQLPrepare(handle(), text_of(sql), SQL_NTS), "preparing a statement");
    }

    void execute(Values values) {
        lengths_.resize(values.size());
        for (std::size_t at = 0; at < values.size(); ++at)
            bind(static_cast<SQLUSMALLINT>(at + 1), values[at], lengths_[at]);
        finish(SQLExecute(handle()));
    }

    void execute_directly(const char* sql) {
        finish(SQLExecDirect(handle(), text_of(sql), SQL_NTS));
    }

    std::size_t changed_rows() {
        SQLLEN rows = 0;
        check(SQLRowCount(handle(), &rows), "counting rows");
        return rows > 0 ? static_cast<std::size_t>(rows) : 0;
    }

    bool fetch() {
        const auto result = SQLFetch(handle());
        if (result == SQL_NO_DATA) return false;
        check(result, "reading a row");
        return true;
    }

    // False when the column is NULL.
    bool number(int column, std::int64_t& to) {
        SQLLEN length = 0;
        check(
            SQLGetData(handle(), place(column), SQL_C_SBIGINT, &to, sizeof to, &length),
            "reading a number");
        if (length == SQL_NULL_DATA) to = 0;
        return length != SQL_NULL_DATA;
    }

    // A value that is longer than the buffer comes in pieces, and the last piece is recognised by
    // its length. Each piece of a text ends with a zero.
    bool piecewise(int column, SQLSMALLINT type, std::string& to) {
        const std::size_t end = type == SQL_C_CHAR ? 1 : 0;
        to.clear();
        char piece[4096];
        for (;;) {
            SQLLEN length = 0;
            const auto result =
                SQLGetData(handle(), place(column), type, piece, sizeof piece, &length);
            if (result == SQL_NO_DATA) return true;
            check(result, "reading a value");
            if (length == SQL_NULL_DATA) return false;
            const bool more =
                length == SQL_NO_TOTAL || static_cast<std::size_t>(length) > sizeof piece - end;
            to.append(piece, more ? sizeof piece - end : static_cast<std::size_t>(length));
            if (!more) return true;
        }
    }

    void close() noexcept { SQLFreeStmt(handle(), SQL_CLOSE); }

private:
    SQLHSTMT handle() const { return handle_; }
    static SQLCHAR* text_of(const char* sql) {
        return reinterpret_cast<SQLCHAR*>(const_cast<char*>(sql));
    }
    static SQLUSMALLINT place(int column) { return static_cast<SQLUSMALLINT>(column + 1); }

    void bind(SQLUSMALLINT at, const Value& value, SQLLEN& length) {
        const bool number = value.kind == Value::Kind::number;
        const bool text = value.kind == Value::Kind::text;
        const SQLSMALLINT c_type = number ? SQL_C_SBIGINT : text ? SQL_C_CHAR : SQL_C_BINARY;
        const SQLSMALLINT sql_type = number ? SQL_BIGINT : text ? SQL_VARCHAR : SQL_LONGVARBINARY;
        const void* data = number ? static_cast<const void*>(&value.number) : value.data.data();
        const auto size = number ? sizeof value.number : value.data.size();
        length = value.null ? SQL_NULL_DATA : static_cast<SQLLEN>(size);
        check(
            SQLBindParameter(
                handle(), at, SQL_PARAM_INPUT, c_type, sql_type, std::max<SQLULEN>(1, size), 0,
                const_cast<void*>(data), static_cast<SQLLEN>(size), &length),
            "binding a value");
    }

    // "No data" is an answer: the statement found no row to change.
    void finish(SQLRETURN result) {
        if (result != SQL_NO_DATA) check(result, "running a statement");
    }

    void check(SQLRETURN result, const char* what) {
        if (SQL_SUCCEEDED(result)) return;
        const auto error = error_of(what, odbc::StatementDiagnostics(handle()));
        close();
        throw error;
    }

    odbc::StatementHandle handle_;
    std::vector<SQLLEN> lengths_;
};

class OdbcRow final : public Row {
public:
    explicit OdbcRow(Statement& statement) : statement_(statement) {}

protected:
    bool number(int column, std::int64_t& to) override { return statement_.number(column, to); }
    bool text(int column, std::string& to) override {
        return statement_.piecewise(column, SQL_C_CHAR, to);
    }
    bool bytes(int column, std::string& to) override {
        return statement_.piecewise(column, SQL_C_BINARY, to);
    }

private:
    Statement& statement_;
};

class OdbcSession final : public DbSession {
public:
    OdbcSession(const StoreConfig& config, const Host& host)
        : begin_(dialect_of(config.engine).begin),
          session_(new SilentSession(connection_string(config, host).reveal())) {
        for (const auto& setting : session_settings(config)) directly(setting.c_str());
        checks_transactions_ = config.engine == Engine::mariadb;
    }

    bool usable() const override { return true; }
    void begin() override {
        if (checks_transactions_ && !witness_) {
            witness_ = make();
            witness_->prepare("SELECT @@in_transaction");
        }
        run_for_transaction(begin_);
        in_transaction_ = true;
    }
    void commit() override { end("COMMIT"); }
    void roll_back() override { end("ROLLBACK"); }

    std::size_t run(const char* sql, Values values) override {
        if (values.empty()) { // a statement of a migration, which never runs again
            directly(sql);
            return 0;
        }
        return execute(sql, values, [](Statement& statement) { return statement.changed_rows(); });
    }

    std::size_t query(const char* sql, const RowReader& read_row, Values values) override {
        return execute(sql, values, [&](Statement& statement) {
            std::size_t rows = 0;
            for (; statement.fetch(); ++rows) {
                OdbcRow row(statement);
                read_row(row);
            }
            return rows;
        });
    }

private:
    using Statements = std::map<std::string, std::unique_ptr<Statement>, std::less<>>;

    void end(const char* sql) {
        in_transaction_ = false;
        run_for_transaction(sql);
    }

    // A statement that failed is dropped: after an error among its rows MariaDB's driver would
    // first wait, as long as it may, for the rest of them.
    template <class Finish>
    std::size_t execute(std::string_view sql, Values values, const Finish& finish) {
        const auto place = prepared(sql);
        auto& statement = *place->second;
        try {
            statement.execute(values);
            const auto rows = finish(statement);
            statement.close();
            return rows;
        } catch (...) {
            statements_.erase(place);
            throw;
        }
    }

    Statements::iterator prepared(std::string_view sql) {
        const auto known = statements_.find(sql);
        if (known != statements_.end()) return known;
        auto fresh = make();
        fresh->prepare(std::string(sql).c_str());
        const auto place = statements_.emplace(sql, std::move(fresh)).first;
        if (checks_transactions_ && in_transaction_) ensure_in_transaction();
        return place;
    }

    // A Galera node that rolls our transaction back for another node's while it prepares a
    // statement reports no error (MariaDB 10.11). The rest would run, and be committed, statement
    // by statement.
    void ensure_in_transaction() {
        auto witness = std::move(witness_); // comes back unless it fails
        std::int64_t there = 0;
        witness->execute({});
        while (witness->fetch()) witness->number(0, there);
        witness->close();
        witness_ = std::move(witness);
        if (there == 0)
            throw EngineError(EngineErrorKind::again, "the transaction gave way to another node's");
    }

    // fail: throws EngineError; Poco has no diagnostics for a statement handle that a dead session
    //       refuses
    std::unique_ptr<Statement> make() const {
        try {
            return std::make_unique<Statement>(session_->dbc());
        } catch (const Poco::Exception&) {
            throw EngineError(EngineErrorKind::lost, "the database session is gone");
        }
    }

    void directly(const char* sql) { make()->execute_directly(sql); }

    // BEGIN and COMMIT are most of the calls: they share one handle, which is dropped after a
    // failure.
    void run_for_transaction(const char* sql) {
        if (!transaction_statement_) transaction_statement_ = make();
        try {
            transaction_statement_->execute_directly(sql);
            transaction_statement_->close();
        } catch (...) {
            transaction_statement_.reset();
            throw;
        }
    }

    const char* begin_;
    bool checks_transactions_ = false;
    bool in_transaction_ = false;
    Poco::AutoPtr<SilentSession> session_;
    std::unique_ptr<Statement> witness_, transaction_statement_;
    Statements statements_; // of that session, so they are destroyed before it
};

std::unique_ptr<DbSession> open_host(const StoreConfig& config, const Host& host) {
    try {
        return std::make_unique<OdbcSession>(config, host);
    } catch (const EngineError& error) {
        throw EngineError(EngineErrorKind::away, error.what());
    } catch (const Poco::Exception& error) {
        throw EngineError(EngineErrorKind::away, connection_problem(error.displayText()));
    }
}

} // namespace

std::unique_ptr<DbSession> open_odbc(const StoreConfig& config) {
    std::string problems;
    for (const auto& host : config.hosts) {
        try {
            return open_host(config, host);
        } catch (const EngineError& error) {
            problems += (problems.empty() ? "" : "; ") + host.name + ":" +
                        std::to_string(host.port) + ": " + error.what();
        }
    }
    throw EngineError(EngineErrorKind::away, problems);
}

} // namespace consentgate::store
