#include "consentgate/web/logo.h"

#include "asset.h"

#include <stdexcept>
#include <string_view>

namespace consentgate::web {
namespace {

constexpr std::size_t largest = 256 * 1024;
constexpr std::size_t first_look = 1024; // bytes within which an SVG names its element

// By the first bytes, never by the file's name: browsers take the type that we send and must not
// guess (nosniff).
std::string_view type_of(std::string_view bytes) {
    if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return "image/png";
    if (bytes.starts_with("\xFF\xD8\xFF")) return "image/jpeg";
    if (bytes.starts_with("RIFF") && bytes.substr(0, 12).ends_with("WEBP")) return "image/webp";
    const auto text = bytes.substr(0, first_look);
    const auto markup = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    const bool svg = markup != std::string_view::npos && text[markup] == '<' &&
                     text.find("<svg") != std::string_view::npos &&
                     text.find("<html") == std::string_view::npos;
    return svg ? "image/svg+xml" : "";
}

} // namespace

Logo load_logo(const std::string& path) {
    if (path.empty()) return {};
    const auto fail = [&](const char* reason) { return std::runtime_error(path + ": " + reason); };
    Logo logo{{}, read_file(path), {}};
    if (logo.bytes.empty()) throw fail("it cannot be read, or is empty"); // a folder reads as empty
    if (logo.bytes.size() > largest) throw fail("a logo is at most 256 KiB");
    logo.type = type_of(logo.bytes);
    if (logo.type.empty()) throw fail("a logo is an SVG, PNG, JPEG or WebP picture");
    logo.url = lasting_url("/oauth/logo", logo.bytes);
    return logo;
}

} // namespace consentgate::web
