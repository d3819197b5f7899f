// The lines that `consentgate-admin setup` writes for each web server, which docs/gate.md has for
// people who write them by hand; and where Debian has the web server's files. Private to this
// module.
#pragma once

#include "site_files.h"

#include <string>
#include <vector>

namespace consentgate::app {

// A guarded MCP server: the path at which clients find it, and its own address.
struct ProtectedServer {
    std::string path; // "/mcp"
    std::string url;  // "http://127.0.0.1:3001/mcp"
};

// "/mcp=http://127.0.0.1:3001/mcp". Takes only signs that mean nothing in a web server's file.
// fail: throws std::runtime_error: not of this form, or this web server cannot do it
ProtectedServer read_protected(WebServer server, const std::string& text);

// in: shared  the folder of the shipped files; lighttpd includes them where they are
std::vector<SiteLines> site_lines(
    WebServer server, const std::vector<ProtectedServer>& servers, const std::string& shared);

// The lines as a person pastes them into a virtual host.
std::string pasted(const std::vector<SiteLines>& pieces, const std::string& indent);

// A module or file that a program of Debian's enables.
struct FrontPart {
    std::string name;
    std::vector<std::string> enable, disable; // commands
    std::string evidence;                     // the file that is there when it is enabled
};

struct Front {
    std::vector<std::string> site_files; // patterns of the files in use
    std::string service;                 // as systemd calls it
    std::string gate_socket;             // the socket by which it can ask the gate
    std::vector<std::string> syntax;     // the command that checks its files
    std::string reload;                  // what makes it read all of them anew
    std::vector<FrontPart> parts;
};
// in: tls_behind  whether a server behind is asked by https
Front front_of(WebServer server, bool tls_behind);

// The files outside of virtual hosts, by their names.
std::vector<SiteFile> front_files(
    WebServer server, const std::string& shared, const std::vector<SiteFile>& shipped);

} // namespace consentgate::app
