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

// A page for people; empty: there is none.
bool is_page(const std::string& url) {
    constexpr std::size_t max_bytes = 2048;
    const auto parts = split_uri(url);
    return url.empty() ||
           (parts && parts->hierarchical && !parts->has_userinfo && !parts->host.empty() &&
            same_ignoring_case(parts->scheme, "https") && url.size() <= max_bytes);
}

// An origin in the one spelling that browsers have for it; absent when it is none.
std::optional<std::string> plain_origin(std::string_view text) {
    const auto lower = lower_ascii(text);
    const auto parts = split_uri(lower);
    if (!parts || !parts->hierarchical || parts->has_userinfo || parts->host.empty() ||
        !parts->rest.empty())
        return std::nullopt;
    const bool usual_port = (parts->scheme == "https" && parts->port == "443") ||
                            (parts->scheme == "http" && parts->port == "80");
    return usual_port ? lower.substr(0, lower.rfind(':')) : lower;
}

} // namespace

Checked check_description(const ResourceDescription& description) {
    constexpr std::size_t max_characters = 100;
    const auto refused = [](const char* message) {
        return make_error(ErrorCode::invalid_target, PublicMessage{message});
    };
    const auto& name = description.name;
    if (!name.empty() && (!valid_utf8(name) || has_control(name) || !has_visible(name) ||
                          count_characters(name) > max_characters))
        return refused("a name has at most 100 characters, and something to see");
    if (!is_page(description.documentation) || !is_page(description.policy) ||
        !is_page(description.tos))
        return refused("documentation, policy and terms are https addresses");
    return Nothing{};
}

AllowedOrigins AllowedOrigins::none() {
    AllowedOrigins origins;
    origins.any_ = false;
    return origins;
}

std::optional<AllowedOrigins> AllowedOrigins::parse(std::string_view text) {
    if (text == "any") return AllowedOrigins();
    auto origins = none();
    if (text == "none") return origins;
    for (const auto& entry : split(text, ' ')) {
        auto origin = plain_origin(entry);
        if (!origin) return std::nullopt;
        origins.origins_.push_back(*std::move(origin));
    }
    return origins.origins_.empty() ? std::nullopt : std::optional(std::move(origins));
}

bool AllowedOrigins::admits(std::string_view origin) const {
    if (any_) return true;
    const auto plain = plain_origin(origin);
    return plain && std::find(origins_.begin(), origins_.end(), *plain) != origins_.end();
}

std::string AllowedOrigins::text() const {
    if (any_) return "any";
    return origins_.empty() ? "none" : join(origins_, " ");
}

std::string_view name_of(SharedGroups groups) {
    switch (groups) {
    case SharedGroups::named: return "named";
    case SharedGroups::all: return "all";
    case SharedGroups::none: break;
    }
    return "none";
}

std::string_view name_of(AssertionPlace place) {
    switch (place) {
    case AssertionPlace::header: return "header";
    case AssertionPlace::bearer: return "bearer";
    case AssertionPlace::off: break;
    }
    return "off";
}

std::optional<SharedGroups> shared_groups_of(std::string_view name) {
    for (const auto groups : {SharedGroups::named, SharedGroups::all, SharedGroups::none})
        if (name == name_of(groups)) return groups;
    return std::nullopt;
}

std::optional<AssertionPlace> assertion_place_of(std::string_view name) {
    for (const auto place : {AssertionPlace::off, AssertionPlace::header, AssertionPlace::bearer})
        if (name == name_of(place)) return place;
    return std::nullopt;
}

Checked check_facts(const FactChoice& facts, bool has_services) {
    if (facts.assertion != AssertionPlace::bearer || !has_services) return Nothing{};
    return make_error(
        ErrorCode::invalid_target,
        PublicMessage{"an assertion as the bearer token and the token of a service exclude each "
                      "other, because both are in Authorization; --assertion header goes with a "
                      "service"},
        LogDetail{}, "resource");
}

std::string shown_name(const GuardedResource& resource) {
    if (!resource.description.name.empty()) return resource.description.name;
    const auto rest = split_uri(resource.url).value_or(UriParts{}).rest;
    return authority_of(resource.url) + std::string(rest == "/" ? "" : rest);
}

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
