#include "sql_store.h"

#include "consentgate/core/secret.h"
#include "consentgate/core/text.h"

namespace consentgate::store {

namespace {

struct Migration {
    std::string_view name; // "0001_init"
    std::string_view sql;
};

// Made from sql/*.sql by the Makefile, in order of their numbers.
constexpr Migration migrations[] = {
#include "migrations.inc"
};

int version_of(const Migration& migration) { return std::stoi(std::string(migration.name.substr(0, 4))); }

// Statements of a file, which end with a semicolon at the end of a line; comment lines are left out.
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

constexpr const char* create_schema_version =
    "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY, name VARCHAR(64) NOT NULL, digest CHAR(64) NOT "
    "NULL, applied_at BIGINT NOT NULL)";

} // namespace

int expected_schema_version() { return version_of(*(std::end(migrations) - 1)); }

std::unique_ptr<Store> open_store(StoreConfig config) { return std::make_unique<SqlStore>(std::move(config)); }

std::vector<Applied> migrate(const StoreConfig& config, core::Instant now_at) {
    Connection db(config, Connection::Create::yes);
    std::vector<Applied> applied;
    db.write([&] { db.run(create_schema_version); });
    for (const auto& migration : migrations) {
        const std::int64_t version = version_of(migration);
        // Asked inside the transaction, which holds the writer's lock: a second migrate waits here and then sees the row.
        const bool ran = db.write([&] {
            int present = 0;
            db.query("SELECT count(*) FROM schema_version WHERE version = ?",
                     [&](Row& columns) { columns.into(present); }, version);
            if (present != 0) return false;
            for (const auto& statement : statements_of(migration.sql)) db.run(statement.c_str());
            db.run("INSERT INTO schema_version (version, name, digest, applied_at) VALUES (?, ?, ?, ?)", version,
                   std::string(migration.name), core::sha256(migration.sql).hex, core::epoch(now_at));
            return true;
        });
        if (ran) applied.push_back({static_cast<int>(version), std::string(migration.name)});
    }
    return applied;
}

} // namespace consentgate::store
