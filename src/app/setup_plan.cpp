#include "setup_plan.h"

#include "setup_texts.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/usecase/maintenance.h"
#include "consentgate/usecase/resource_servers.h"

#include <Poco/Glob.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <stdexcept>

namespace consentgate::app::admin {
namespace {

std::optional<std::string> read_if_there(const std::string& path) {
    return std::filesystem::exists(path) ? std::optional(read_whole(path)) : std::nullopt;
}

void add_change(std::vector<FileChange>& changes, FileChange change) {
    if (change.before != change.after) changes.push_back(std::move(change));
}

void plan_configuration(const std::string& path, const Wish& wish, Plan& plan) {
    const auto before = read_whole(path);
    const auto issuer = config_value(before, "issuer").value_or("");
    if (!issuer.empty() && core::origin_of(issuer) != wish.origin)
        throw std::runtime_error(
            path + " has the issuer " + issuer +
            ", which clients know: take its host for --host, or change the issuer there");
    auto after = issuer.empty() ? with_config_value(before, "issuer", wish.origin) : before;
    if (!wish.who.empty() && config_value(before, "identities") != wish.who)
        after = with_config_value(after, "identities", wish.who);
    add_change(plan.configuration, {path, before, after});
}

// The database can be asked only with a sound configuration.
void plan_database(Context& context, const Wish& wish, Plan& plan) {
    bool ready = false;
    try {
        const auto& config = context.config();
        ready = std::filesystem::exists(config.key_file) &&
                usecase::check_health(context.deps()).ready();
    } catch (const ConfigError&) {
        if (plan.configuration.empty()) throw; // we would not make it sound
    }
    plan.migrates = !ready;
    for (const auto& server : wish.servers) {
        const auto url = wish.origin + server.path;
        if (!ready || !usecase::find_resource_server(context.deps(), url))
            plan.resources.push_back(url);
    }
}

void plan_units(Plan& plan) {
    if (!runs_systemd()) {
        plan.notes.emplace_back(
            "no systemd runs here: start both programs as docs/operating.md says (Without the "
            "package, without systemd)");
        return;
    }
    for (const auto& unit : {std::string("consentgate.socket"), plan.front.gate_socket}) {
        const bool enabled = run_program({"systemctl", "--quiet", "is-enabled", unit}).well() &&
                             run_program({"systemctl", "--quiet", "is-active", unit}).well();
        if (!enabled) plan.units.push_back(unit);
    }
}

// Each file once, under its own name: sites-enabled has links to sites-available.
std::vector<SiteFile> read_site_files(const Front& front) {
    std::set<std::string> paths;
    for (const auto& pattern : front.site_files) {
        std::set<std::string> found;
        Poco::Glob::glob(pattern, found);
        for (const auto& path : found)
            if (std::filesystem::is_regular_file(path))
                paths.insert(std::filesystem::canonical(path));
    }
    std::vector<SiteFile> files;
    for (const auto& path : paths) files.push_back({path, read_whole(path)});
    return files;
}

std::string places_of(const std::vector<SiteFile>& files, const std::vector<Site>& sites) {
    std::vector<std::string> places;
    for (const auto& site : sites)
        places.push_back(files[site.file].path + ":" + std::to_string(site.line));
    return core::join(places, " and ");
}

void plan_site(const Wish& wish, const std::vector<SiteFile>& files, Plan& plan) {
    const auto lines = site_lines(wish.server, wish.servers, shared_folder());
    const auto sites = find_sites(wish.server, files, wish.host);
    if (sites.size() != 1) {
        const auto where = sites.empty() ? "No virtual host of " + wish.server_name +
                                               " is called " + wish.host + " (" +
                                               core::join(plan.front.site_files, ", ") + ")."
                                         : "Several virtual hosts are called " + wish.host + ": " +
                                               places_of(files, sites) + ".";
        plan.paste = where + " Write these lines into the right one" +
                     (wish.server == WebServer::lighttpd ? ", at its end" : ", at its beginning") +
                     ":\n\n" + pasted(lines, "    ");
        return;
    }
    const auto& file = files[sites.front().file];
    const auto change = add_site_lines(wish.server, file.text, sites.front(), lines);
    for (const auto& line : change.kept)
        plan.notes.push_back(
            places_of(files, sites) + ": its own `" + line +
            "` stays as it is; compare it with the lines of docs/gate.md");
    if (sites.front().transport == Transport::plain)
        plan.notes.push_back(
            places_of(files, sites) +
            " serves without TLS. That is right where TLS ends in front of this machine; else give "
            "it a certificate first, and write https");
    add_change(plan.front_files, {file.path, file.text, change.text});
}

std::vector<SiteFile> shipped_files(WebServer server) {
    if (server != WebServer::nginx) return {}; // the others read them where they are
    std::set<std::string> paths;
    Poco::Glob::glob(shared_folder() + "/nginx/*.conf", paths);
    std::vector<SiteFile> files;
    for (const auto& path : paths) files.push_back({path, read_whole(path)});
    return files;
}

void plan_front_files(const Wish& wish, const std::vector<SiteFile>& in_use, Plan& plan) {
    // lighttpd's one file, when something includes the same already.
    bool loaded = false;
    for (const auto& file : front_files(wish.server, shared_folder(), shipped_files(wish.server))) {
        const auto before = read_if_there(file.path);
        if (before && *before != file.text)
            plan.notes.push_back(
                file.path + " is another than this version's and stays as it is; compare it with " +
                shared_folder());
        const bool included = has_line(in_use, file.text);
        loaded = included && wish.server == WebServer::lighttpd;
        if (!before && !included) add_change(plan.front_files, {file.path, before, file.text});
    }
    for (const auto& part : plan.front.parts)
        if (!loaded && !std::filesystem::exists(part.evidence)) plan.parts.push_back(part);
}

void require_sound_front(const Front& front) {
    const auto ran = run_program(front.syntax);
    if (!ran.well())
        throw std::runtime_error(
            core::join(front.syntax, " ") +
            " finds something wrong before setup has changed anything:\n" + ran.output);
}

// A long new file is a copy of one that was installed.
std::string changes_text(const std::vector<FileChange>& changes) {
    constexpr auto long_file = 3;
    std::string text;
    for (const auto& change : changes) {
        text += change.before ? change.path + "\n" : change.path + " (new)\n";
        const auto lines =
            core::split(changed_lines(change.before.value_or(""), change.after), '\n');
        if (!change.before && lines.size() > long_file) continue;
        for (const auto& line : lines) text += "  " + line + "\n";
    }
    return text;
}

} // namespace

bool runs_systemd() { return std::filesystem::is_directory("/run/systemd/system"); }

std::string shared_folder() {
    const auto program = std::filesystem::canonical("/proc/self/exe");
    return program.parent_path().parent_path() / "share/consentgate/conf";
}

Plan make_plan(Context& context, const Wish& wish) {
    const bool tls_behind =
        std::any_of(wish.servers.begin(), wish.servers.end(), [](const ProtectedServer& server) {
            return server.url.starts_with("https:");
        });
    Plan plan{.front = front_of(wish.server, tls_behind)};
    plan_configuration(context.config_path(), wish, plan);
    plan_database(context, wish, plan);
    plan_units(plan);
    require_sound_front(plan.front);
    const auto in_use = read_site_files(plan.front);
    plan_front_files(wish, in_use, plan);
    plan_site(wish, in_use, plan);
    return plan;
}

std::string text_of(const Plan& plan, const Wish& wish) {
    std::string text = changes_text(plan.configuration);
    const auto command = [&](const std::string& line) {
        text += "consentgate-admin " + line + "\n";
    };
    if (plan.migrates) command("migrate");
    for (const auto& url : plan.resources) command("resource add " + url);
    if (!plan.units.empty()) text += "systemctl enable --now " + core::join(plan.units, " ") + "\n";
    text += changes_text(plan.front_files);
    for (const auto& part : plan.parts) text += core::join(part.enable, " ") + "\n";
    if (plan.changes_front())
        text += core::join(plan.front.syntax, " ") + ", and then systemctl " + plan.front.reload +
                " " + plan.front.service + "\n";
    if (text.empty())
        text = "Everything is as setup would make it for " + wish.host + "; nothing changes.\n";
    for (const auto& note : plan.notes) text += "note: " + note + "\n";
    return plan.paste.empty() ? text : text + "\n" + plan.paste;
}

} // namespace consentgate::app::admin
