#include "asset.h"

#include "consentgate/core/base/secret.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace consentgate::web {

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) throw std::runtime_error(path + ": it cannot be read");
    return text.str();
}

std::string lasting_url(std::string_view path, std::string_view bytes) {
    return std::string(path) + "?v=" + core::sha256(bytes).hex.substr(0, 16);
}

} // namespace consentgate::web
