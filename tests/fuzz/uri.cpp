// Redirect and resource URIs, and origins. The input is one URI, or two separated by a line break:
// a registered and a requested one.
#include "require.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/resource.h"

#include <algorithm>

using namespace consentgate;
using tests::require;

namespace {

void look_at(std::string_view uri) {
    const auto parts = core::split_uri(uri);
    if (parts) {
        std::string again = std::string(parts->scheme) + ":" + (parts->hierarchical ? "//" : "");
        if (parts->has_userinfo) again += std::string(parts->userinfo) + "@";
        again += parts->host;
        if (!parts->port.empty()) again += ":" + std::string(parts->port);
        require(again + std::string(parts->rest) == uri, "the parts make up the whole");
        require(core::same_resource(uri, uri), "a resource is itself");
    }
    if (const auto origins = core::AllowedOrigins::parse(uri)) {
        const auto again = core::AllowedOrigins::parse(origins->text());
        require(again == origins, "origins are written as they are read");
        require(origins->is_any() == (uri == "any"), "nothing else admits every page");
        if (parts) require(origins->admits(uri), "an origin that was listed is admitted");
    }
    if (!core::check_redirect_uri(uri)) return;
    require(
        parts.has_value() && uri.size() <= 2048 && uri.find('#') == std::string_view::npos &&
            !parts->has_userinfo,
        "an accepted redirect URI keeps the rules");
    require(
        std::all_of(uri.begin(), uri.end(), [](char c) { return c > 0x20 && c < 0x7F; }),
        "an accepted redirect URI is printable ASCII");
    const auto scheme = core::lower_ascii(parts->scheme);
    for (const auto* bad : {"javascript", "data", "file", "vbscript", "blob", "about"})
        require(scheme != bad, "a dangerous scheme is refused");
    require(
        scheme != "http" || core::is_loopback_host(parts->host), "http is for this computer only");
    const auto target = core::describe_redirect(uri);
    require(!target.shown.empty(), "the page can name where it leads");
    require(
        target.shown.find_first_of(" ;,'\r\n") == std::string::npos,
        "the name of where it leads ends no header");
    const auto longer = core::append_query(uri, {{"code", "a b"}, {"state", "&"}});
    require(longer.starts_with(uri), "appending keeps what is there");
    require(core::split_uri(longer).has_value(), "appending makes a URI");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = tests::text_of_input(data, size);
    const auto line = std::min(text.find('\n'), text.size());
    const auto registered = text.substr(0, line);
    const auto requested = text.substr(std::min(line + 1, text.size()));
    look_at(registered);
    look_at(requested);
    static_cast<void>(core::check_resource_uri(registered));
    require(
        core::same_resource(registered, requested) == core::same_resource(requested, registered),
        "sameness has no direction");
    if (core::redirect_matches(registered, requested) && registered != requested) {
        const auto left = core::split_uri(registered), right = core::split_uri(requested);
        require(
            left && right && left->scheme == "http" && left->host == right->host &&
                left->rest == right->rest && core::is_loopback_host(left->host),
            "only the port of a loopback address may differ");
    }
    return 0;
}
