// Values for a statement's question marks, and rows of its answer, the same for every engine;
// private to this module.
#pragma once

#include "consentgate/core/base/ids.h"
#include "consentgate/core/base/secret.h"
#include "consentgate/core/base/time.h"

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::store {

// Long text is stored as BLOB: server engines over ODBC truncate or refuse long VARCHARs. Empty
// text is stored as NULL, because they refuse an empty BLOB or store it as NULL anyway.
struct ToBlob {
    std::string_view text;
};
struct FromBlob {
    std::string& text;
};
inline ToBlob to_blob(std::string_view text) { return {text}; }
inline FromBlob from_blob(std::string& text) { return {text}; }

// A view of one value for a question mark; the value itself must live until the statement has run.
// NULL has a kind too, because PostgreSQL fixes the type of a question mark at the statement's
// first execution.
struct Value {
    enum class Kind { number, text, bytes };

    Kind kind;
    bool null = false;
    std::int64_t number = 0;
    std::string_view data;

    Value(std::integral auto value)
        : kind(Kind::number), number(static_cast<std::int64_t>(value)) {}
    Value(core::Instant at) : Value(core::epoch(at)) {}
    Value(core::Span span) : Value(span.count()) {}
    Value(std::string_view text)
        : kind(Kind::text),
          data(text.data() == nullptr ? "" : text) {} // a view of nothing is empty, not NULL
    Value(const std::string& text) : Value(std::string_view(text)) {}
    Value(const core::Digest& digest) : Value(digest.hex) {}
    template <class Of> Value(const core::Id<Of>& id) : Value(id.text) {}
    Value(const core::ClientId&) = delete; // its key is bound: client_key
    Value(ToBlob blob) : kind(Kind::bytes), null(blob.text.empty()), data(blob.text) {}
    template <class T>
    Value(const std::optional<T>& value) : Value(value ? Value(*value) : absent(Value(T{}).kind)) {}

    static Value absent(Kind kind) {
        Value value(0);
        value.kind = kind;
        value.null = true;
        return value;
    }
};
using Values = std::span<const Value>;

// One row of an answer, read column by column from the first on. NULL leaves a text empty, a number
// 0 and an optional absent.
class Row {
public:
    virtual ~Row() = default;
    template <class... To> void read_into(To&&... to) { (read(at_++, to), ...); }

protected:
    // False when the column is NULL.
    virtual bool number(int column, std::int64_t& to) = 0;
    virtual bool text(int column, std::string& to) = 0;
    virtual bool bytes(int column, std::string& to) = 0;

private:
    bool read(int column, std::int64_t& to) { return number(column, to); }
    bool read(int column, std::string& to) { return text(column, to); }
    bool read(int column, FromBlob& to) { return bytes(column, to.text); }
    bool read(int column, core::Digest& to) { return text(column, to.hex); }
    template <class Of> bool read(int column, core::Id<Of>& to) { return text(column, to.text); }
    bool read(int column, int& to) {
        return read_number(
            column, to, [](std::int64_t number) { return static_cast<int>(number); });
    }
    bool read(int column, bool& to) {
        return read_number(column, to, [](std::int64_t number) { return number != 0; });
    }
    bool read(int column, core::Instant& to) { return read_number(column, to, core::from_epoch); }
    bool read(int column, core::Span& to) {
        return read_number(column, to, [](std::int64_t number) { return core::Span(number); });
    }
    template <class T> bool read(int column, std::optional<T>& to) {
        const bool there = read(column, to.emplace());
        if (!there) to.reset();
        return there;
    }
    template <class T> bool read(int column, std::vector<T>& to) {
        return read(column, to.emplace_back());
    }

    template <class To, class As> bool read_number(int column, To& to, const As& as) {
        std::int64_t found = 0;
        const bool there = number(column, found);
        to = as(found);
        return there;
    }

    int at_ = 0;
};
using RowReader = std::function<void(Row&)>;

} // namespace consentgate::store
