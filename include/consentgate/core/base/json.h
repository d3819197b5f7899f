// JSON: a strict reader for what strangers send, and a compact writer. The reader accepts UTF-8
// without NUL, at most 32 levels deep, with an object at the top.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace consentgate::core {

class Json;
using JsonArray = std::vector<Json>;

// Members keep the order in which they were set first. Setting a name again replaces its value.
class JsonObject {
public:
    struct Member;

    JsonObject();
    JsonObject(const JsonObject&);
    JsonObject(JsonObject&&) noexcept;
    JsonObject& operator=(const JsonObject&);
    JsonObject& operator=(JsonObject&&) noexcept;
    ~JsonObject();

    JsonObject& set(std::string name, Json value);

    const Json* find(std::string_view name) const; // null when there is no such member
    bool contains(std::string_view name) const { return find(name) != nullptr; }
    bool has(std::string_view name) const; // present and not null

    // Absent, or null, when the member is missing or of another type.
    std::optional<std::string> text(std::string_view name) const;
    std::optional<std::vector<std::string>> texts(std::string_view name) const; // all are strings
    std::optional<std::int64_t> integer(std::string_view name) const;
    std::optional<bool> flag(std::string_view name) const;
    const JsonArray* array(std::string_view name) const;
    const JsonObject* object(std::string_view name) const;

    const std::vector<Member>& members() const { return members_; }
    std::size_t size() const;

private:
    std::size_t position(std::string_view name) const; // size() when there is no such member

    std::vector<Member> members_;
    // Positions by name, kept for objects with many members only. A tree, because a sender can
    // choose names that collide in a hash table.
    std::map<std::string, std::size_t, std::less<>> index_;
};

// One value: null, boolean, integer, number, string, array or object.
class Json {
public:
    Json() = default;
    Json(std::nullptr_t) {}
    Json(std::same_as<bool> auto value) : value_(value) {}
    template <std::integral Number>
    requires(!std::same_as<Number, bool>) Json(Number value)
        : value_(static_cast<std::int64_t>(value)) {}
    Json(double value) : value_(value) {}
    Json(const char* value) : value_(std::string(value)) {}
    Json(std::string_view value) : value_(std::string(value)) {}
    Json(std::string value) : value_(std::move(value)) {}
    Json(JsonArray value) : value_(std::move(value)) {}
    Json(JsonObject value) : value_(std::move(value)) {}

    // Null pointers for a value of another type.
    bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
    const bool* boolean() const { return std::get_if<bool>(&value_); }
    const std::int64_t* integer() const { return std::get_if<std::int64_t>(&value_); }
    const double* number() const { return std::get_if<double>(&value_); } // not an integer
    const std::string* text() const { return std::get_if<std::string>(&value_); }
    const JsonArray* array() const { return std::get_if<JsonArray>(&value_); }
    const JsonObject* object() const { return std::get_if<JsonObject>(&value_); }
    JsonArray* array() { return std::get_if<JsonArray>(&value_); }
    JsonObject* object() { return std::get_if<JsonObject>(&value_); }

private:
    std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, JsonArray, JsonObject>
        value_ = nullptr;
};

struct JsonObject::Member {
    std::string name;
    Json value;
};

// Absent when the text is not such a document.
std::optional<JsonObject> parse_json_object(std::string_view text);

Json json_array(const std::vector<std::string>& values);

// Compact: no white space, members in their order.
std::string json_string(const JsonObject& object);
std::string json_string(const JsonArray& array);

// Writes an object of texts, numbers and flags directly: most answers need no more.
class FlatJson {
public:
    FlatJson& text(std::string_view name, const std::string& value);
    FlatJson& number(std::string_view name, std::int64_t value);
    FlatJson& flag(std::string_view name, bool value);
    FlatJson& texts(std::string_view name, const std::vector<std::string>& values);
    std::string str() const { return text_ + "}"; }

private:
    void begin(std::string_view name);
    FlatJson& member(std::string_view name, std::string_view value);

    std::string text_ = "{";
};

} // namespace consentgate::core
