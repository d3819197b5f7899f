// The doctor's rules for this machine: whether the services may use their files, whether the web
// server reaches them, and whether others reach the servers behind.
// spec: docs/requirements_from_use.md XF3
#pragma once

#include "consentgate/app/finding.h"
#include "consentgate/sys/machine.h"

#include <string>
#include <vector>

namespace consentgate::app {

// A file that the services need, and the folder in which it lies.
struct NeededFile {
    std::string what; // "the key file"
    sys::FileFacts file, folder;
    bool written = false; // they write it, and beside it
    std::string family{}; // the names of all that belongs to one owner with it; empty: itself alone
};

// No other user of this machine may read it.
Finding check_mode(const NeededFile& needed);

// in: user  as whom the services run
Finding check_usable(const NeededFile& needed, const sys::Account& user);

// A socket of ours that the web server's configuration names.
struct NamedDoor {
    bool gate = false; // or the pages
    std::string address, where;
    sys::Listening listening = sys::Listening::unknown;
    sys::FileFacts shut{}; // what the web server's user may not use on the way; no path: nothing
    std::string web_user{};
};
std::vector<Finding> check_doors(const std::vector<NamedDoor>& doors);

// A server behind, as the web server or the operator names it.
struct ServerBehind {
    std::string url;   // http://127.0.0.1:3001/mcp
    std::string where; // the line that names it; empty: the operator
    std::string path;  // under which the web server passes it on; empty: unknown
};

// Whether others than the web server reach it.
// in: listeners  of this machine; own  its addresses
Finding check_reachable_past(
    const ServerBehind& server, const std::vector<sys::Listener>& listeners,
    const std::vector<std::string>& own);

// in: listening  at its address
Finding check_server_listens(const ServerBehind& server, sys::Listening listening);

} // namespace consentgate::app
