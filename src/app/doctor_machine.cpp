#include "consentgate/app/doctor_machine.h"

#include "consentgate/core/base/address.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"

#include <algorithm>

namespace consentgate::app {
namespace {

constexpr unsigned read_right = 4, write_right = 2, enter_right = 1;

std::string octal(unsigned mode) {
    std::string digits;
    for (const unsigned shift : {9U, 6U, 3U, 0U})
        digits += static_cast<char>('0' + ((mode >> shift) & 7U));
    return digits;
}

// The package's unit for such a socket. A pattern would do nothing: systemd starts none by it that
// it has not loaded.
std::string unit_of(const NamedDoor& door) {
    if (!door.gate) return "consentgate.socket";
    return door.address.starts_with('/') ? "consentgate-gate@unix.socket"
                                         : "consentgate-gate@tcp.socket";
}

Finding check_door(const NamedDoor& door) {
    const std::string who = door.gate ? "the gate" : "consentgate's pages";
    const std::string idle = who + (door.gate ? " does not run" : " do not run");
    const auto cause = door.gate ? Cause::gate_away : Cause::pages_away;
    const auto what = door.address + ", which the web server asks (" + door.where + ")";
    switch (door.listening) {
    case sys::Listening::missing:
        return {
            Verdict::broken, idle + ": there is no socket " + what,
            "systemctl enable --now " + unit_of(door) + "; or name in that line the socket where " +
                (door.gate ? "it is" : "they are"),
            cause};
    case sys::Listening::refused:
        return {
            Verdict::broken, idle + ": nobody listens at " + what,
            "systemctl enable --now " + unit_of(door) + "; why it ended: journalctl -u " +
                (door.gate ? "'consentgate-gate@*'" : "consentgate"),
            cause};
    case sys::Listening::yes:
    case sys::Listening::unknown: break;
    }
    if (door.shut.path.empty())
        return {Verdict::ok, "the web server reaches " + who + " at " + door.address};
    const bool itself = door.shut.path == door.address;
    return {
        Verdict::broken,
        "the web server's user " + door.web_user + " may not use " + door.shut.path + " (mode " +
            octal(door.shut.mode) + "), so it does not reach " + who,
        itself ? "SocketMode=0660 and SocketGroup=" + door.web_user + " in the unit of " +
                     unit_of(door) + " (spawn-fcgi -M 0660 -G " + door.web_user + "); now: chgrp " +
                     door.web_user + " " + door.address + " && chmod 0660 " + door.address
               : "chmod o+x " + door.shut.path,
        itself ? cause : Cause::programs};
}

bool is_everywhere(const std::string& address) {
    return std::all_of(address.begin(), address.end(), [](char c) { return c == '\0'; });
}

int port_of(const core::UriParts& uri) {
    if (!uri.port.empty()) return static_cast<int>(core::parse_number(uri.port).value_or(0));
    return uri.scheme == "https" ? 443 : 80;
}

std::string named(const ServerBehind& server) {
    return "the server behind " + (server.path.empty() ? server.url : server.path) +
           (server.where.empty() ? "" : " (" + server.where + ")");
}

} // namespace

Finding check_mode(const NeededFile& needed) {
    const auto& file = needed.file;
    if (!file.exists)
        return {
            Verdict::broken,
            needed.what + " " + file.path + " does not exist, or you may not see it",
            "run the doctor as root; a new server makes it with consentgate-admin migrate",
            needed.written ? Cause::database : Cause::key_file};
    if ((file.mode & 077U) == 0)
        return {Verdict::ok, needed.what + " is readable by its owner alone"};
    return {
        Verdict::broken, "others of this machine may read " + needed.what + " " + file.path,
        "chmod 600 " + file.path, needed.written ? Cause::other : Cause::key_file};
}

Finding check_usable(const NeededFile& needed, const sys::Account& user) {
    const auto what = needed.what + " is " + user.name + "'s to use";
    const auto own = "chown " + user.name + ": ";
    const unsigned rights = read_right | (needed.written ? write_right : 0);
    const auto refused = [&](const std::string& path, unsigned mode, const std::string& owned) {
        return Finding{
            Verdict::broken,
            "the services run as " + user.name + ", who may not " +
                (needed.written ? "write " : "read ") + path + " (mode " + octal(mode) +
                "): a command as another user made it",
            own + owned, Cause::files};
    };
    if (!needed.file.exists) return {Verdict::ok, what};
    if (!sys::may_use(needed.file, user, rights))
        return refused(
            needed.file.path, needed.file.mode,
            needed.family.empty() ? needed.file.path : needed.family);
    // SQLite makes files beside the database.
    const unsigned in_folder = enter_right | (needed.written ? write_right : 0);
    if (!sys::may_use(needed.folder, user, in_folder))
        return refused(needed.folder.path, needed.folder.mode, needed.folder.path);
    return {Verdict::ok, what};
}

std::vector<Finding> check_doors(const std::vector<NamedDoor>& doors) {
    std::vector<Finding> findings;
    std::string units;
    for (const auto& door : doors) {
        findings.push_back(check_door(door));
        if (units.find(unit_of(door)) == std::string::npos)
            units += (units.empty() ? "" : " ") + unit_of(door);
    }
    const auto away = [&](Cause cause) {
        return std::any_of(findings.begin(), findings.end(), [&](const Finding& finding) {
            return finding.verdict == Verdict::broken && finding.cause == cause &&
                   finding.what.find(" not run: ") != std::string::npos;
        });
    };
    if (away(Cause::pages_away) && away(Cause::gate_away))
        findings.insert(
            findings.begin(),
            {Verdict::broken, "consentgate does not run: neither its pages nor the gate listen",
             "systemctl enable --now " + units +
                 "; journalctl -u consentgate says why it ended; consentgate-admin check, what the "
                 "configuration lacks",
             Cause::programs});
    return findings;
}

Finding check_reachable_past(
    const ServerBehind& server, const std::vector<sys::Listener>& listeners,
    const std::vector<std::string>& own) {
    const auto uri = core::split_uri(server.url).value_or(core::UriParts{});
    const Finding well{Verdict::ok, named(server) + " is reached by way of the web server alone"};
    // One on another machine, or at a service, has doors of its own.
    if (!core::is_loopback_host(uri.host)) return well;
    for (const auto& listener : listeners) {
        if (listener.port != port_of(uri) || core::is_loopback_address(listener.address)) continue;
        const bool everywhere = is_everywhere(listener.address);
        const bool is_public =
            core::is_public_address(listener.address) ||
            (everywhere && std::any_of(own.begin(), own.end(), [](const auto& one) {
                 return core::is_public_address(one);
             }));
        return {
            is_public ? Verdict::broken : Verdict::note,
            named(server) + " listens " +
                (everywhere ? "on every address of this machine" : "on an address of the network") +
                ", port " + std::to_string(listener.port) +
                ": whoever reaches it there needs no token",
            "let that server listen on 127.0.0.1 or a Unix socket; a firewall must close the port "
            "until then",
            Cause::reachable_past, server.path};
    }
    return well;
}

Finding check_server_listens(const ServerBehind& server, sys::Listening listening) {
    if (listening != sys::Listening::refused && listening != sys::Listening::missing)
        return {Verdict::ok, named(server) + " is there"};
    return {
        Verdict::broken,
        "nothing listens at " + server.url + ", where calls of " +
            (server.path.empty() ? "it" : server.path) + " go",
        (server.where.empty() ? std::string() : server.where + ": ") +
            "start the MCP server, or name the address where it listens",
        Cause::server_behind, server.path};
}

} // namespace consentgate::app
