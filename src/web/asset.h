// Files that the pages are made of and refer to; private to this module.
#pragma once

#include <string>
#include <string_view>

namespace consentgate::web {

// fail: throws std::runtime_error naming the file
std::string read_file(const std::string& path);

// An address under which these bytes can be cached for long, because it changes with them.
std::string lasting_url(std::string_view path, std::string_view bytes);

} // namespace consentgate::web
