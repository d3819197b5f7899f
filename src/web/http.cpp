#include "consentgate/web/http.h"

#include "consentgate/core/base/text.h"

#include <Poco/Net/HTTPResponse.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace consentgate::web {
namespace {

// The value cannot open another header, whatever it was made from.
void write_header(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ");
    const auto begin = static_cast<std::ptrdiff_t>(out.size());
    out.append(value);
    std::replace_if(
        out.begin() + begin, out.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
    out.append("\r\n");
}

// The q of a media range, in thousandths; 1000 when there is none.
int quality(std::string_view parameters) {
    for (const auto& parameter : core::split(parameters, ';')) {
        const auto text = core::trim(parameter);
        if (!text.starts_with("q=")) continue;
        const auto value = std::strtod(std::string(text.substr(2)).c_str(), nullptr);
        return value > 0 && value <= 1 ? static_cast<int>(value * 1000) : 0;
    }
    return 1000;
}

// How well a type is accepted by being named; wildcards do not count, because curl and programs
// send them.
int named_quality(std::string_view accept, std::string_view type) {
    int best = 0;
    for (const auto& range : core::split(accept, ',')) {
        const auto semicolon = std::min(range.find(';'), range.size());
        if (!core::same_ignoring_case(core::trim(range.substr(0, semicolon)), type)) continue;
        best = std::max(best, quality(range.substr(semicolon)));
    }
    return best;
}

// The entries between the commas of a header; a comma inside quotation marks separates nothing.
// spec: RFC 9110 sections 5.6.1 and 5.6.4
std::vector<std::string> list_entries(std::string_view header) {
    std::vector<std::string> entries(1);
    bool quoted = false;
    for (std::size_t at = 0; at < header.size(); ++at) {
        const char c = header[at];
        if (c == '"') quoted = !quoted;
        if (c == ',' && !quoted) {
            entries.emplace_back();
            continue;
        }
        entries.back() += c;
        if (quoted && c == '\\' && at + 1 < header.size()) entries.back() += header[++at];
    }
    return entries;
}

} // namespace

std::string_view origin_form(std::string_view target) {
    const auto scheme = target.find("://");
    if (target.starts_with('/') || scheme == std::string_view::npos) return target;
    const auto name = core::lower_ascii(target.substr(0, scheme));
    if (name != "http" && name != "https") return target;
    const auto authority = target.substr(scheme + 3);
    const auto end = std::min(authority.find_first_of("/?"), authority.size());
    // A sign that ends an authority for one program and not for another leaves the target as it is,
    // and that names nothing.
    const bool plain = std::all_of(
        authority.begin(), authority.begin() + static_cast<std::ptrdiff_t>(end), [](char c) {
            return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                   std::string_view(".-_:[]").find(c) != std::string_view::npos;
        });
    const auto rest = authority.substr(end);
    if (end == 0 || !plain || rest.starts_with('?')) return target;
    return rest.empty() ? std::string_view("/") : rest;
}

std::string serialize(const Reply& reply, bool with_body) {
    const auto& reason = Poco::Net::HTTPResponse::getReasonForStatus(
        static_cast<Poco::Net::HTTPResponse::HTTPStatus>(reply.status));
    std::string out;
    out.reserve(reply.body.size() + 1024);
    write_header(out, "Status", std::to_string(reply.status) + " " + reason);
    for (const auto& [name, value] : reply.headers) write_header(out, name, value);
    if (reply.status != 204 && !reply.bare)
        write_header(
            out, "Content-Length", std::to_string(reply.body.size())); // RFC 9110 section 8.6
    out += "\r\n";
    if (with_body) out += reply.body;
    return out;
}

std::optional<core::Secret> browser_secret(const Request& request, std::string_view cookie_name) {
    std::optional<core::Secret> found;
    for (const auto& part : core::split(request.cookie.value_or(""), ';')) {
        const auto pair = core::trim(part);
        const auto equals = std::min(pair.find('='), pair.size());
        if (pair.substr(0, equals) != cookie_name) continue;
        const auto value = pair.substr(std::min(equals + 1, pair.size()));
        if (found || value.size() != 43 || !core::is_base64url(value)) return std::nullopt;
        found = core::Secret(std::string(value));
    }
    return found;
}

bool prefers_html(const Request& request) {
    const auto accept = request.accept.value_or("");
    const int html = std::max(
        named_quality(accept, "text/html"), named_quality(accept, "application/xhtml+xml"));
    return html > 0 && html >= named_quality(accept, "application/json");
}

bool navigates(const Request& request) { return request.fetch_mode == "navigate"; }

bool says_type(const Request& request, std::string_view type) {
    const auto entries = list_entries(request.content_type.value_or(""));
    return std::any_of(entries.begin(), entries.end(), [&](const std::string& entry) {
        const auto essence = std::string_view(entry).substr(0, entry.find(';'));
        return core::same_ignoring_case(core::trim(essence), type);
    });
}

} // namespace consentgate::web
