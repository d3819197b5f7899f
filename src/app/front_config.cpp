#include "consentgate/app/front_config.h"

#include "front_words.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

namespace consentgate::app {
namespace {

bool inside(const ConfigLine& line, std::string_view part) {
    return std::any_of(line.blocks.begin(), line.blocks.end(), [&](const ConfigBlock& block) {
        return holds(block.text, part);
    });
}

// The text between a part and the next of some ends; empty when the part is not there.
std::string after(const std::string& text, std::string_view part, std::string_view ends) {
    const auto at = text.find(part);
    if (at == std::string::npos) return {};
    const auto from = at + part.size();
    return text.substr(from, text.find_first_of(ends, from) - from);
}

// The path of `location ^~ /mcp`, `Location "/mcp"` or `$HTTP["url"] =~ "^/mcp(/|$)"`.
std::string path_of_block(const std::string& block) {
    const auto slash = block.find('/');
    if (slash == std::string::npos) return {};
    return block.substr(slash, block.find_first_of(" \"'()$?*|;", slash) - slash);
}

class Understanding {
public:
    Understanding(FrontKind kind, std::vector<ConfigLine> lines)
        : config_{.kind = kind, .lines = std::move(lines)} {}

    FrontConfig run() {
        for (const auto& line : config_.lines) {
            words_ = words_of(line.text);
            switch (config_.kind) {
            case FrontKind::apache: apache(line); break;
            case FrontKind::nginx: nginx(line); break;
            case FrontKind::lighttpd: lighttpd(line); break;
            case FrontKind::unknown: break;
            }
        }
        for (auto& passed : unguarded_) {
            passed.second.guarded = guards_.contains(passed.first);
            config_.passed.push_back(std::move(passed.second));
        }
        return std::move(config_);
    }

private:
    void add_socket(std::vector<NamedSocket>& sockets, std::string address, std::string where) {
        const bool known = std::any_of(sockets.begin(), sockets.end(), [&](const NamedSocket& one) {
            return one.address == address;
        });
        if (!address.empty() && !known) sockets.push_back({std::move(address), std::move(where)});
    }

    // With `Define` in place of ${…}. out: and the line of the last one that was put in
    std::pair<std::string, std::string> expand(std::string text, std::string where) const {
        for (const auto& [name, value] : defined_) {
            const auto at = text.find("${" + name + "}");
            if (at == std::string::npos) continue;
            text.replace(at, name.size() + 3, value.first);
            where = value.second;
        }
        return {text, where};
    }

    void apache(const ConfigLine& line) {
        const auto directive = core::lower_ascii(word_at(words_, 0));
        const bool template_line = inside(line, "Macro ");
        if (directive == "define")
            defined_[word_at(words_, 1)] = {word_at(words_, 2), line.where()};
        if (directive == "user") config_.user = word_at(words_, 1);
        if (config_.user == "${APACHE_RUN_USER}") config_.user = "www-data";
        if (holds(line.text, "fcgi://consentgate")) {
            auto [address, where] = expand(after(line.text, "unix:", "|"), line.where());
            add_socket(config_.pages, std::move(address), std::move(where));
        }
        if (directive == "authnzfcgidefineprovider" && word_at(words_, 2) == "consentgate")
            add_socket(config_.gates, after(line.text, "fcgi://", "/ "), line.where());
        if (template_line) return;
        if (directive == "use" && word_at(words_, 1) == "ConsentgateProtect")
            config_.passed.push_back(
                {word_at(words_, 2), word_at(words_, 3), line.where(), line.text, true});
        if (directive != "proxypass" && directive != "proxypassmatch") return;
        const bool in_location = words_.size() < 3 || !word_at(words_, 2).starts_with("http");
        auto path = in_location && !line.blocks.empty() ? path_of_block(line.blocks.back().text)
                                                        : word_at(words_, 1);
        const auto url = word_at(words_, in_location ? 1 : 2);
        if (url.starts_with("http"))
            config_.passed.push_back({std::move(path), url, line.where(), line.text, false});
    }

    void nginx(const ConfigLine& line) {
        const auto directive = word_at(words_, 0);
        const auto value = word_at(words_, 1);
        if (directive == "user") config_.user = value;
        if (directive == "fastcgi_pass" && value.starts_with("unix:")) {
            if (inside(line, "_consentgate_gate"))
                add_socket(config_.gates, value.substr(5), line.where());
            else if (holds(line.file, "consentgate/") || inside(line, "oauth"))
                add_socket(config_.pages, value.substr(5), line.where());
        }
        if (line.blocks.empty()) return;
        const auto& block = line.blocks.back();
        if (directive == "auth_request" && value != "off") guards_.insert({block.id, true});
        if (directive == "proxy_pass")
            unguarded_.push_back(
                {block.id, {path_of_block(block.text), value, line.where(), line.text, false}});
    }

    void lighttpd(const ConfigLine& line) {
        const auto& text = line.text;
        if (text.starts_with("server.username")) config_.user = after(text, "\"", "\"");
        // The last assignment counts.
        if (text.starts_with("var.consentgate_socket "))
            config_.pages = {{after(text, "\"", "\""), line.where()}};
        if (text.starts_with("var.consentgate_gate "))
            config_.gates = {{after(text, "\"", "\""), line.where()}};
        const auto block = line.blocks.empty() ? ConfigBlock{} : line.blocks.back();
        if (holds(text, "authorizer")) guards_.insert({block.id, true});
        if (!text.starts_with("proxy.server")) return;
        const auto host =
            after(text.substr(std::min(text.find("\"host\""), text.size())), "=> \"", "\"");
        const auto port =
            after(text.substr(std::min(text.find("\"port\""), text.size())), "=> ", " ,)");
        auto path = path_of_block(block.text);
        if (path.empty()) path = after(text, "\"", "\"");
        unguarded_.push_back(
            {block.id,
             {std::move(path), "http://" + host + (port.empty() ? "" : ":" + port), line.where(),
              text, false}});
    }

    FrontConfig config_;
    std::vector<std::string> words_;
    std::map<std::string, std::pair<std::string, std::string>> defined_;
    std::map<int, bool> guards_;                        // blocks in which the gate is asked
    std::vector<std::pair<int, PassedPath>> unguarded_; // as far as their lines show
};

// The paths that a passed path covers. in: path  of a resource
bool covers(const PassedPath& passed, const std::string& path) {
    auto from = passed.path;
    while (from.size() > 1 && from.ends_with('/')) from.pop_back();
    if (from == "/" || from.empty()) return true;
    return core::lower_ascii(path).starts_with(core::lower_ascii(from));
}

std::string path_of_url(const std::string& url) {
    const auto rest = std::string(core::split_uri(url).value_or(core::UriParts{}).rest);
    return rest.empty() ? "/" : rest;
}

std::string named(const ConfigLine& line) {
    constexpr std::size_t most = 100;
    return line.where() + ": `" + line.text.substr(0, most) + "`";
}

// A statement that is known to do harm of a kind. in: parts  all of which are in the line
struct Suspect {
    Cause cause;
    std::vector<std::string_view> parts;
};

const Suspect suspects[] = {
    {Cause::authorization, {"CGIPassAuth", "Off"}},
    {Cause::authorization, {"fastcgi_pass_request_headers", "off"}},
    {Cause::names, {"ignore_invalid_headers", "off"}},
    {Cause::names, {"underscores_in_headers", "on"}},
    {Cause::body, {"client_max_body_size", "k"}},
    {Cause::body, {"LimitRequestBody"}},
    {Cause::body, {"server.max-request-size"}},
    {Cause::cached, {"proxy_ignore_headers", "Cache-Control"}},
    {Cause::cached, {"CacheStoreNoStore", "On"}},
    {Cause::redirect_method, {"R=301"}},
    {Cause::redirect_method, {"return 301"}},
    {Cause::redirect_method, {"Redirect", "https://"}},
    {Cause::redirect_method, {"url.redirect"}},
    {Cause::plain_http, {"return 301 http:"}},
    {Cause::plain_http, {"return 302 http:"}},
    {Cause::buffered, {"proxy_buffering", "on"}},
    {Cause::http2, {"server.h2proto", "enable"}},
};

bool is_template(const ConfigLine& line) { return inside(line, "Macro "); }

// Whether it answers at our addresses and is none of ours.
bool answers_at_ours(const ConfigLine& line) {
    static const std::array<std::string_view, 11> verbs{
        "return", "root",      "alias",    "try_files",   "proxy_pass", "rewrite",
        "Alias",  "ProxyPass", "Redirect", "RewriteRule", "SetHandler"};
    const bool ours = inside(line, "well-known") || inside(line, "oauth") ||
                      holds(line.text, "well-known") || holds(line.text, "/oauth");
    return ours && !holds(line.text, "consentgate") && !is_template(line) &&
           std::any_of(verbs.begin(), verbs.end(), [&](std::string_view verb) {
               return line.text.starts_with(verb);
           });
}

std::string passed_line(const Finding& finding, const FrontConfig& config) {
    const auto path = path_of_url(finding.path);
    const bool open = finding.cause == Cause::open_server;
    for (const auto& passed : config.passed)
        if (passed.guarded != open && covers(passed, path))
            return passed.where + ": `" + passed.text + "`";
    return {};
}

} // namespace

FrontConfig understand(FrontKind kind, std::vector<ConfigLine> lines) {
    return Understanding(kind, std::move(lines)).run();
}

std::string suspect_line(const Finding& finding, const FrontConfig& config) {
    if (finding.cause == Cause::open_server || finding.cause == Cause::server_behind)
        return passed_line(finding, config);
    for (const auto& line : config.lines) {
        if (is_template(line)) continue;
        if (finding.cause == Cause::mount && answers_at_ours(line)) return named(line);
        const bool limits = holds(line.text, "OPTIONS") && !holds(line.text, "onsentgate") &&
                            !holds(line.file, "consentgate/");
        if (finding.cause == Cause::preflight && limits) return named(line);
    }
    for (const auto& suspect : suspects) {
        if (suspect.cause != finding.cause) continue;
        for (const auto& line : config.lines) {
            const bool all =
                std::all_of(suspect.parts.begin(), suspect.parts.end(), [&](std::string_view part) {
                    return holds(line.text, part);
                });
            if (all) return named(line);
        }
    }
    return {};
}

std::string fix_for(const std::string& fix, FrontKind kind) {
    if (kind == FrontKind::unknown) return fix;
    static const std::array<std::pair<std::string_view, FrontKind>, 3> names{
        {{"Apache: ", FrontKind::apache},
         {"nginx: ", FrontKind::nginx},
         {"lighttpd: ", FrontKind::lighttpd}}};
    std::vector<std::pair<std::size_t, FrontKind>> parts;
    for (const auto& [name, of] : names) {
        const auto at = fix.find(name);
        if (at != std::string::npos) parts.emplace_back(at, of);
    }
    if (parts.empty()) return fix;
    std::sort(parts.begin(), parts.end());
    auto out = fix.substr(0, parts.front().first);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (parts[i].second != kind) continue;
        const auto end = i + 1 < parts.size() ? parts[i + 1].first : fix.size();
        const auto name = fix.find(": ", parts[i].first) + 2;
        out += fix.substr(name, end - name);
    }
    while (out.ends_with(' ') || out.ends_with(';') || out.ends_with('.')) out.pop_back();
    return out;
}

} // namespace consentgate::app
