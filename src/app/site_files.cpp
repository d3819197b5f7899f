#include "site_files.h"

#include "consentgate/core/base/text.h"

#include <Poco/Exception.h>
#include <Poco/RegularExpression.h>
#include <Poco/String.h>

#include <algorithm>

namespace consentgate::app {
namespace {

constexpr auto blanks = " \t\r";

std::string indent_of(const std::string& text, std::size_t at) {
    const auto newline = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
    const auto start = newline == std::string::npos ? 0 : newline + 1;
    const auto first = text.find_first_not_of(" \t", start);
    return text.substr(start, std::min(first, text.size()) - start);
}

// A line without its comment, with one blank between words.
std::string plain_line(std::string_view line) {
    std::string words;
    for (const char c : line) {
        const bool blank = std::string_view(blanks).find(c) != std::string_view::npos;
        if (!blank) words.push_back(c);
        if (blank && !words.empty() && words.back() != ' ') words.push_back(' ');
    }
    while (words.ends_with(' ')) words.pop_back();
    return words.starts_with('#') ? "" : words;
}

bool begins_with(const std::string& line, const std::string& key) {
    if (!Poco::toLower(line).starts_with(Poco::toLower(key))) return false;
    return line.size() == key.size() || line[key.size()] == ' ' || line[key.size()] == '{';
}

struct Line {
    std::string words;
    std::size_t after; // the byte after it in the file
};

bool is_beginning_of(const std::string& line, const SiteLines& piece) {
    return std::any_of(piece.keys.begin(), piece.keys.end(), [&](const std::string& key) {
        return begins_with(line, key);
    });
}

// Whether the lines from `first` on say what the piece says, however they are broken.
bool has_form(const std::vector<Line>& lines, std::size_t first, const SiteLines& piece) {
    const auto& keys = piece.keys; // a key that is a whole line is another form of the same
    if (std::find(keys.begin(), keys.end(), lines[first].words) != keys.end() &&
        piece.lines.size() == 1)
        return true;
    std::string ours, theirs;
    for (const auto& line : piece.lines) ours += plain_line(line) + " ";
    for (auto i = first; i < lines.size() && theirs.size() < ours.size(); ++i)
        if (!lines[i].words.empty()) theirs += lines[i].words + " ";
    return theirs.starts_with(ours);
}

std::vector<Line> lines_of(const std::string& text, const Site& site) {
    std::vector<Line> lines;
    for (auto at = site.begin; at < site.end;) {
        const auto newline = std::min(text.find('\n', at), site.end);
        const auto after = std::min(newline + 1, site.end);
        lines.push_back({plain_line(std::string_view(text).substr(at, newline - at)), after});
        at = after;
    }
    return lines;
}

// The indentation of what stands in the site already.
std::string indent_inside(const std::string& text, const Site& site) {
    for (auto at = site.begin; at < site.end; at = std::min(text.find('\n', at), site.end) + 1) {
        const auto first = text.find_first_not_of(" \t", at);
        if (first >= site.end) break;
        const bool whole = at > 0 && text[at - 1] == '\n'; // not the rest of the opening line
        if (whole && text[first] != '\n' && text[first] != '\r') return text.substr(at, first - at);
    }
    return indent_of(text, site.begin == 0 ? 0 : site.begin - 1) + "    ";
}

std::string insertion_of(const std::string& indent, const std::vector<SiteLines>& missing) {
    std::string lines;
    for (const auto& piece : missing)
        for (const auto& line : piece.lines) lines += (line.empty() ? "" : indent) + line + "\n";
    return lines;
}

// Keeps those that are wanted, or all where none is.
std::vector<Site> narrow(std::vector<Site> sites, bool (*wanted)(const Site&)) {
    std::vector<Site> better;
    std::copy_if(sites.begin(), sites.end(), std::back_inserter(better), wanted);
    return better.empty() ? sites : better;
}

bool is_of(WebServer server, const std::string& name, const std::string& host, bool& by_pattern) {
    const auto same = Poco::toLower(name) == Poco::toLower(host);
    by_pattern = !same;
    if (same) return true;
    switch (server) {
    case WebServer::apache: return fits_wildcard(name, host);
    case WebServer::lighttpd: return name.starts_with('~') && fits_expression(name.substr(1), host);
    case WebServer::nginx:
        if (name.starts_with('~'))
            return fits_expression(name.substr(name.starts_with("~*") ? 2 : 1), host);
        if (name.starts_with('.'))
            return fits_wildcard("*" + name, host) || fits_wildcard(name.substr(1), host);
        return (name.starts_with("*.") || name.ends_with(".*")) && fits_wildcard(name, host);
    }
    return false;
}

} // namespace

std::optional<WebServer> web_server_of(const std::string& name) {
    if (name == "apache") return WebServer::apache;
    if (name == "lighttpd") return WebServer::lighttpd;
    if (name == "nginx") return WebServer::nginx;
    return std::nullopt;
}

bool fits_wildcard(std::string_view pattern, std::string_view host) {
    if (pattern.empty()) return host.empty();
    if (pattern[0] == '*') {
        for (std::size_t skipped = 0; skipped <= host.size(); ++skipped)
            if (fits_wildcard(pattern.substr(1), host.substr(skipped))) return true;
        return false;
    }
    if (host.empty()) return false;
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return (pattern[0] == '?' || lower(pattern[0]) == lower(host[0])) &&
           fits_wildcard(pattern.substr(1), host.substr(1));
}

bool fits_expression(const std::string& expression, const std::string& host) {
    try {
        Poco::RegularExpression::Match found;
        return Poco::RegularExpression(expression, Poco::RegularExpression::RE_CASELESS)
                   .match(host, 0, found) > 0;
    } catch (const Poco::Exception&) {
        return false;
    }
}

std::vector<Site> find_sites(
    WebServer server, const std::vector<SiteFile>& files, const std::string& host) {
    std::vector<Site> found;
    for (std::size_t file = 0; file < files.size(); ++file) {
        const auto& text = files[file].text;
        const auto all = server == WebServer::apache     ? apache_sites(text)
                         : server == WebServer::lighttpd ? lighttpd_sites(text)
                                                         : nginx_sites(text);
        for (auto [site, names] : all) {
            site.file = file;
            std::optional<bool> by_pattern;
            for (const auto& name : names) {
                bool pattern = false;
                if (is_of(server, name, host, pattern))
                    by_pattern = pattern && by_pattern.value_or(true);
            }
            if (!by_pattern) continue;
            site.by_pattern = *by_pattern;
            found.push_back(site);
        }
    }
    found = narrow(std::move(found), [](const Site& site) { return !site.by_pattern; });
    return narrow(
        std::move(found), [](const Site& site) { return site.transport != Transport::plain; });
}

SiteChange add_site_lines(
    WebServer server, const std::string& text, const Site& site,
    const std::vector<SiteLines>& wanted) {
    SiteChange change;
    std::vector<SiteLines> missing;
    const auto lines = lines_of(text, site);
    auto at = server == WebServer::lighttpd ? site.end : site.begin;
    for (const auto& piece : wanted) {
        const auto found = std::find_if(lines.begin(), lines.end(), [&](const Line& line) {
            return is_beginning_of(line.words, piece);
        });
        if (found == lines.end()) {
            missing.push_back(piece);
            continue;
        }
        const auto first = static_cast<std::size_t>(found - lines.begin());
        if (!has_form(lines, first, piece)) change.kept.push_back(found->words);
        // The pieces that follow in our order stand after it.
        if (piece.lines.size() == 1 && server != WebServer::lighttpd)
            at = std::max(at, found->after);
    }
    auto added = insertion_of(indent_inside(text, site), missing);
    // The opening or closing brace shares its line with something else.
    if (!added.empty() && at > 0 && text[at - 1] != '\n') added.insert(0, "\n");
    change.text = text.substr(0, at) + added + text.substr(at);
    return change;
}

bool has_line(const std::vector<SiteFile>& files, const std::string& line) {
    const auto wanted = plain_line(line.substr(0, line.find('\n')));
    return !wanted.empty() && std::any_of(files.begin(), files.end(), [&](const SiteFile& file) {
        const auto lines = lines_of(file.text, {.begin = 0, .end = file.text.size()});
        return std::any_of(
            lines.begin(), lines.end(), [&](const Line& one) { return one.words == wanted; });
    });
}

} // namespace consentgate::app
