// Prepared statements on a Poco session, kept for the connection's life; private to this room.
//
// Poco prepares a statement again at every execution, which was half of what a request cost. These use the session's own
// handle instead, with Poco's value types and its exceptions.
#pragma once

#include <Poco/Data/LOB.h>
#include <Poco/Nullable.h>

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::store {

// Values for the question marks, from the first on. They must live until the statement has run.
class Binder {
public:
    explicit Binder(sqlite3_stmt* statement) : statement_(statement) {}
    void add(const std::string& text);
    void add(const Poco::Data::BLOB& blob); // an empty one becomes NULL, as everywhere
    void add(std::int64_t number);
    void add(int number) { add(std::int64_t{number}); }
    template <class T> void add(const Poco::Nullable<T>& value) {
        if (value.isNull()) ++at_;
        else add(value.value());
    }

private:
    sqlite3_stmt* statement_;
    int at_ = 0; // what is not bound is NULL
};

// One row of an answer, taken column by column. NULL leaves text empty and numbers 0.
class Row {
public:
    explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
    template <class... To> void into(To&... to) { (take(at_++, to), ...); }

private:
    void take(int column, std::string& to);
    void take(int column, Poco::Data::BLOB& to);
    void take(int column, std::int64_t& to);
    void take(int column, int& to);
    template <class T> void take(int column, Poco::Nullable<T>& to) {
        to.clear();
        if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return;
        T value{};
        take(column, value);
        to = value;
    }
    template <class T> void take(int column, std::vector<T>& to) { take(column, to.emplace_back()); }

    sqlite3_stmt* statement_;
    int at_ = 0;
};

// The statements of one connection by their text. Clear it before the connection is closed.
class Statements {
public:
    Statements() = default;
    ~Statements() { clear(); }
    Statements(const Statements&) = delete;
    Statements& operator=(const Statements&) = delete;

    sqlite3_stmt* get(sqlite3* database, std::string_view sql); // fail: throws Poco's exceptions
    void clear() noexcept;

private:
    std::map<std::string, sqlite3_stmt*, std::less<>> known_;
};

// The next row; false at the end, when the statement is ready to run again. fail: throws Poco's exceptions
bool next_row(sqlite3_stmt* statement);

} // namespace consentgate::store
