// application/x-www-form-urlencoded, read strictly: one reader for query strings and bodies.
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/base/parameter.h"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace consentgate::core {

class Form {
public:
    // Refuses (invalid_request) a cut or false escape, bytes that are not UTF-8, NUL, and more than
    // 100 fields.
    static Result<Form> parse(std::string_view text);

    // The value; absent when the field is missing, repeated, or empty (an empty value means absent:
    // OAuth 2.1 section 3.1).
    std::optional<std::string> get(std::string_view name) const;
    // The value as sent, empty included; absent when missing or repeated.
    std::optional<std::string> raw(std::string_view name) const;
    std::size_t count(std::string_view name) const; // how often it was sent, empty values included
    std::vector<std::string> all(std::string_view name) const;
    Parameter parameter(std::string_view name) const { return {get(name), count(name)}; }
    // As parameter; the same value sent again counts once.
    Parameter parameter_of_equals(std::string_view name) const;

    // invalid_request naming the first of these fields that was sent more than once. A field that
    // we ignore may be there as often as it likes.
    Checked check_not_repeated(std::initializer_list<std::string_view> names) const;

private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

} // namespace consentgate::core
