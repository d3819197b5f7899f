#include "site_lines.h"

#include "consentgate/core/base/text.h"

#include <Poco/NumberParser.h>
#include <Poco/RegularExpression.h>
#include <Poco/String.h>

#include <stdexcept>

namespace consentgate::app {
namespace {

struct Address {
    bool tls = false;
    std::string host, port, path;
};

Address split_address(const std::string& url) {
    static const Poco::RegularExpression shape(
        R"re(^(https?)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]))re"
        R"re((?::([0-9]{1,5}))?(/[A-Za-z0-9/._~-]*)?$)re");
    std::vector<std::string> parts;
    shape.split(url, parts);
    parts.resize(5);
    auto host = parts[2];
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    return {
        .tls = parts[1] == "https",
        .host = host,
        .port = !parts[3].empty()     ? parts[3]
                : parts[1] == "https" ? "443"
                                      : "80",
        .path = parts[4]};
}

std::string escaped(const std::string& path) { return Poco::replace(path, ".", "\\."); }

SiteLines apache_server(const ProtectedServer& server) {
    const auto begin = "Use ConsentgateProtect " + server.path;
    return {.keys = {begin}, .lines = {begin + " " + server.url}};
}

// Without a path, nginx passes the address on as the client wrote it.
SiteLines nginx_server(const ProtectedServer& server) {
    const auto address = split_address(server.url);
    const auto passed = address.path == server.path
                            ? server.url.substr(0, server.url.size() - address.path.size())
                            : server.url;
    return {
        .keys =
            {"location ^~ " + server.path, "location " + server.path, "location = " + server.path},
        .lines = {
            "location ^~ " + server.path + " {", "    include consentgate/protect.conf;",
            "    proxy_pass " + passed + ";", "}"}};
}

SiteLines lighttpd_server(const ProtectedServer& server, const std::string& shared) {
    const auto address = split_address(server.url);
    const auto begin = R"x($HTTP["url"] =~ "^)x" + escaped(server.path) + R"x((/|$)")x";
    SiteLines piece{
        .keys = {begin},
        .lines = {
            begin + " {", "    include \"" + shared + "/lighttpd/protect.conf\"",
            "    proxy.server = ( \"/\" => (( \"host\" => \"" + address.host + "\", \"port\" => " +
                address.port + " )) )"}};
    if (address.path != server.path)
        piece.lines.push_back(
            "    proxy.header = ( \"map-urlpath\" => ( \"" + server.path + "\" => \"" +
            (address.path.empty() ? "/" : address.path) + "\" ) )");
    piece.lines.emplace_back("}");
    return piece;
}

FrontPart apache_part(const std::string& kind, const std::string& name) {
    const auto folder = kind == "mod" ? "mods" : "conf";
    return {
        .name = name,
        .enable = {"a2en" + kind, "-q", name},
        .disable = {"a2dis" + kind, "-q", name},
        .evidence = "/etc/apache2/" + std::string(folder) + "-enabled/" + name +
                    (kind == "mod" ? ".load" : ".conf")};
}

std::vector<FrontPart> apache_parts(bool tls_behind) {
    std::vector<FrontPart> parts;
    for (const auto* name : {"proxy_fcgi", "proxy_http", "authnz_fcgi", "headers", "macro"})
        parts.push_back(apache_part("mod", name));
    if (tls_behind) parts.push_back(apache_part("mod", "ssl"));
    for (const auto* name : {"consentgate", "consentgate-gate"})
        parts.push_back(apache_part("conf", name));
    return parts;
}

} // namespace

ProtectedServer read_protected(WebServer server, const std::string& text) {
    static const Poco::RegularExpression path("^/[A-Za-z0-9/._~-]*[A-Za-z0-9_~-]$");
    const auto equals = std::min(text.find('='), text.size());
    const ProtectedServer read{
        text.substr(0, equals), text.substr(std::min(equals + 1, text.size()))};
    const auto address = split_address(read.url);
    if (!path.match(read.path) || read.path.find("//") != std::string::npos || address.host.empty())
        throw std::runtime_error(
            "--protect takes the path for clients and the address of the MCP server, like "
            "/mcp=http://127.0.0.1:3001/mcp, and not '" +
            text + "'");
    int port = 0;
    if (!Poco::NumberParser::tryParse(address.port, port) || port < 1 || port > 65535)
        throw std::runtime_error("--protect: " + read.url + " has no port from 1 to 65535");
    if (server == WebServer::lighttpd && address.tls)
        throw std::runtime_error(
            "--protect: lighttpd's mod_proxy cannot ask " + read.url +
            " by https; take Apache or nginx as the web server for it");
    return read;
}

std::vector<SiteLines> site_lines(
    WebServer server, const std::vector<ProtectedServer>& servers, const std::string& shared) {
    std::vector<SiteLines> pieces;
    const auto line = [&](const std::string& ours, const std::string& other) {
        pieces.push_back({.keys = {ours, other}, .lines = {ours}});
    };
    const auto lighttpd = [&](const std::string& name) {
        return "include \"" + shared + "/lighttpd/" + name + "\"";
    };
    switch (server) {
    case WebServer::apache: line("Use Consentgate", "Use ConsentgateVerifiedUsers"); break;
    case WebServer::lighttpd: line(lighttpd("pages.conf"), lighttpd("verified_users.conf")); break;
    case WebServer::nginx:
        line("include consentgate/pages.conf;", "include consentgate/verified_users.conf;");
        line("include consentgate/gate.conf;", "include consentgate/gate.conf;");
        break;
    }
    for (const auto& one : servers)
        pieces.push_back(
            server == WebServer::apache     ? apache_server(one)
            : server == WebServer::lighttpd ? lighttpd_server(one, shared)
                                            : nginx_server(one));
    return pieces;
}

std::string pasted(const std::vector<SiteLines>& pieces, const std::string& indent) {
    std::string text;
    for (const auto& piece : pieces)
        for (const auto& line : piece.lines) text += indent + line + "\n";
    return text;
}

Front front_of(WebServer server, bool tls_behind) {
    switch (server) {
    case WebServer::apache:
        return {
            .site_files = {"/etc/apache2/sites-enabled/*.conf"},
            .service = "apache2",
            .gate_socket = "consentgate-gate@tcp.socket",
            .syntax = {"apache2ctl", "configtest"},
            .reload = "reload-or-restart",
            .parts = apache_parts(tls_behind)};
    case WebServer::lighttpd:
        return {
            .site_files = {"/etc/lighttpd/lighttpd.conf", "/etc/lighttpd/conf-enabled/*.conf"},
            .service = "lighttpd",
            .gate_socket = "consentgate-gate@unix.socket",
            .syntax = {"lighttpd", "-tt", "-f", "/etc/lighttpd/lighttpd.conf"},
            // A reload of lighttpd's runs without root's rights and cannot read certificates.
            .reload = "restart",
            .parts = {
                {.name = "consentgate",
                 .enable = {"lighty-enable-mod", "consentgate"},
                 .disable = {"lighty-disable-mod", "consentgate"},
                 .evidence = "/etc/lighttpd/conf-enabled/05-consentgate.conf"}}};
    case WebServer::nginx:
        return {
            .site_files =
                {"/etc/nginx/nginx.conf", "/etc/nginx/conf.d/*.conf", "/etc/nginx/sites-enabled/*"},
            .service = "nginx",
            .gate_socket = "consentgate-gate@unix.socket",
            .syntax = {"nginx", "-t", "-q"},
            .reload = "reload-or-restart",
            .parts = {}};
    }
    return {};
}

std::vector<SiteFile> front_files(
    WebServer server, const std::string& shared, const std::vector<SiteFile>& shipped) {
    std::vector<SiteFile> files;
    switch (server) {
    case WebServer::apache: break; // the package has its files where Apache looks
    case WebServer::lighttpd:
        files.push_back(
            {"/etc/lighttpd/conf-available/05-consentgate.conf",
             "include \"" + shared + "/lighttpd/modules.conf\"\n"});
        break;
    case WebServer::nginx:
        for (const auto& file : shipped)
            files.push_back(
                {"/etc/nginx/consentgate/" + file.path.substr(file.path.rfind('/') + 1),
                 file.text});
        files.push_back({"/etc/nginx/conf.d/consentgate.conf", "include consentgate/http.conf;\n"});
        break;
    }
    return files;
}

} // namespace consentgate::app
