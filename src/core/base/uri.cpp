#include "consentgate/core/base/uri.h"

#include "consentgate/core/base/text.h"

#include <algorithm>
#include <array>

namespace consentgate::core {
namespace {

constexpr std::size_t max_redirect_uri_bytes = 2048;

Error unusable(const char* message) {
    return make_error(ErrorCode::invalid_request, PublicMessage{message});
}

bool scheme_text(std::string_view scheme) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    return !scheme.empty() && letter(scheme[0]) &&
           std::all_of(scheme.begin(), scheme.end(), [&](char c) {
               return letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
           });
}

// RFC 3986 characters, percent signs only as whole escapes.
bool uri_text(std::string_view text) {
    constexpr std::string_view marks = ":/?#[]@!$&'()*+,;=%";
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!is_unreserved(text.substr(i, 1)) && marks.find(text[i]) == std::string_view::npos)
            return false;
        if (text[i] == '%' && !percent_decode(text.substr(i, 3), false)) return false;
    }
    return true;
}

bool port_text(std::string_view port) {
    if (port.empty() || port.size() > 5) return false;
    if (!std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; }))
        return false;
    const int number = std::stoi(std::string(port));
    return number > 0 && number <= 65535;
}

// A name or address that no header and no other parser reads differently: RFC 3986 would let a host
// hold ';' and ','.
bool host_text(std::string_view host) {
    const bool literal = host.starts_with('[');
    const auto inner = literal ? host.substr(1, host.size() - 2) : host;
    return std::all_of(inner.begin(), inner.end(), [&](char c) {
        return literal ? c == ':' || c == '.' ||
                             std::string_view("0123456789abcdefABCDEF").find(c) !=
                                 std::string_view::npos
                       : c != '~' && is_unreserved(std::string_view(&c, 1));
    });
}

// Fills host, port and userinfo; false when malformed.
bool split_authority(std::string_view authority, UriParts& parts) {
    if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
        parts.has_userinfo = true;
        parts.userinfo = authority.substr(0, at);
        authority.remove_prefix(at + 1);
    }
    const bool literal = !authority.empty() && authority[0] == '[';
    const auto colon = literal
                           ? authority.find(':', std::min(authority.find(']'), authority.size()))
                           : authority.find(':');
    parts.host = authority.substr(0, colon);
    if (literal && (parts.host.size() < 4 || parts.host.back() != ']')) return false;
    if (!host_text(parts.host)) return false;
    if (colon == std::string_view::npos) return true;
    parts.port = authority.substr(colon + 1);
    return port_text(parts.port);
}

// Schemes that a browser gives a meaning of its own, or that the system opens with a program of its
// own, whoever registered them. None of them leads to the client that asked.
constexpr std::array<std::string_view, 96> refused_schemes{
    // code, documents and pages of the browser
    "javascript", "livescript", "vbscript", "data", "blob", "about", "view-source", "jar",
    "filesystem", "intent", "content", "android-app", "chrome", "edge", "brave", "opera", "vivaldi",
    "resource", "devtools", "wyciwyg",
    // files, shells and mounts
    "file", "shell", "res", "mk", "mhtml", "its", "hcp", "smb", "cifs", "nfs", "afp", "dav", "davs",
    "webdav", "webdavs", "search", "search-ms", "ldap", "ldaps", "ldapi", "applescript",
    "x-man-page", "man", "ghelp", "help", "apt", "appinstaller", "bitsadmin", "microsoft-edge",
    "onenote", "vnd.libreoffice.command", "jnlp", "jnlps", "market", "itms-services",
    // other protocols
    "ftp", "ftps", "sftp", "tftp", "ssh", "telnet", "tn3270", "rlogin", "rdp", "vnc", "git", "svn",
    "rsync", "gopher", "dict", "ws", "wss", "http", "nntp", "snews", "imap", "pop", "ipp", "ipps",
    "feed", "webcal", "magnet", "ed2k",
    // people and names
    "mailto", "tel", "callto", "sms", "mms", "sip", "sips", "xmpp", "facetime", "news", "urn",
    "geo", "cid"};

bool dangerous_scheme(std::string_view scheme) {
    const auto parts = split(lower_ascii(scheme), '+'); // svn+ssh is as good as ssh
    return std::any_of(parts.begin(), parts.end(), [](std::string_view part) {
        return part.starts_with("ms-") || part.starts_with("chrome-") ||
               part.starts_with("x-apple") || part.ends_with("-extension") ||
               std::find(refused_schemes.begin(), refused_schemes.end(), part) !=
                   refused_schemes.end();
    });
}

// Everything of a loopback URI but its port.
std::optional<std::pair<std::string_view, std::string_view>> loopback_without_port(
    std::string_view uri) {
    const auto parts = split_uri(uri);
    if (!parts || parts->scheme != "http" || parts->has_userinfo || !is_loopback_host(parts->host))
        return std::nullopt;
    return std::pair{parts->host, parts->rest};
}

} // namespace

std::optional<UriParts> split_uri(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || !uri_text(text)) return std::nullopt;
    UriParts parts;
    parts.scheme = text.substr(0, colon);
    parts.rest = text.substr(colon + 1);
    if (!scheme_text(parts.scheme)) return std::nullopt;
    if (!parts.rest.starts_with("//")) return parts;
    parts.hierarchical = true;
    parts.rest.remove_prefix(2);
    const auto end = std::min(parts.rest.find_first_of("/?#"), parts.rest.size());
    const auto authority = parts.rest.substr(0, end);
    parts.rest.remove_prefix(end);
    if (!split_authority(authority, parts)) return std::nullopt;
    return parts;
}

bool is_loopback_host(std::string_view host) {
    return host == "127.0.0.1" || host == "[::1]" || host == "localhost";
}

Checked check_redirect_uri(std::string_view uri) {
    if (uri.size() > max_redirect_uri_bytes)
        return unusable("a redirect URI is at most 2048 bytes long");
    const auto parts = split_uri(uri);
    if (!parts) return unusable("a redirect URI must be absolute and made of RFC 3986 characters");
    if (uri.find('#') != std::string_view::npos)
        return unusable("a redirect URI must have no fragment");
    if (parts->has_userinfo) return unusable("a redirect URI must not carry a user name");
    const auto scheme = lower_ascii(parts->scheme);
    if (scheme == "https" || scheme == "http") {
        if (!parts->hierarchical || parts->host.empty())
            return unusable("a redirect URI must name a host");
        if (scheme == "https" || is_loopback_host(parts->host)) return Nothing{};
        return unusable("an http redirect URI is accepted for 127.0.0.1, [::1] and localhost only");
    }
    if (dangerous_scheme(scheme)) return unusable("this redirect URI scheme is not accepted");
    if (parts->rest.empty() && parts->host.empty())
        return unusable("a redirect URI must have something after its scheme");
    return Nothing{};
}

std::string origin_of(const std::string& uri) {
    const auto rest = split_uri(uri).value_or(UriParts{}).rest;
    return uri.substr(0, uri.size() - rest.size());
}

std::string authority_of(const std::string& uri) {
    const auto parts = split_uri(uri).value_or(UriParts{});
    return std::string(parts.host) + (parts.port.empty() ? "" : ":" + std::string(parts.port));
}

RedirectTarget describe_redirect(std::string_view uri) {
    const auto parts = split_uri(uri).value_or(UriParts{});
    const auto scheme = lower_ascii(parts.scheme);
    if (scheme != "https" && scheme != "http") return {RedirectKind::private_scheme, scheme + ":"};
    auto authority = std::string(parts.host);
    if (!parts.port.empty()) authority += ":" + std::string(parts.port);
    return {scheme == "http" ? RedirectKind::loopback : RedirectKind::https, authority};
}

bool redirect_matches(std::string_view registered, std::string_view requested) {
    if (registered == requested) return true;
    const auto left = loopback_without_port(registered);
    return left && left == loopback_without_port(requested);
}

Checked check_resource_uri(std::string_view uri) {
    const auto parts = split_uri(uri);
    if (!parts || !parts->hierarchical || parts->host.empty())
        return unusable("a resource must be an absolute URI with a host");
    if (uri.find('#') != std::string_view::npos)
        return unusable("a resource must have no fragment");
    if (parts->has_userinfo) return unusable("a resource must not carry a user name");
    const auto scheme = lower_ascii(parts->scheme);
    if (scheme == "https" || (scheme == "http" && is_loopback_host(parts->host))) return Nothing{};
    return unusable("a resource must be https (http for a loopback host only)");
}

bool same_resource(std::string_view left, std::string_view right) {
    const auto a = split_uri(left);
    const auto b = split_uri(right);
    if (!a || !b) return false;
    const auto path = [](std::string_view rest) {
        return rest.empty() ? std::string_view("/") : rest;
    };
    return same_ignoring_case(a->scheme, b->scheme) && same_ignoring_case(a->host, b->host) &&
           a->port == b->port && a->userinfo == b->userinfo && a->has_userinfo == b->has_userinfo &&
           path(a->rest) == path(b->rest);
}

bool spells_resource(std::string_view named, std::string_view resource) {
    const auto plain = [](std::string_view uri) {
        uri = uri.substr(0, uri.find('?'));
        const auto parts = split_uri(uri);
        if (parts && parts->rest.size() > 1 && uri.ends_with('/')) uri.remove_suffix(1);
        return uri;
    };
    return same_resource(named, resource) || same_resource(plain(named), plain(resource));
}

std::string append_query(
    std::string_view uri, const std::vector<std::pair<std::string, std::string>>& parameters) {
    std::string out(uri);
    const auto question = out.find('?');
    char separator = question == std::string::npos ? '?' : '&';
    if (question != std::string::npos && (question + 1 == out.size() || out.back() == '&'))
        separator = '\0';
    for (const auto& [name, value] : parameters) {
        if (separator != '\0') out += separator;
        out += name + "=" + percent_encode(value);
        separator = '&';
    }
    return out;
}

} // namespace consentgate::core
