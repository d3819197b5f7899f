#include "dialect.h"

#include "db_session.h"

#include "consentgate/core/base/text.h"

#include <Poco/RegularExpression.h>
#include <Poco/String.h>

namespace consentgate::store {
namespace {

std::string replace(std::string text, const char* pattern, const std::string& by) {
    Poco::RegularExpression(pattern).subst(text, by, Poco::RegularExpression::RE_GLOBAL);
    return text;
}

// SQLite ignores the lengths of columns; they cannot be changed and need not be.
std::string for_sqlite(std::string statement) {
    return replace(std::move(statement), "^\\s*ALTER TABLE \\w+ ALTER COLUMN \\w+ TYPE [^;]*$", "");
}

// COLLATE "C" makes ids compare and sort by their bytes, as on every engine. CHAR would be padded,
// and its index would not be used when a question mark is typed as text.
std::string for_postgresql(std::string statement) {
    statement = replace(std::move(statement), "\\bBLOB\\b", "BYTEA");
    return replace(std::move(statement), "\\b(?:VAR)?CHAR(\\(\\d+\\))", "VARCHAR$1 COLLATE \"C\"");
}

// nopad, because MariaDB's default collations find `a ` where `a` was asked for. utf8mb4, though
// ids are ASCII, because a request may send any text as an id, and it must be comparable with them.
std::string for_mariadb(std::string statement) {
    statement = replace(std::move(statement), "\\bBLOB\\b", "MEDIUMBLOB");
    statement = replace(
        std::move(statement), "^(\\s*CREATE (?:TABLE|(?:UNIQUE )?INDEX)) (?!IF)",
        "$1 IF NOT EXISTS ");
    statement = replace(std::move(statement), "\\bADD COLUMN (?!IF)", "ADD COLUMN IF NOT EXISTS ");
    statement = replace(
        std::move(statement), "\\bALTER COLUMN (\\w+) TYPE (.*)$", "MODIFY COLUMN $1 $2 NOT NULL");
    if (statement.find("CREATE TABLE") != std::string::npos)
        statement += " ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin";
    return statement;
}

constexpr Dialect sqlite{
    .begin = "",
    .count_schema_table =
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'",
    .migration_lock = "", // BEGIN IMMEDIATE is the lock
    .adapt = for_sqlite,
};

constexpr Dialect postgresql{
    .begin = "BEGIN",
    .count_schema_table =
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() "
        "AND table_name = 'schema_version'",
    .migration_lock =
        "SELECT count(pg_advisory_xact_lock(7239815246))", // any number that no other program locks
    .adapt = for_postgresql,
};

constexpr Dialect mariadb{
    .begin = "START TRANSACTION",
    .count_schema_table =
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = database() AND "
        "table_name = 'schema_version'",
    .migration_lock = "", // a lock of one node would not lock the others of a cluster
    .adapt = for_mariadb,
};

// A value as connection strings quote it.
std::string quoted(const std::string& value) { return "{" + Poco::replace(value, "}", "}}") + "}"; }

bool on_this_machine(const Host& host) {
    return host.name == "localhost" || host.name.starts_with("127.") || host.name == "::1" ||
           host.name.starts_with("/");
}

Tls protection(const StoreConfig& config, const Host& host) {
    if (config.tls != Tls::here) return config.tls;
    return on_this_machine(host) ? Tls::off : Tls::verify;
}

std::string authorities(const StoreConfig& config) {
    return config.tls_ca.empty() ? "/etc/ssl/certs/ca-certificates.crt" : config.tls_ca;
}

// Whole seconds, rounded up, for settings that take no fractions.
std::string seconds(std::chrono::milliseconds time) {
    return std::to_string(std::max<std::int64_t>(1, (time.count() + 999) / 1000));
}

constexpr const char* connect_seconds = "2";

// A value in libpq's own syntax.
std::string libpq_quoted(const std::string& value) {
    return "'" + Poco::replace(Poco::replace(value, "\\", "\\\\"), "'", "\\'") + "'";
}

std::string postgresql_string(const StoreConfig& config, const Host& host) {
    const auto tls = protection(config, host);
    const char* mode = tls == Tls::verify    ? "verify-full"
                       : tls == Tls::encrypt ? "require"
                                             : "disable";
    // Options of libpq itself: it refuses a standby, so that the next host is tried, and notices a
    // machine that has vanished.
    std::string options =
        std::string("connect_timeout=") + connect_seconds +
        " target_session_attrs=read-write tcp_user_timeout=" + std::to_string(config.wait.count()) +
        " keepalives_idle=5 keepalives_interval=2 keepalives_count=3";
    if (tls == Tls::verify) options += " sslrootcert=" + libpq_quoted(authorities(config));
    // Protocol=7.4-0 lets nothing run after an error until the rollback. By default the driver sets
    // a savepoint for each statement, at the cost of two round trips.
    return "DRIVER=PostgreSQL Unicode;SERVER=" + host.name + ";PORT=" + std::to_string(host.port) +
           ";DATABASE=" + config.name + ";UID=" + config.user +
           ";PWD=" + quoted(config.password.reveal()) + ";SSLmode=" + mode +
           ";pqopt=" + quoted(options) +
           ";Protocol=7.4-0;UseServerSidePrepare=1;ByteaAsLongVarBinary=1;BoolsAsChar=0;"
           "MaxVarcharSize=1048576;MaxLongVarcharSize=1048576;";
}

std::string mariadb_string(const StoreConfig& config, const Host& host) {
    const auto tls = protection(config, host);
    const auto where = host.name.starts_with("/")
                           ? "SOCKET=" + host.name
                           : "SERVER=" + host.name + ";PORT=" + std::to_string(host.port);
    std::string protect;
    if (tls == Tls::verify) protect = "FORCETLS=1;SSLVERIFY=1;SSLCA=" + authorities(config) + ";";
    if (tls == Tls::encrypt) protect = "FORCETLS=1;SSLVERIFY=0;";
    const auto& password = config.password.reveal();
    if (core::trim(password).size() != password.size())
        throw EngineError(
            EngineErrorKind::away,
            "MariaDB's driver cannot take a password that begins or ends with a blank");
    // OPTION=2 makes an UPDATE count the rows it found, as on the other engines, not only those
    // whose values it changed.
    return "DRIVER=MariaDB Unicode;" + where + ";DATABASE=" + config.name + ";UID=" + config.user +
           ";PWD=" + quoted(password) +
           ";OPTION=2;CHARSET=utf8mb4;CONN_TIMEOUT=" + connect_seconds +
           ";READ_TIMEOUT=" + seconds(config.wait) + ";WRITE_TIMEOUT=" + seconds(config.wait) +
           ";" + protect;
}

} // namespace

const Dialect& dialect_of(Engine engine) {
    switch (engine) {
    case Engine::sqlite: return sqlite;
    case Engine::postgresql: return postgresql;
    case Engine::mariadb: break;
    }
    return mariadb;
}

std::vector<std::string> session_settings(const StoreConfig& config) {
    const auto wait = std::to_string(
        std::max<std::int64_t>(100, config.wait.count())); // with 0, a server would wait for ever
    switch (config.engine) {
    case Engine::sqlite: return {};
    case Engine::postgresql:
        return {
            "SET statement_timeout = " + wait + "; SET lock_timeout = " + wait +
            "; SET idle_in_transaction_session_timeout = 30000"};
    case Engine::mariadb: break;
    }
    // wsrep_sync_wait makes a read see every commit that any node of a cluster has acknowledged
    // before; without a cluster it does nothing.
    return {
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', tx_isolation = "
        "'READ-COMMITTED', wsrep_sync_wait = 1, "
        "innodb_lock_wait_timeout = " +
            seconds(config.wait) + ", max_statement_time = " + seconds(config.wait),
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = database()"};
}

core::Secret connection_string(const StoreConfig& config, const Host& host) {
    return core::Secret(
        config.engine == Engine::postgresql ? postgresql_string(config, host)
                                            : mariadb_string(config, host));
}

} // namespace consentgate::store
