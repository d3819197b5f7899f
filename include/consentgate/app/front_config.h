// The configuration of a web server, as far as the doctor needs it to name a line about
// consentgate: read as text, by no means as the web server would. Whether something is right, an
// answer shows; here stands only where to change it.
// spec: docs/requirements_from_use.md XF3
#pragma once

#include "consentgate/app/finding.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace consentgate::app {

enum class FrontKind { unknown, apache, nginx, lighttpd };
// in: server  what it calls itself, or the name of its configuration file
FrontKind front_kind_of(const std::string& server);

// A block around a line: "location /mcp", "VirtualHost *:443". The id tells two of one text apart.
struct ConfigBlock {
    std::string text;
    int id = 0;
};

struct ConfigLine {
    std::string file;
    std::size_t number = 0;            // where it begins
    std::string text;                  // without comments, ends and line breaks
    std::vector<ConfigBlock> blocks{}; // outermost first

    std::string where() const { return file + ":" + std::to_string(number); }
};

// in:  file  the main one; what it includes is read in its place
//      read  absent: it cannot be read
//      list  the files of a pattern with * and ?, in the order of their names
struct ConfigSource {
    std::function<std::optional<std::string>(const std::string& file)> read;
    std::function<std::vector<std::string>(const std::string& pattern)> list;
};
std::vector<ConfigLine> read_front_config(
    FrontKind kind, const std::string& file, const ConfigSource& source);

struct NamedSocket {
    std::string address; // a path, or 127.0.0.1:9008
    std::string where;   // the line that names it
    bool operator==(const NamedSocket&) const = default;
};

// A path that is passed on to a server behind.
struct PassedPath {
    std::string path, url, where, text;
    bool guarded = false; // beside the line stands what asks the gate
};

struct FrontConfig {
    FrontKind kind = FrontKind::unknown;
    std::vector<ConfigLine> lines{};
    std::vector<NamedSocket> pages{}, gates{};
    std::vector<PassedPath> passed{};
    std::string user{}; // as whom it works; empty: not said

    bool is_ours() const { return !pages.empty() || !gates.empty(); } // consentgate is in it
};
FrontConfig understand(FrontKind kind, std::vector<ConfigLine> lines);

// Modules that are missing or in the wrong order: there every answer is wrong.
std::vector<Finding> check_modules(const FrontConfig& config);

// The lines that a finding is probably about, as "FILE:12: `text`"; empty: none is known.
std::string suspect_line(const Finding& finding, const FrontConfig& config);

// The part of a remedy that is for this web server. Remedies say "Apache: …; nginx: …" after what
// is for all.
std::string fix_for(const std::string& fix, FrontKind kind);

} // namespace consentgate::app
