// The plan of `consentgate-admin setup` for this machine. Private to this module.
#pragma once

#include "admin.h"
#include "machine.h"
#include "site_lines.h"

#include <string>
#include <vector>

namespace consentgate::app::admin {

// The operator asks for this.
struct Wish {
    std::string server_name; // "apache"
    WebServer server = WebServer::apache;
    std::string host{};
    std::string origin{}; // https://, and the host
    std::string who{};    // the kinds of people who can come in; empty: as it is
    std::vector<ProtectedServer> servers{};
};

struct Plan {
    Front front;
    std::vector<FileChange> configuration{}; // ours
    bool migrates = false;
    std::vector<std::string> resources{};  // to add
    std::vector<std::string> units{};      // to start, now and with the machine
    std::vector<FileChange> front_files{}; // the web server's
    std::vector<FrontPart> parts{};        // to enable
    std::vector<std::string> notes{};      // what stays as it is, and should be looked at
    std::string paste{};                   // what only a person can write, and why
    bool changes_front() const { return !front_files.empty() || !parts.empty(); }
    bool empty() const {
        return configuration.empty() && !migrates && resources.empty() && units.empty() &&
               !changes_front();
    }
};

bool runs_systemd();
// The folder of the files that were installed with this program.
std::string shared_folder();

// Reads this machine, and changes nothing.
// fail: throws std::runtime_error: what is there contradicts the wish
Plan make_plan(Context& context, const Wish& wish);

// The plan as a person reads it before they agree.
std::string text_of(const Plan& plan, const Wish& wish);

} // namespace consentgate::app::admin
