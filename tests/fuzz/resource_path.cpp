// The path of a call against the guarded resources: their URLs in the first line, separated by
// blanks, the path in the second.
//
// Web servers and the servers behind them read a path in their own ways. Whatever the gate decides
// must hold for each of these ways; where they differ it must decide nothing.
#include "lines.h"
#include "require.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/resource.h"

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace consentgate;
using tests::require;

namespace {

std::string decoded(const std::string& path) {
    std::string out;
    for (std::size_t at = 0; at < path.size(); ++at) {
        const auto escape =
            path[at] == '%' ? core::percent_decode(path.substr(at, 3), false) : std::nullopt;
        out += escape ? (*escape)[0] : path[at];
        if (escape) at += 2;
    }
    return out;
}

std::string merged(const std::string& path) {
    std::string out;
    for (const char c : path)
        if (c != '/' || out.empty() || out.back() != '/') out += c;
    return out;
}

std::string without_dots(const std::string& path) {
    std::vector<std::string> kept;
    for (const auto& segment : core::split(path, '/')) {
        if (segment == "..") {
            if (!kept.empty()) kept.pop_back();
        } else if (segment != ".") {
            kept.push_back(segment);
        }
    }
    return "/" + core::join(kept, "/") + (path.ends_with('/') && !kept.empty() ? "/" : "");
}

std::string without_parameters(const std::string& path) {
    std::string out;
    bool kept = true;
    for (const char c : path) {
        if (c == '/') kept = true;
        if (c == ';') kept = false;
        if (kept) out += c;
    }
    return out;
}

std::string with_slashes(const std::string& path) {
    auto out = path;
    std::replace(out.begin(), out.end(), '\\', '/');
    return out;
}

std::string cut(const std::string& path) {
    return path.substr(0, path.find_first_of(std::string("?#\0", 3)));
}

// All that programs may take the path for.
std::set<std::string> readings(const std::string& path) {
    constexpr std::size_t enough = 40;
    std::set<std::string> known{path};
    std::vector<std::string> open{path};
    while (!open.empty() && known.size() < enough) {
        const auto at = open.back();
        open.pop_back();
        for (auto* read : {decoded, merged, without_dots, without_parameters, with_slashes, cut})
            if (auto other = read(at); known.insert(other).second) open.push_back(other);
    }
    return known;
}

// The resource that a program guards which reads the path like this; null: none.
const core::GuardedResource* resource_at(
    const std::vector<core::GuardedResource>& resources, const std::string& path) {
    const core::GuardedResource* found = nullptr;
    std::size_t longest = 0;
    for (const auto& resource : resources) {
        const auto url = core::split_uri(resource.url);
        auto prefix = decoded(std::string(url->rest.substr(0, url->rest.find('?'))));
        if (prefix.ends_with('/')) prefix.pop_back();
        const bool below = path.starts_with(prefix) &&
                           (path.size() == prefix.size() || path[prefix.size()] == '/');
        if (!below || (found != nullptr && prefix.size() <= longest)) continue;
        found = &resource;
        longest = prefix.size();
    }
    return found;
}

void look_at(const std::vector<core::GuardedResource>& resources, const std::string& path) {
    std::optional<core::ResourceMap> map;
    try {
        map.emplace(resources);
    } catch (const std::invalid_argument&) {
        return; // it refuses resources that it could not tell apart
    }
    const auto found = map->find(path);
    if (!found && found.error().code == core::ErrorCode::invalid_request) return;
    require(
        found || found.error().code == core::ErrorCode::not_found,
        "a path is guarded, unguarded or ambiguous");
    const std::string decided = found ? (*found)->url : "";
    for (const auto& reading : readings(path)) {
        const auto* meant = resource_at(resources, reading);
        require(
            (meant == nullptr ? "" : meant->url) == decided,
            "no program may read the path as another resource's");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto text = tests::text_of_input(data, size);
    std::vector<core::GuardedResource> resources;
    for (const auto& url : core::split(tests::take_line(text), ' '))
        if (core::check_resource_uri(url)) resources.push_back({url});
    const auto path = std::string(tests::take_line(text));
    if (!path.starts_with('/') || resources.size() > 8) return 0;
    look_at(resources, path);
    return 0;
}
