// Reading JSON that strangers sent, and writing our own. One strict door: UTF-8, no NUL, at most 32
// levels deep, an object at the top.
#pragma once

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

// Null when the text is not such a document.
Poco::JSON::Object::Ptr parse_json_object(std::string_view text);

// A member's text; absent when the member is missing, null, or not a string.
std::optional<std::string> json_text(const Poco::JSON::Object& object, const std::string& name);

// A member's texts; absent when the member is missing, null, or anything but an array of strings.
std::optional<std::vector<std::string>> json_texts(
    const Poco::JSON::Object& object, const std::string& name);

// Present and not null.
bool json_has(const Poco::JSON::Object& object, const std::string& name);

Poco::JSON::Array json_array(const std::vector<std::string>& values);

// Writes an object without objects in it, member by member, which is all that most answers are.
class FlatJson {
public:
    FlatJson& text(std::string_view name, const std::string& value);
    FlatJson& number(std::string_view name, std::int64_t value);
    FlatJson& flag(std::string_view name, bool value);
    std::string str() const { return text_ + "}"; }

private:
    FlatJson& member(std::string_view name, std::string_view value);

    std::string text_ = "{";
};

std::string json_string(const Poco::JSON::Object& object); // compact, members in order of insertion

} // namespace consentgate::core
