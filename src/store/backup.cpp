#include "consentgate/store/backup.h"

#include "database.h"

#include <Poco/String.h>

namespace consentgate::store {
namespace {

// Reads every page, every index and every row.
void check_copy(StoreConfig config, const std::string& file) {
    config.path = file;
    Database copy(config);
    const auto verdict = copy.read([&] {
        std::string first;
        copy.query("PRAGMA integrity_check(1)", [&](Row& row) { row.read_into(first); });
        return first;
    });
    if (verdict != "ok") throw StoreFailure("the copy is damaged: " + verdict);
}

void require_file(const StoreConfig& config) {
    if (config.engine == Engine::sqlite) return;
    throw StoreFailure(
        "backup copies an SQLite database, and this one is " + address_of(config) +
        "; copy it with " +
        (config.engine == Engine::postgresql ? "pg_dump --format=custom"
                                             : "mariadb-dump --single-transaction --hex-blob") +
        " (docs/databases.md)");
}

} // namespace

// A name with other signs than ASCII's is no value that a statement of ours may bind (Database::
// can_be_stored), so that the statement holds it.
void back_up(const StoreConfig& config, const std::string& file) {
    require_file(config);
    Database db(config);
    const auto statement =
        "VACUUM INTO '" + Poco::replace(file, std::string("'"), std::string("''")) + "'";
    db.read([&] { return db.run(statement.c_str()); });
    check_copy(config, file);
}

} // namespace consentgate::store
