// Reading JSON that strangers sent. One strict door: UTF-8, no NUL, at most 32 levels deep, an object at the top.
#pragma once

#include <Poco/JSON/Object.h>

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
std::optional<std::vector<std::string>> json_texts(const Poco::JSON::Object& object, const std::string& name);

// Present and not null.
bool json_has(const Poco::JSON::Object& object, const std::string& name);

std::string json_string(const Poco::JSON::Object& object); // compact, members in order of insertion

} // namespace consentgate::core
