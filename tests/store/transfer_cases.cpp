// Moving rows from engine to engine: every value survives, nothing is overwritten, and no column is
// forgotten.
#include "sample.h"

#include "consentgate/store/transfer.h"
#include "store/database.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

using namespace consentgate;
using namespace consentgate::tests;
using store::Column;
using store::Record;
using store::Table;
using store::Transfer;

namespace {

// A column as the database knows it.
struct SchemaColumn {
    std::string table, name, type;
    int nullable = 0, in_key = 0;
};

std::string schema_query(store::Engine engine) {
    if (engine == store::Engine::sqlite) {
        return "SELECT t.name, c.name, lower(c.type), 1 - c.\"notnull\", c.pk FROM "
               "sqlite_master t JOIN pragma_table_info(t.name) c "
               "WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' ORDER BY t.name, c.cid";
    }
    const std::string here =
        engine == store::Engine::postgresql ? "current_schema()" : "database()";
    return "SELECT c.table_name, c.column_name, c.data_type, CASE WHEN c.is_nullable = 'YES' "
           "THEN 1 ELSE 0 END, "
           "CASE WHEN k.column_name IS NULL THEN 0 ELSE 1 END FROM information_schema.columns c "
           "LEFT JOIN (SELECT u.table_name, u.column_name FROM "
           "information_schema.key_column_usage u JOIN information_schema.table_constraints t "
           "ON t.table_schema = u.table_schema AND t.table_name = u.table_name AND "
           "t.constraint_name = u.constraint_name "
           "WHERE t.constraint_type = 'PRIMARY KEY' AND u.table_schema = " +
           here +
           ") k "
           "ON k.table_name = c.table_name AND k.column_name = c.column_name "
           "WHERE c.table_schema = " +
           here + " ORDER BY c.table_name, c.ordinal_position";
}

std::vector<SchemaColumn> schema_of(const store::StoreConfig& config) {
    store::Database db(config);
    return db.read([&] {
        std::vector<SchemaColumn> columns;
        db.query(schema_query(config.engine).c_str(), [&](store::Row& row) {
            auto& column = columns.emplace_back();
            row.read_into(column.table, column.name, column.type, column.nullable, column.in_key);
        });
        return columns;
    });
}

std::vector<SchemaColumn> columns_in(
    const std::vector<SchemaColumn>& schema, const std::string& table) {
    std::vector<SchemaColumn> found;
    std::copy_if(schema.begin(), schema.end(), std::back_inserter(found), [&](const auto& column) {
        return column.table == table;
    });
    return found;
}

Column::Kind kind_of(const std::string& type) {
    if (type.find("int") != std::string::npos) return Column::Kind::number;
    return type.find("char") != std::string::npos ? Column::Kind::text : Column::Kind::bytes;
}

const Table& table_of(const std::string& name) {
    const auto tables = store::transfer_tables();
    return *std::find_if(
        tables.begin(), tables.end(), [&](const auto& table) { return table.name == name; });
}

std::vector<std::string> odd_bytes() {
    std::string all;
    for (int i = 0; i < 20000; ++i) all += static_cast<char>(i * 7);
    return {
        all, "S\xC3\xA4mple \xE2\x82\xAC \xF0\x9F\x98\x80", std::string("\xFF\xFE\x00\x80", 4),
        std::string(1, '\0'), "it's \"quoted\" \\ and\r\ndivided;"};
}

// in: bare  NULL wherever it may be
Record sample_row(
    const std::vector<SchemaColumn>& schema, const Table& table, bool bare,
    const std::string& bytes, std::int64_t number) {
    Record record;
    for (const auto& column : columns_in(schema, table.name)) {
        const auto kind = kind_of(column.type);
        if (bare && column.nullable == 1)
            record.emplace_back();
        else if (kind == Column::Kind::number)
            record.emplace_back(column.type == "smallint" ? std::int64_t{1} : number);
        else if (kind == Column::Kind::bytes)
            record.emplace_back(bytes);
        else if (column.name == "registration" || column.name == "state")
            record.emplace_back(fresh_id().substr(0, 8) + "'\"\\ ;%"); // at most 16
        else
            record.emplace_back(
                column.in_key == 1               ? fresh_digest().hex
                : column.name == "identity_kind" ? std::string()
                                                 : fresh_id() + "'\"\\ ;%");
    }
    return record;
}

std::size_t associated_data(const Table& table, const std::string& column) {
    const auto found =
        std::find_if(table.columns.begin(), table.columns.end(), [&](const auto& known) {
            return known.name == column;
        });
    return static_cast<std::size_t>(found - table.columns.begin());
}

void sort_by_key(std::vector<Record>& records) {
    std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) {
        return store::key_of(a) < store::key_of(b);
    });
}

std::vector<Record> fresh_sessions(const store::StoreConfig& config, std::size_t count) {
    const auto schema = schema_of(config);
    std::vector<Record> records;
    while (records.size() < count)
        records.push_back(sample_row(schema, table_of("session"), false, "x", 1));
    sort_by_key(records);
    return records;
}

// The message of the exception that put() throws.
template <class Failure>
std::string complaint(
    Transfer& transfer, const std::string& table, const std::vector<Record>& records) {
    try {
        transfer.put(table_of(table), records);
    } catch (const Failure& failure) {
        return failure.what();
    }
    return {};
}

} // namespace

STORE_CASE(every_table_and_column_of_the_schema_is_moved, "O3") {
    const auto [config, other] = database.empty_database();
    store::migrate(config, noon);
    const auto schema = schema_of(config);
    std::set<std::string> missing;
    for (const auto& column : schema) missing.insert(column.table);
    BOOST_TEST(missing.erase("schema_version") == 1);
    for (const auto& table : store::transfer_tables()) {
        BOOST_TEST(
            missing.erase(table.name) == 1,
            table.name << " is no table of the schema, or listed twice");
        const auto columns = columns_in(schema, table.name);
        BOOST_TEST_REQUIRE(columns.size() == table.columns.size(), table.name);
        for (std::size_t at = 0; at < columns.size(); ++at) {
            BOOST_TEST(columns[at].name == table.columns[at].name);
            BOOST_TEST(
                (kind_of(columns[at].type) == table.columns[at].kind),
                table.name << "." << columns[at].name);
            BOOST_TEST(
                (columns[at].in_key == 1) == (at == 0), table.name << "." << columns[at].name);
        }
    }
    for (const auto& table : missing) BOOST_ERROR("the table " + table + " is not moved");
}

STORE_CASE(every_value_that_is_moved_comes_back_as_it_was, "O3") {
    Transfer transfer(database.config());
    const auto schema = schema_of(database.config());
    for (const auto& table : store::transfer_tables()) {
        std::vector<Record> records;
        for (const auto& bytes : odd_bytes())
            records.push_back(
                sample_row(schema, table, false, bytes, std::numeric_limits<std::int64_t>::max()));
        for (const auto& bytes : odd_bytes())
            records.push_back(
                sample_row(schema, table, true, bytes, std::numeric_limits<std::int64_t>::min()));
        sort_by_key(records);
        const auto loaded = transfer.put(table, records);
        BOOST_TEST(loaded.inserted == records.size());
        BOOST_TEST(loaded.present == 0);
        for (const auto& record : records)
            BOOST_TEST((transfer.find(table, store::key_of(record)) == record), table.name);
    }
    BOOST_TEST(!transfer.find(table_of("client"), "nobody").has_value());
}

STORE_CASE(rows_that_are_there_already_are_counted_and_the_others_loaded, "O3") {
    Transfer transfer(database.config());
    const auto& table = table_of("session");
    const auto all = fresh_sessions(database.config(), 120);
    std::vector<Record> some;
    for (std::size_t at = 0; at < all.size(); at += 3) some.push_back(all[at]);
    BOOST_TEST(transfer.put(table, some).inserted == 40);
    const auto loaded = transfer.put(table, all);
    BOOST_TEST(loaded.inserted == 80);
    BOOST_TEST(loaded.present == 40);
    const auto again = transfer.put(table, all);
    BOOST_TEST(again.inserted == 0);
    BOOST_TEST(again.present == 120);
    for (const auto& record : all)
        BOOST_TEST((transfer.find(table, store::key_of(record)) == record));
    BOOST_TEST(transfer.put(table, {}).inserted == 0);
}

STORE_CASE(a_row_that_differs_is_refused_by_name_and_its_batch_leaves_nothing, "O3") {
    Transfer transfer(database.config());
    const auto& table = table_of("session");
    auto records = fresh_sessions(database.config(), 60);
    transfer.put(table, std::span(records).subspan(30, 1));
    const auto stored = records[30];
    const std::map<std::string, store::Field> others{
        {"client_id", "another"},
        {"resource", "X"},
        {"revoked_at", {}},
        {"created_at", std::int64_t{2}}};
    for (const auto& [column, value] : others) {
        records[30] = stored;
        records[30][associated_data(table, column)] = value;
        const auto said = complaint<store::RowDiffers>(transfer, "session", records);
        BOOST_TEST(
            said == "session '" + store::key_of(stored) + "' is there already, and different");
        BOOST_TEST((transfer.find(table, store::key_of(stored)) == stored));
        for (const std::size_t at : {0, 29, 31, 59})
            BOOST_TEST(!transfer.find(table, store::key_of(records[at])).has_value());
    }
}

STORE_CASE(
    a_row_whose_unique_value_another_has_is_refused_by_name_and_its_batch_leaves_nothing, "O3") {
    Transfer transfer(database.config());
    const auto& table = table_of("session");
    auto records = fresh_sessions(database.config(), 61);
    const auto other = records.back();
    transfer.put(table, {&other, 1});
    records.pop_back();
    for (const auto* column : {"flow_id", "token_hash"}) {
        const auto before = records[40];
        records[40][associated_data(table, column)] = other[associated_data(table, column)];
        BOOST_TEST(complaint<store::StoreFailure>(transfer, "session", records)
                       .starts_with("session '" + store::key_of(records[40]) + "': "));
        for (const auto& record : records)
            BOOST_TEST(!transfer.find(table, store::key_of(record)).has_value());
        records[40] = before;
    }
    BOOST_TEST(transfer.put(table, records).inserted == 60);
}

STORE_CASE(a_batch_that_fails_at_any_statement_leaves_nothing_and_can_be_loaded_again, "O3") {
    const auto& table = table_of("session");
    const auto records =
        fresh_sessions(database.config(), 53); // two INSERTs of many rows and three of one
    Transfer whole(database.config());
    int broken = 0; // from this statement on everything fails
    for (bool loaded = false; !loaded; ++broken) {
        int statement = 0;
        auto config = database.config();
        config.before_statement = [&](std::string_view) {
            if (statement++ >= broken) throw std::runtime_error("broken");
        };
        Transfer transfer(config);
        try {
            loaded = transfer.put(table, records).inserted == records.size();
            BOOST_TEST(loaded);
        } catch (const store::StoreFailure&) {
            for (const auto& record : records)
                BOOST_TEST(!whole.find(table, store::key_of(record)).has_value());
        }
        BOOST_TEST_REQUIRE(broken < 30);
    }
    BOOST_TEST(broken > 7); // BEGIN, at least one look, five INSERTs, COMMIT
    BOOST_TEST(whole.put(table, records).present == records.size());
}

STORE_CASE(rows_are_read_in_the_order_of_their_keys_bytes, "O3") {
    Transfer transfer(database.config());
    const auto& table = table_of("session");
    const auto prefix = fresh_id();
    const std::vector<std::string> ends{"",   "-",  "--", "-a", "0", "9",  "9a", "A",
                                        "A-", "AA", "Aa", "Z",  "_", "_A", "a",  "a-",
                                        "a0", "aA", "a_", "aa", "z", "~"};
    auto records = fresh_sessions(database.config(), ends.size());
    for (std::size_t at = 0; at < ends.size(); ++at) records[at][0] = prefix + ends[at];
    transfer.put(table, records);
    for (const std::size_t limit : {1, 2, 7, 500}) {
        std::vector<Record> read;
        for (std::string after = prefix.substr(0, prefix.size() - 1);;) {
            const auto page = transfer.read(table, after, limit);
            BOOST_TEST(page.size() <= limit);
            for (const auto& record : page) {
                if (store::key_of(record).starts_with(prefix)) read.push_back(record);
            }
            BOOST_TEST_REQUIRE(read.size() <= records.size());
            if (page.size() < limit || store::key_of(page.back()) > prefix + "~") break;
            after = store::key_of(page.back());
        }
        BOOST_TEST((read == records), limit << " at once");
    }
}

STORE_CASE(all_rows_are_read_from_the_first_on, "O3") {
    const auto [config, other] = database.empty_database();
    store::migrate(config, noon);
    Transfer transfer(config);
    const auto& table = table_of("session");
    const auto records = fresh_sessions(config, 7);
    BOOST_TEST(transfer.read(table, "", 3).empty());
    transfer.put(table, records);
    BOOST_TEST((transfer.read(table, "", 500) == records));
    BOOST_TEST((transfer.read(table, "", 3) == std::vector(records.begin(), records.begin() + 3)));
    BOOST_TEST(
        (transfer.read(table, store::key_of(records[2]), 500) ==
         std::vector(records.begin() + 3, records.end())));
    BOOST_TEST(transfer.read(table, store::key_of(records[6]), 500).empty());
}

// migrate notes the keys of the key file on the new side, before the rows of the old side come.
STORE_CASE(a_server_key_that_migrate_noted_takes_the_date_that_comes_in_and_nothing_else, "O3") {
    Transfer transfer(database.config());
    const auto& table = table_of("server_key");
    const auto id = fresh_id();
    const auto fingerprint = fresh_digest();
    database.open()->server_keys.put({core::KeyId(id), fingerprint}, noon);
    const std::vector<Record> older{{id, fingerprint.hex, std::int64_t{1}, {}}};
    BOOST_TEST(transfer.put(table, older).present == 1);
    BOOST_TEST((transfer.find(table, id) == older[0]));
    const std::vector<Record> another{{id, fresh_digest().hex, std::int64_t{1}, {}}};
    BOOST_TEST(complaint<store::RowDiffers>(transfer, "server_key", another)
                   .starts_with("server_key '" + id + "' "));
    BOOST_TEST((transfer.find(table, id) == older[0]));
}
