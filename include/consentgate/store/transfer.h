// Moves a database to another engine: every row of every table, as values that are the same on all
// engines.
//
// It does not know the meaning of a row; a hash or a ciphertext is copied as it is. No other
// process may write meanwhile, because each call sees the database as it is then.
#pragma once

#include "consentgate/store/open.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace consentgate::store {

class Database;

struct Column {
    enum class Kind { number, text, bytes };

    const char* name;
    Kind kind;
};

struct Table {
    const char* name;
    std::span<const Column> columns; // the primary key, a text, is the first
    // A column that `migrate` fills by itself. In a row that differs in this column alone, the
    // loaded value replaces the stored one.
    const char* noted_by_migrate = nullptr;
};

// All tables but schema_version, in the order in which they are moved.
std::span<const Table> transfer_tables();

// Absent where the column is NULL. Bytes are a string too, and never empty, because an empty long
// text is NULL (sql/RECORDS.md).
using Field = std::variant<std::monostate, std::int64_t, std::string>;
using Record = std::vector<Field>; // in the order of the table's columns

inline const std::string& key_of(const Record& record) {
    return std::get<std::string>(record.front());
}

struct Loaded {
    std::size_t inserted = 0, present = 0; // present: the same row was there already
};

// The database has another row with the key of a record. The text names table and key.
class RowDiffers : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Every verb throws StoreFailure.
class Transfer {
public:
    explicit Transfer(StoreConfig config);
    ~Transfer();
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    // At most `limit` rows whose keys come after `after` (empty: from the first on), in the order
    // of their keys' bytes.
    std::vector<Record> read(const Table& table, const std::string& after, std::size_t limit);
    std::optional<Record> find(const Table& table, const std::string& key);
    // Inserts the records that are not there yet, all of them or none.
    // in:   records  in the order of their keys' bytes, each key once
    // fail: throws RowDiffers, and StoreFailure whose text names the row
    Loaded put(const Table& table, std::span<const Record> records);

private:
    std::unique_ptr<Database> db_;
};

} // namespace consentgate::store
