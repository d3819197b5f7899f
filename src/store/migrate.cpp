#include "database.h"
#include "dialect.h"

#include "consentgate/core/base/secret.h"
#include "consentgate/core/base/text.h"

namespace consentgate::store {

namespace {

struct Migration {
    std::string_view name; // "0001_init"
    std::string_view sql;
};

// The Makefile makes it from sql/*.sql, in the order of their numbers.
constexpr Migration migrations[] = {
#include "migrations.inc"
};

int version_of(const Migration& migration) {
    return std::stoi(std::string(migration.name.substr(0, 4)));
}

// The statements of a file, without comment lines. A statement ends with a semicolon at the end of
// a line.
std::vector<std::string> statements_of(std::string_view sql) {
    std::vector<std::string> statements;
    std::string current;
    for (const auto& line : core::split(sql, '\n')) {
        const auto text = core::trim(line);
        if (text.starts_with("--")) continue;
        current += line + "\n";
        if (!text.ends_with(';')) continue;
        statements.push_back(current.substr(0, current.rfind(';')));
        current.clear();
    }
    return statements;
}

// Looks for the migration's row inside the transaction, under the lock: a second migrate waits
// there and then sees the row. Where there is no lock, the second one fails to insert its row,
// after statements that did nothing.
// out: whether this process applied it
template <class Lock>
bool apply(Database& db, const Migration& migration, const Lock& lock, core::Instant now) {
    const std::int64_t version = version_of(migration);
    const auto present = [&] {
        return db.has("SELECT 1 FROM schema_version WHERE version = ?", version);
    };
    const auto& dialect = dialect_of(db.config().engine);
    try {
        return Applied::yes == db.rewrite([&] {
            lock();
            if (present()) return Applied::no;
            for (const auto& statement : statements_of(migration.sql)) {
                if (const auto adapted = dialect.adapt(statement); !core::trim(adapted).empty())
                    db.run(adapted.c_str());
            }
            db.run(
                "INSERT INTO schema_version (version, name, digest, applied_at) VALUES (?, ?, "
                "?, ?)",
                version, std::string(migration.name), core::sha256(migration.sql).hex,
                core::epoch(now));
            return Applied::yes;
        });
    } catch (const StoreFailure&) {
        if (!db.read(present)) throw;
        return false;
    }
}

constexpr const char* create_schema_version =
    "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY, name "
    "VARCHAR(64) NOT NULL, digest CHAR(64) NOT "
    "NULL, applied_at BIGINT NOT NULL)";

} // namespace

int expected_schema_version() { return version_of(*(std::end(migrations) - 1)); }

std::vector<AppliedMigration> migrate(const StoreConfig& config, core::Instant now_at) {
    Database db(config, Create::yes);
    const auto& dialect = dialect_of(config.engine);
    const auto lock = [&] {
        if (*dialect.migration_lock != '\0') db.has(dialect.migration_lock);
    };
    db.rewrite([&] {
        lock();
        db.run(dialect.adapt(create_schema_version).c_str());
        return Applied::yes;
    });
    std::vector<AppliedMigration> applied;
    for (const auto& migration : migrations) {
        if (apply(db, migration, lock, now_at))
            applied.push_back({version_of(migration), std::string(migration.name)});
    }
    return applied;
}

} // namespace consentgate::store
