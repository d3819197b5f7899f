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

std::size_t Form::count(std::string_view name) const { return all(name).size(); }

std::optional<std::string> Form::raw(std::string_view name) const {
    auto values = all(name);
    if (values.size() != 1) return std::nullopt;
    return std::move(values.front());
}

std::optional<std::string> Form::get(std::string_view name) const {
    auto value = raw(name);
    if (value && value->empty()) return std::nullopt;
    return value;
}

std::optional<std::string> Form::repeated(std::string_view allowed) const {
    for (const auto& [name, value] : fields_) {
        if (name != allowed && count(name) > 1) return name;
    }
    return std::nullopt;
}

Checked Form::check_not_repeated(std::string_view allowed) const {
    if (const auto name = repeated(allowed)) {
        return make_error(
            ErrorCode::invalid_request, PublicMessage{"a parameter was sent more than once"},
            LogDetail{"repeated: " + plain_ascii(name->substr(0, 40))},
            plain_ascii(name->substr(0, 40)));
    }
    return Nothing{};
}

} // namespace consentgate::core
