#include "statement.h"

#include <Poco/Data/SQLite/Utility.h>

namespace consentgate::store {

using Poco::Data::SQLite::Utility;

void Binder::add(const std::string& text) {
    sqlite3_bind_text(statement_, ++at_, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

void Binder::add(const Poco::Data::BLOB& blob) {
    ++at_;
    if (blob.size() > 0) sqlite3_bind_blob(statement_, at_, blob.rawContent(), static_cast<int>(blob.size()), SQLITE_STATIC);
}

void Binder::add(std::int64_t number) { sqlite3_bind_int64(statement_, ++at_, number); }

void Row::take(int column, std::string& to) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    to.assign(text == nullptr ? "" : text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

void Row::take(int column, Poco::Data::BLOB& to) {
    const auto* bytes = static_cast<const unsigned char*>(sqlite3_column_blob(statement_, column));
    to = Poco::Data::BLOB(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

void Row::take(int column, std::int64_t& to) { to = sqlite3_column_int64(statement_, column); }
void Row::take(int column, int& to) { to = sqlite3_column_int(statement_, column); }

sqlite3_stmt* Statements::get(sqlite3* database, std::string_view sql) {
    const auto known = known_.find(sql);
    if (known != known_.end()) return known->second;
    sqlite3_stmt* fresh = nullptr;
    const int result = sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &fresh, nullptr);
    if (result != SQLITE_OK) Utility::throwException(database, result);
    return known_.emplace(sql, fresh).first->second;
}

void Statements::clear() noexcept {
    for (const auto& [sql, statement] : known_) sqlite3_finalize(statement);
    known_.clear();
}

bool next_row(sqlite3_stmt* statement) {
    const int result = sqlite3_step(statement);
    if (result == SQLITE_ROW) return true;
    if (result != SQLITE_DONE) Utility::throwException(sqlite3_db_handle(statement), result);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement); // they pointed at values that are about to go
    return false;
}

} // namespace consentgate::store
