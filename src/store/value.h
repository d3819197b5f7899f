// What goes into a statement's question marks and what comes out of its rows, the same for every engine; private to this
// room.
#pragma once

#include "consentgate/core/time.h"

#include <Poco/Nullable.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::store {

// Bytes of a column. Poco's own BLOB allocates three times for each, and a row has a dozen.
struct Blob {
    std::string bytes;
};
using MaybeBlob = Poco::Nullable<Blob>;
using MaybeText = Poco::Nullable<std::string>;
using MaybeTime = Poco::Nullable<Poco::Int64>;

// Long text is stored as BLOB: server engines over ODBC truncate or refuse long VARCHARs. Empty text is stored as NULL,
// because they refuse an empty BLOB or store it as NULL anyway.
Blob to_blob(std::string_view text);
MaybeBlob to_maybe_blob(std::string_view text);
std::string from_blob(const Blob& blob);
std::string from_blob(const MaybeBlob& blob);
MaybeTime to_maybe_time(const std::optional<core::Instant>& at);
std::optional<core::Instant> from_maybe_time(const MaybeTime& at);

// A look at one value for a question mark; the value itself must live until the statement has run. NULL has a kind too:
// PostgreSQL settles the type of a question mark at the statement's first execution.
struct Value {
    enum class Kind { number, text, bytes };

    Kind kind;
    bool null = false;
    std::int64_t number = 0;
    std::string_view data;

    Value(std::int64_t value) : kind(Kind::number), number(value) {}
    Value(int value) : kind(Kind::number), number(value) {}
    Value(const std::string& value) : kind(Kind::text), data(value) {}
    Value(const Blob& value) : kind(Kind::bytes), null(value.bytes.empty()), data(value.bytes) {}
    template <class T> Value(const Poco::Nullable<T>& value) : Value(value.isNull() ? absent(T{}) : Value(value.value())) {}

private:
    explicit Value(Kind nothing) : kind(nothing), null(true) {}
    static Value absent(Poco::Int64) { return Value(Kind::number); }
    static Value absent(const std::string&) { return Value(Kind::text); }
    static Value absent(const Blob&) { return Value(Kind::bytes); }
};
using Values = std::span<const Value>;

// One row of an answer, taken column by column from the first on. NULL leaves text empty and numbers 0.
class Row {
public:
    virtual ~Row() = default;
    template <class... To> void into(To&... to) { (take(at_++, to), ...); }

protected:
    // False when the column is NULL.
    virtual bool number(int column, std::int64_t& to) = 0;
    virtual bool text(int column, std::string& to) = 0;
    virtual bool bytes(int column, std::string& to) = 0;

private:
    bool take(int column, std::int64_t& to) { return number(column, to); }
    bool take(int column, std::string& to) { return text(column, to); }
    bool take(int column, Blob& to) { return bytes(column, to.bytes); }
    bool take(int column, int& to) {
        std::int64_t wide = 0;
        const bool there = number(column, wide);
        to = static_cast<int>(wide);
        return there;
    }
    template <class T> bool take(int column, Poco::Nullable<T>& to) {
        T value{};
        const bool there = take(column, value);
        if (there) to = std::move(value);
        else to.clear();
        return there;
    }
    template <class T> bool take(int column, std::vector<T>& to) { return take(column, to.emplace_back()); }

    int at_ = 0;
};
using TakeRow = std::function<void(Row&)>;

} // namespace consentgate::store
