#include "database.h"

#include <cstdlib>
#include <stdexcept>

namespace consentgate::bench {
namespace {

constexpr std::chrono::minutes patience{10}; // for filling; the store's own would end it

constexpr const char* tables[] = {"flow", "session", "code"};

store::StoreConfig patient(store::StoreConfig config) {
    config.wait = patience;
    return config;
}

std::string both(std::size_t from, const char* between, std::size_t to) {
    return std::to_string(from) + between + std::to_string(to);
}

const Words sqlite{
    [](std::size_t from, std::size_t to) {
        return "(WITH RECURSIVE counted(n) AS (SELECT " +
               both(from, " UNION ALL SELECT n + 1 FROM counted WHERE n < ", to) +
               ") SELECT n FROM counted) AS numbers";
    },
    [](const std::string&) { return std::string("lower(hex(randomblob(32)))"); },
    "random()",
};

const Words postgresql{
    [](std::size_t from, std::size_t to) {
        return "generate_series(" + both(from, ", ", to) + ") AS numbers(n)";
    },
    [](const std::string& text) {
        return "encode(sha256(convert_to(" + text + ", 'UTF8')), 'hex')";
    },
    "random()",
};

const Words mariadb{
    [](std::size_t from, std::size_t to) {
        return "(SELECT seq AS n FROM seq_" + both(from, "_to_", to) + ") AS numbers";
    },
    [](const std::string& text) { return "sha2(" + text + ", 256)"; },
    "rand()",
};

} // namespace

store::StoreConfig config_of(const std::string& address) {
    static const auto queue = std::make_shared<store::WriterQueue>();
    store::StoreConfig config;
    if (const auto problem = store::read_address(address, config))
        throw std::runtime_error("the address of the database " + *problem);
    if (const char* password = std::getenv("CONSENTGATE_DATABASE_PASSWORD"))
        config.password = core::Secret(std::string(password));
    if (config.engine == store::Engine::sqlite) config.queue = queue;
    return config;
}

Database::Database(store::StoreConfig config) : db_(patient(std::move(config))) {}

void Database::run(const std::string& sql) {
    db_.read([&] { return db_.run(sql.c_str()); });
}

std::int64_t Database::number(const std::string& sql) {
    std::int64_t value = 0;
    db_.read(
        [&] { return db_.query(sql.c_str(), [&](store::Row& row) { row.read_into(value); }); });
    return value;
}

std::vector<std::string> Database::texts(const std::string& sql) {
    std::vector<std::string> values;
    db_.read(
        [&] { return db_.query(sql.c_str(), [&](store::Row& row) { row.read_into(values); }); });
    return values;
}

const Words& words_of(store::Engine engine) {
    return engine == store::Engine::sqlite       ? sqlite
           : engine == store::Engine::postgresql ? postgresql
                                                 : mariadb;
}

void truncate(Database& database) {
    for (const std::string table : tables) database.run("TRUNCATE TABLE " + table);
}

void analyze(Database& database, store::Engine engine) {
    for (const std::string table : tables) {
        database.run(
            (engine == store::Engine::sqlite       ? "ANALYZE "
             : engine == store::Engine::postgresql ? "VACUUM (ANALYZE) "
                                                   : "ANALYZE TABLE ") +
            table);
    }
}

} // namespace consentgate::bench
