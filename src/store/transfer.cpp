#include "consentgate/store/transfer.h"

#include "access_tables.h"
#include "account_tables.h"
#include "client_tables.h"
#include "flow_table.h"
#include "idp_table.h"
#include "once_tables.h"
#include "resource_server_table.h"
#include "server_key_table.h"
#include "session_table.h"
#include "signin_tables.h"
#include "token_tables.h"
#include "virtual_key_table.h"

#include <algorithm>

namespace consentgate::store {
namespace {

using enum Column::Kind;

template <class Entity> constexpr Table exported(const char* noted_by_migrate = nullptr) {
    return {table_of<Entity>.name, exported_columns<Entity>, noted_by_migrate};
}

// Server keys first: with the wrong key file it is better to stop before the rest.
// tests/store/transfer_cases.cpp holds the columns against the schema.
constexpr Table tables[] = {
    exported<core::ServerKeyRecord>("created_at"),
    exported<core::Client>(),
    exported<ClientAssertion>(),
    exported<core::ResourceServer>(),
    exported<ClientDocument>(),
    exported<core::VirtualKey>(),
    exported<FormerKey>(),
    exported<core::Service>(),
    exported<core::FormerRegistration>(),
    exported<core::Flow>(),
    exported<core::Session>(),
    exported<core::IssuedCode>(),
    exported<core::RefreshToken>(),
    exported<core::AccessToken>(),
    exported<core::OldSeals>(),
    exported<core::LinkedAccount>(),
    exported<core::UpstreamState>(),
    exported<UsedLink>(),
    exported<core::Person>(),
    exported<core::SigninState>(),
    exported<core::BrowserSignin>(),
    exported<core::SigninTrial>(),
    exported<core::Rule>(),
    exported<core::TeamMember>(),
    exported<PolicyVersion>(),
    exported<core::IdentityProvider>(),
    exported<UsedLogoutToken>(),
    exported<core::ProviderGrant>(),
};

// One statement for each row would spend most of the time on round trips.
constexpr std::size_t rows_of_a_statement = 25;

// One text for each column, with commas between.
template <class Write> std::string listed(const Table& table, const Write& write) {
    std::string list;
    for (const auto& column : table.columns)
        list += (list.empty() ? "" : ", ") + std::string(write(column));
    return list;
}

std::string names(const Table& table) {
    return listed(table, [](const Column& column) { return column.name; });
}

template <class T> Field field_of(std::optional<T> value) {
    return value ? Field(std::move(*value)) : Field();
}

Field read_field(Row& row, Column::Kind kind) {
    std::optional<std::int64_t> whole;
    std::optional<std::string> words;
    std::string long_words;
    switch (kind) {
    case number: row.read_into(whole); return field_of(whole);
    case text: row.read_into(words); return field_of(std::move(words));
    case bytes: row.read_into(from_blob(long_words)); break;
    }
    return long_words.empty() ? Field() : Field(std::move(long_words));
}

Value value_of(const Field& field, Column::Kind kind) {
    if (const auto* value = std::get_if<std::int64_t>(&field)) return Value(*value);
    const auto* data = std::get_if<std::string>(&field);
    if (data == nullptr)
        return Value::absent(
            kind == number ? Value::Kind::number
            : kind == text ? Value::Kind::text
                           : Value::Kind::bytes);
    return kind == text ? Value(*data) : Value(to_blob(*data));
}

// Rows in the order of their keys' bytes, which is the order of every engine's index. The limit
// stands in the text, because a planner that does not know the limit would sort the table.
// in: compare  " > ?", " >= ?" or " = ?"
std::vector<Record> page(
    Database& db, const Table& table, const char* compare, const std::string& key,
    std::size_t limit) {
    const std::string id = table.columns.front().name;
    const auto sql = "SELECT " + names(table) + " FROM " + table.name + " WHERE " + id + compare +
                     " ORDER BY " + id + " LIMIT " + std::to_string(limit);
    std::vector<Record> records;
    const auto add = [&](Row& row) {
        auto& record = records.emplace_back();
        for (const auto& column : table.columns) record.push_back(read_field(row, column.kind));
    };
    db.query(sql.c_str(), add, key);
    return records;
}

// Calls `meet` with the place of each record whose key the database has, and with the stored row.
// Both sides are in the order of their keys, so that one pass over both finds them.
template <class Meet>
void look(Database& db, const Table& table, std::span<const Record> records, const Meet& meet) {
    if (records.empty()) return;
    auto stored = page(db, table, " >= ?", key_of(records.front()), records.size());
    for (std::size_t at = 0;;) {
        for (const auto& row : stored) {
            while (at < records.size() && key_of(records[at]) < key_of(row)) ++at;
            if (at == records.size()) return;
            if (key_of(records[at]) == key_of(row)) meet(at, row);
        }
        if (stored.size() < records.size() || key_of(stored.back()) >= key_of(records.back()))
            return;
        stored = page(db, table, " > ?", std::string(key_of(stored.back())), records.size());
    }
}

void insert(Database& db, const Table& table, std::span<const Record* const> records) {
    const auto places = "(" + listed(table, [](const Column&) { return "?"; }) + ")";
    auto sql =
        std::string("INSERT INTO ") + table.name + " (" + names(table) + ") VALUES " + places;
    for (std::size_t more = 1; more < records.size(); ++more) sql += ", " + places;
    std::vector<Value> values;
    for (const auto* record : records) {
        for (std::size_t at = 0; at < record->size(); ++at)
            values.push_back(value_of((*record)[at], table.columns[at].kind));
    }
    db.run(sql.c_str(), Values(values));
}

// The place of the column that migrate fills; past the end in a table without one.
std::size_t noted_column(const Table& table) {
    const std::string_view noted = table.noted_by_migrate == nullptr ? "" : table.noted_by_migrate;
    const auto found =
        std::find_if(table.columns.begin(), table.columns.end(), [&](const Column& column) {
            return column.name == noted;
        });
    return static_cast<std::size_t>(found - table.columns.begin());
}

bool same_but_for(std::size_t column, Record stored, const Record& record) {
    if (column == stored.size()) return false;
    stored[column] = record[column];
    return stored == record;
}

void replace(Database& db, const Table& table, std::size_t column, const Record& record) {
    const Value values[] = {
        value_of(record[column], table.columns[column].kind), Value(key_of(record))};
    const auto sql = std::string("UPDATE ") + table.name + " SET " + table.columns[column].name +
                     " = ? WHERE " + table.columns.front().name + " = ?";
    db.run(sql.c_str(), Values(values));
}

std::string row_name(const Table& table, const Record& record) {
    return std::string(table.name) + " '" + key_of(record) + "'";
}

// One try to load a batch, inside its transaction: it reads first, then writes.
struct Load {
    const Table& table;
    std::span<const Record> records;
    std::size_t at_once; // rows of one INSERT
    Loaded loaded{};
    const Record* differs =
        nullptr; // the first whose key another row has; then nothing was written
    std::span<const Record* const> current{}; // being inserted
    std::vector<const Record*> fresh{}, noted{};

    Applied run(Database& db) {
        const auto note = noted_column(table);
        std::size_t next = 0;
        look(db, table, records, [&](std::size_t at, const Record& stored) {
            for (; next < at; ++next) fresh.push_back(&records[next]);
            next = at + 1;
            if (stored == records[at]) return;
            if (same_but_for(note, stored, records[at]))
                noted.push_back(&records[at]);
            else if (differs == nullptr)
                differs = &records[at];
        });
        for (; next < records.size(); ++next) fresh.push_back(&records[next]);
        if (differs != nullptr) return Applied::no;
        for (const auto* record : noted) replace(db, table, note, *record);
        for (std::size_t at = 0; at < fresh.size(); at += current.size()) {
            const bool full = fresh.size() - at >= at_once;
            current = std::span(fresh).subspan(
                at, full ? at_once : 1); // so that there are two statements, prepared once
            insert(db, table, current);
        }
        current = {};
        loaded = {fresh.size(), records.size() - fresh.size()};
        return Applied::yes;
    }
};

} // namespace

std::span<const Table> transfer_tables() { return tables; }

Transfer::Transfer(StoreConfig config) : db_(std::make_unique<Database>(std::move(config))) {}
Transfer::~Transfer() = default;

std::vector<Record> Transfer::read(
    const Table& table, const std::string& after, std::size_t limit) {
    return db_->read([&] { return page(*db_, table, " > ?", after, limit); });
}

std::optional<Record> Transfer::find(const Table& table, const std::string& key) {
    return db_->read([&] {
        const auto records = page(*db_, table, " = ?", key, 1);
        return records.empty() ? std::nullopt : std::optional(records.front());
    });
}

// When it runs again after a lost answer to the commit, it finds its own rows and counts them as
// present.
Loaded Transfer::put(const Table& table, std::span<const Record> records) {
    std::optional<Load> load;
    for (const auto at_once :
         {rows_of_a_statement, std::size_t{1}}) { // one by one, to find the row that fails
        load.reset();
        try {
            db_->rewrite([&] { return load.emplace(Load{table, records, at_once}).run(*db_); });
            break;
        } catch (const StoreFailure& failure) {
            const auto tried = load ? load->current.size() : 0;
            if (tried > 1) continue;
            if (tried == 0) throw;
            throw StoreFailure(
                row_name(table, *load->current.front()) + ": " + failure.what(),
                failure.outcome_known());
        }
    }
    if (load->differs != nullptr)
        throw RowDiffers(row_name(table, *load->differs) + " is there already, and different");
    return load->loaded;
}

} // namespace consentgate::store
