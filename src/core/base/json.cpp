#include "consentgate/core/base/json.h"

#include "consentgate/core/base/text.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Parser.h>
#include <Poco/JSONString.h>

#include <sstream>

namespace consentgate::core {
namespace {

constexpr std::size_t deepest = 32;

} // namespace

Poco::JSON::Object::Ptr parse_json_object(std::string_view text) {
    if (!valid_utf8(text) || text.find('\0') != std::string_view::npos) return {};
    try {
        Poco::JSON::Parser parser(
            new Poco::JSON::ParseHandler(true)); // true: keep the order of members
        parser.setDepth(deepest);
        parser.setAllowNullByte(false);
        const auto parsed = parser.parse(std::string(text));
        if (parsed.type() != typeid(Poco::JSON::Object::Ptr)) return {};
        return parsed.extract<Poco::JSON::Object::Ptr>();
    } catch (const Poco::Exception&) {
        return {};
    }
}

bool json_has(const Poco::JSON::Object& object, const std::string& name) {
    return object.has(name) && !object.get(name).isEmpty();
}

std::optional<std::string> json_text(const Poco::JSON::Object& object, const std::string& name) {
    if (!json_has(object, name)) return std::nullopt;
    const auto value = object.get(name);
    if (!value.isString()) return std::nullopt;
    return value.extract<std::string>();
}

std::optional<std::vector<std::string>> json_texts(
    const Poco::JSON::Object& object, const std::string& name) {
    const auto array = object.isArray(name) ? object.getArray(name) : Poco::JSON::Array::Ptr();
    if (!array) return std::nullopt;
    std::vector<std::string> values;
    for (const auto& value : *array) {
        if (!value.isString()) return std::nullopt;
        values.push_back(value.extract<std::string>());
    }
    return values;
}

Poco::JSON::Array json_array(const std::vector<std::string>& values) {
    Poco::JSON::Array list;
    for (const auto& value : values) list.add(value);
    return list;
}

FlatJson& FlatJson::member(std::string_view name, std::string_view value) {
    if (text_.size() > 1) text_ += ',';
    text_.append("\"").append(name).append("\":").append(value);
    return *this;
}

FlatJson& FlatJson::text(std::string_view name, const std::string& value) {
    return member(name, Poco::toJSON(value));
}
FlatJson& FlatJson::number(std::string_view name, std::int64_t value) {
    return member(name, std::to_string(value));
}
FlatJson& FlatJson::flag(std::string_view name, bool value) {
    return member(name, value ? "true" : "false");
}

std::string json_string(const Poco::JSON::Object& object) {
    std::ostringstream out;
    object.stringify(out);
    return out.str();
}

} // namespace consentgate::core
