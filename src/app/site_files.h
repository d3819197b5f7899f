// The site files of web servers: where the virtual host of a name is, and its text with lines of
// ours. Pure functions of texts. Private to this module.
//
// Poco and the web servers' own tools have nothing for this: apache2ctl -S and nginx -T tell of
// files that are enabled, and only as root, but not where in one a line may stand.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::app {

enum class WebServer { apache, lighttpd, nginx };

// out: absent: no such web server
std::optional<WebServer> web_server_of(const std::string& name);

struct SiteFile {
    std::string path;
    std::string text;
};

enum class Transport { both, plain, tls }; // both: nothing says which

// A virtual host: what stands between text[begin] and text[end] of a file.
struct Site {
    std::size_t file = 0;  // its place in the list of files
    std::size_t begin = 0; // a line may be written here
    std::size_t end = 0;   // and here
    std::size_t line = 0;  // of its opening, from 1
    bool by_pattern = false;
    Transport transport = Transport::both;
};

// The virtual hosts that answer for `host`. One that has the very name wins over one whose pattern
// fits, and one with TLS over one without, as a port-80 redirect is.
// out: none, the one, or those between which only a person can choose
std::vector<Site> find_sites(
    WebServer server, const std::vector<SiteFile>& files, const std::string& host);

// One piece of what setup writes into a virtual host.
struct SiteLines {
    // How its first line begins, in each way that people write it. A site with such a line is left
    // as it is.
    std::vector<std::string> keys;
    std::vector<std::string> lines;
};

struct SiteChange {
    std::string text;              // of the whole file
    std::vector<std::string> kept; // the first lines of what the site has in another form than ours
};

// Adds those lines that the virtual host does not have, in its own indentation: for lighttpd at the
// end, where they win over what stands before; else at the beginning. A second time it adds none.
SiteChange add_site_lines(
    WebServer server, const std::string& text, const Site& site,
    const std::vector<SiteLines>& wanted);

// Whether one of the files has this line, somewhere and not as a comment.
bool has_line(const std::vector<SiteFile>& files, const std::string& line);

// These list every virtual host of a file. Their names are as each web server reads them: a text, a
// pattern, or a regular expression.
struct NamedSite {
    Site site;
    std::vector<std::string> names; // as written
};
std::vector<NamedSite> apache_sites(const std::string& text);
std::vector<NamedSite> nginx_sites(const std::string& text);
std::vector<NamedSite> lighttpd_sites(const std::string& text);

// `*` and `?` stand for any text and any sign; neither side's case counts.
bool fits_wildcard(std::string_view pattern, std::string_view host);
// fail: false: it is no regular expression
bool fits_expression(const std::string& expression, const std::string& host);

} // namespace consentgate::app
