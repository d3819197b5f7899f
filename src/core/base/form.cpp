#include "consentgate/core/base/form.h"

#include "consentgate/core/base/text.h"

#include <algorithm>

namespace consentgate::core {
namespace {

constexpr std::size_t max_fields = 100;

Error malformed(const char* reason) {
    return make_error(
        ErrorCode::invalid_request, PublicMessage{"the parameters are not well-formed"},
        LogDetail{reason});
}

Error sent_twice(std::string_view name) {
    const auto shown = plain_ascii(name.substr(0, 40));
    return make_error(
        ErrorCode::invalid_request, PublicMessage{"a parameter was sent more than once"},
        LogDetail{"repeated: " + shown}, shown);
}

} // namespace

Result<Form> Form::parse(std::string_view text) {
    Form form;
    for (const auto& pair : split(text, '&')) {
        const auto equals = std::min(pair.find('='), pair.size());
        auto name = percent_decode(std::string_view(pair).substr(0, equals), true);
        auto value =
            percent_decode(std::string_view(pair).substr(std::min(equals + 1, pair.size())), true);
        if (!name || !value) return malformed("a percent escape is cut or not hexadecimal");
        if (!valid_utf8(*name) || !valid_utf8(*value)) return malformed("not UTF-8");
        if (name->find('\0') != std::string::npos || value->find('\0') != std::string::npos)
            return malformed("NUL byte");
        if (form.fields_.size() == max_fields) return malformed("more than 100 fields");
        form.fields_.emplace_back(std::move(*name), std::move(*value));
    }
    return form;
}

std::vector<std::string> Form::all(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [field, value] : fields_) {
        if (field == name) values.push_back(value);
    }
    return values;
}

std::size_t Form::count(std::string_view name) const {
    return static_cast<std::size_t>(std::count_if(
        fields_.begin(), fields_.end(), [&](const auto& field) { return field.first == name; }));
}

std::optional<std::string> Form::raw(std::string_view name) const {
    if (count(name) != 1) return std::nullopt;
    return std::find_if(
               fields_.begin(), fields_.end(),
               [&](const auto& field) { return field.first == name; })
        ->second;
}

std::optional<std::string> Form::get(std::string_view name) const {
    auto value = raw(name);
    if (value && value->empty()) return std::nullopt;
    return value;
}

Parameter Form::parameter_of_equals(std::string_view name) const {
    const auto values = all(name);
    const bool equal =
        !values.empty() && std::all_of(values.begin(), values.end(), [&](const auto& value) {
            return value == values.front();
        });
    if (!equal) return {std::nullopt, values.size()};
    return {values.front().empty() ? std::nullopt : std::optional(values.front()), 1};
}

Checked Form::check_not_repeated(std::initializer_list<std::string_view> names) const {
    for (const auto name : names) {
        if (count(name) > 1) return sent_twice(name);
    }
    return Nothing{};
}

} // namespace consentgate::core
