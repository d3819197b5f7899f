#include "consentgate/core/oauth/resource.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace consentgate::core {
namespace {

constexpr const char* ambiguous =
    "the path must be written plainly: no dots, double slashes, semicolons or encoded separators";

bool has_dot_segment(std::string_view path) {
    for (auto at = path.find("/."); at != std::string_view::npos; at = path.find("/.", at + 1)) {
        const auto segment = path.substr(at + 1, path.find('/', at + 1) - at - 1);
        if (segment == "." || segment == "..") return true;
    }
    return false;
}

// Web servers merge slashes, follow dots and decode escapes, each in its own way and some of them
// twice; a server behind may cut a segment at ';'. A path that reads the same to all of them has
// none of that in it.
// out: decoded; absent when it does not read the same everywhere
std::optional<std::string> plain_path(std::string_view raw) {
    if (!raw.starts_with('/') || raw.find_first_of(";\\") != std::string_view::npos)
        return std::nullopt;
    const auto path = percent_decode(raw, false);
    if (!path || has_control(*path) || !valid_utf8(*path)) return std::nullopt;
    if (std::count(path->begin(), path->end(), '/') != std::count(raw.begin(), raw.end(), '/'))
        return std::nullopt; // %2F
    if (path->find_first_of(";\\%?#") != std::string::npos || path->find("//") != std::string::npos)
        return std::nullopt;
    return has_dot_segment(*path) ? std::nullopt : path;
}

// Never shorter than what is written: a path that came to nothing here would cover the whole host.
std::string path_of(const std::string& url) {
    const auto rest = std::string(split_uri(url).value_or(UriParts{}).rest);
    const auto written = rest.substr(0, rest.find('?'));
    if (written.empty()) return {};
    auto path = plain_path(written);
    if (!path) throw std::invalid_argument(url + " cannot be guarded: " + ambiguous);
    if (path->ends_with('/')) path->pop_back();
    return *path;
}

} // namespace

ResourceMap::ResourceMap(const std::vector<GuardedResource>& resources) {
    for (const auto& resource : resources) entries_.push_back({path_of(resource.url), resource});
    std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
        return a.path.size() != b.path.size() ? a.path.size() > b.path.size() : a.path < b.path;
    });
    const auto twins =
        std::adjacent_find(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
            return a.path == b.path;
        });
    if (twins == entries_.end()) return;
    throw std::invalid_argument(
        twins->resource.url + " and " + std::next(twins)->resource.url +
        " have the same path, by which the gate tells resources apart");
}

Result<const GuardedResource*> ResourceMap::find(std::string_view raw) const {
    const auto path = plain_path(raw);
    if (!path)
        return make_error(
            ErrorCode::invalid_request, PublicMessage{ambiguous}, LogDetail{"ambiguous path"});
    for (const auto& entry : entries_) {
        const bool covered = path->starts_with(entry.path) && (path->size() == entry.path.size() ||
                                                               (*path)[entry.path.size()] == '/');
        if (covered) return &entry.resource;
    }
    return make_error(
        ErrorCode::not_found, PublicMessage{"nothing is guarded at this address"},
        LogDetail{"no resource has this path"});
}

} // namespace consentgate::core
