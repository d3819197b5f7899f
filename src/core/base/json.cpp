#include "consentgate/core/base/json.h"

#include "consentgate/core/base/text.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Handler.h>
#include <Poco/JSON/Parser.h>
#include <Poco/JSONString.h>
#include <Poco/NumberFormatter.h>

#include <algorithm>

namespace consentgate::core {
namespace {

constexpr std::size_t max_depth = 32;
constexpr std::size_t max_unindexed = 16; // members that are searched one by one

// Builds our values from the events of Poco's parser.
class Builder final : public Poco::JSON::Handler {
public:
    std::optional<JsonObject> take() {
        if (auto* object = root_.object()) return std::move(*object);
        return std::nullopt;
    }

    void reset() override {}
    void startObject() override { open_.push_back({Json(JsonObject()), {}}); }
    void endObject() override { close(); }
    void startArray() override { open_.push_back({Json(JsonArray()), {}}); }
    void endArray() override { close(); }
    void key(const std::string& name) override { open_.back().name = name; }
    void null() override { add({}); }
    void value(int number) override { add(number); }
    void value(unsigned number) override { add(number); }
    void value(Poco::Int64 number) override { add(number); }
    void value(Poco::UInt64 number) override { // larger than any int64
        add(static_cast<double>(number));
    }
    void value(const std::string& text) override { add(text); }
    void value(double number) override { add(number); }
    void value(bool flag) override { add(flag); }

private:
    struct Open {
        Json value;
        std::string name; // of the member that is read
    };

    void close() {
        auto closed = std::move(open_.back().value);
        open_.pop_back();
        add(std::move(closed));
    }

    void add(Json value) {
        if (open_.empty())
            root_ = std::move(value);
        else if (auto* array = open_.back().value.array())
            array->push_back(std::move(value));
        else
            open_.back().value.object()->set(open_.back().name, std::move(value));
    }

    std::vector<Open> open_;
    Json root_;
};

// Most texts stand in JSON as they are; Poco's escaping takes each of them as long as a hash.
bool stands_as_it_is(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return c >= ' ' && c <= '~' && c != '"' && c != '\\';
    });
}

void write_text(std::string& out, const std::string& text) {
    if (stands_as_it_is(text))
        out.append(1, '"').append(text) += '"';
    else
        out += Poco::toJSON(text);
}

void write(std::string& out, const Json& value);

void write(std::string& out, const JsonObject& object) {
    out += '{';
    for (const auto& member : object.members()) {
        if (&member != &object.members().front()) out += ',';
        write_text(out, member.name);
        out += ':';
        write(out, member.value);
    }
    out += '}';
}

void write(std::string& out, const JsonArray& array) {
    out += '[';
    for (const auto& value : array) {
        if (&value != &array.front()) out += ',';
        write(out, value);
    }
    out += ']';
}

void write(std::string& out, const Json& value) {
    if (value.is_null()) out += "null";
    if (const auto* flag = value.boolean()) out += *flag ? "true" : "false";
    if (const auto* integer = value.integer()) out += std::to_string(*integer);
    if (const auto* number = value.number()) Poco::NumberFormatter::append(out, *number);
    if (const auto* text = value.text()) write_text(out, *text);
    if (const auto* array = value.array()) write(out, *array);
    if (const auto* object = value.object()) write(out, *object);
}

} // namespace

JsonObject::JsonObject() = default;
JsonObject::JsonObject(const JsonObject&) = default;
JsonObject::JsonObject(JsonObject&&) noexcept = default;
JsonObject& JsonObject::operator=(const JsonObject&) = default;
JsonObject& JsonObject::operator=(JsonObject&&) noexcept = default;
JsonObject::~JsonObject() = default;

std::size_t JsonObject::size() const { return members_.size(); }

std::size_t JsonObject::position(std::string_view name) const {
    if (!index_.empty()) {
        const auto found = index_.find(name);
        return found == index_.end() ? size() : found->second;
    }
    std::size_t at = 0;
    while (at < size() && members_[at].name != name) ++at;
    return at;
}

JsonObject& JsonObject::set(std::string name, Json value) {
    const auto at = position(name);
    if (at < size()) {
        members_[at].value = std::move(value);
        return *this;
    }
    members_.push_back({std::move(name), std::move(value)});
    if (!index_.empty()) {
        index_.emplace(members_.back().name, at);
    } else if (size() > max_unindexed) {
        for (std::size_t i = 0; i < size(); ++i) index_.emplace(members_[i].name, i);
    }
    return *this;
}

const Json* JsonObject::find(std::string_view name) const {
    const auto at = position(name);
    return at < size() ? &members_[at].value : nullptr;
}

bool JsonObject::has(std::string_view name) const {
    const auto* value = find(name);
    return value != nullptr && !value->is_null();
}

std::optional<std::string> JsonObject::text(std::string_view name) const {
    const auto* value = find(name);
    const auto* text = value == nullptr ? nullptr : value->text();
    return text == nullptr ? std::nullopt : std::optional(*text);
}

std::optional<std::vector<std::string>> JsonObject::texts(std::string_view name) const {
    const auto* list = array(name);
    if (list == nullptr) return std::nullopt;
    std::vector<std::string> texts;
    for (const auto& value : *list) {
        if (value.text() == nullptr) return std::nullopt;
        texts.push_back(*value.text());
    }
    return texts;
}

std::optional<std::int64_t> JsonObject::integer(std::string_view name) const {
    const auto* value = find(name);
    const auto* integer = value == nullptr ? nullptr : value->integer();
    return integer == nullptr ? std::nullopt : std::optional(*integer);
}

std::optional<bool> JsonObject::flag(std::string_view name) const {
    const auto* value = find(name);
    const auto* flag = value == nullptr ? nullptr : value->boolean();
    return flag == nullptr ? std::nullopt : std::optional(*flag);
}

const JsonArray* JsonObject::array(std::string_view name) const {
    const auto* value = find(name);
    return value == nullptr ? nullptr : value->array();
}

const JsonObject* JsonObject::object(std::string_view name) const {
    const auto* value = find(name);
    return value == nullptr ? nullptr : value->object();
}

std::optional<JsonObject> parse_json_object(std::string_view text) {
    if (!valid_utf8(text) || text.find('\0') != std::string_view::npos) return std::nullopt;
    try {
        Poco::SharedPtr<Builder> builder(new Builder);
        Poco::JSON::Parser parser(builder);
        parser.setDepth(max_depth);
        parser.setAllowNullByte(false);
        parser.parse(std::string(text));
        return builder->take();
    } catch (const Poco::Exception&) {
        return std::nullopt;
    }
}

Json json_array(const std::vector<std::string>& values) {
    return JsonArray(values.begin(), values.end());
}

std::string json_string(const JsonObject& object) {
    std::string out;
    write(out, object);
    return out;
}

std::string json_string(const JsonArray& array) {
    std::string out;
    write(out, array);
    return out;
}

void FlatJson::begin(std::string_view name) {
    if (text_.size() > 1) text_ += ',';
    text_.append("\"").append(name).append("\":");
}

FlatJson& FlatJson::member(std::string_view name, std::string_view value) {
    begin(name);
    text_.append(value);
    return *this;
}

FlatJson& FlatJson::text(std::string_view name, const std::string& value) {
    begin(name);
    write_text(text_, value);
    return *this;
}
FlatJson& FlatJson::number(std::string_view name, std::int64_t value) {
    return member(name, std::to_string(value));
}
FlatJson& FlatJson::flag(std::string_view name, bool value) {
    return member(name, value ? "true" : "false");
}
FlatJson& FlatJson::texts(std::string_view name, const std::vector<std::string>& values) {
    return member(name, json_string(JsonArray(values.begin(), values.end())));
}

} // namespace consentgate::core
