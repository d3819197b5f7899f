// The doctor looks at this machine, before it asks the web server anything.
#include "admin_doctor.h"

#include "consentgate/app/composition.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/usecase/maintenance.h"

#include <Poco/Glob.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

namespace consentgate::app::admin {
namespace {

constexpr const char* standard_configuration = "/etc/consentgate/consentgate.conf";
constexpr std::size_t max_config_bytes = 4 * 1024 * 1024;

std::optional<std::string> read_text(const std::string& file) {
    std::ifstream stream(file);
    if (!stream) return std::nullopt;
    std::string text(max_config_bytes, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, stream.gcount())));
    return text;
}

std::vector<std::string> list_files(const std::string& pattern) {
    std::set<std::string> files;
    try {
        Poco::Glob::glob(pattern, files);
    } catch (const std::exception&) { // a folder that may not be read has no files for us
    }
    return {files.begin(), files.end()};
}

FrontConfig read_front(FrontKind kind, const std::string& file) {
    return understand(kind, read_front_config(kind, file, {read_text, list_files}));
}

NeededFile needed(const std::string& what, const std::string& path, bool written = false) {
    return {
        .what = what,
        .file = sys::look_at(path),
        .folder = sys::look_at(sys::folder_of(path)),
        .written = written};
}

std::vector<NeededFile> needed_files(const Config& config) {
    std::vector<NeededFile> files{needed("the key file", config.key_file)};
    if (const auto& path = config.store.path; !path.empty()) {
        files.push_back(needed("the database", path, true));
        // SQLite's own, which belong to whoever made them first.
        for (const auto* suffix : {"-wal", "-shm"})
            if (sys::look_at(path + suffix).exists)
                files.push_back(needed("the file beside the database", path + suffix, true));
        for (auto& file : files)
            if (file.written) file.family = path + "*";
    }
    if (const auto& path = config.log.audit_file; sys::look_at(path).exists)
        files.push_back(needed("the audit file", path, true));
    if (!config.database_password_file.empty())
        files.push_back(needed("the password file", config.database_password_file));
    for (const auto& key : config.bearer_keys) files.push_back(needed("the bearer key", key.path));
    return files;
}

// The folder of the key file is the services' own, and so says who they are.
std::optional<sys::Account> services_user(const Config& config, const Arguments& arguments) {
    if (const auto name = arguments.one("user")) {
        auto account = sys::find_account(*name);
        if (!account) throw UsageError("--user " + *name + ": there is no such user");
        return account;
    }
    const auto folder = sys::look_at(sys::folder_of(config.key_file));
    return folder.exists && folder.owner != 0 ? sys::find_account(folder.owner) : std::nullopt;
}

// The first part of the way to the socket that the user may not use; no path: they may all.
sys::FileFacts shut_to(const sys::Account& account, const std::string& socket) {
    constexpr unsigned enter = 1, connect = 6;
    for (const auto& folder : sys::folders_above(socket)) {
        auto facts = sys::look_at(folder);
        if (facts.exists && !sys::may_use(facts, account, enter)) return facts;
    }
    auto facts = sys::look_at(socket);
    if (facts.exists && !sys::may_use(facts, account, connect)) return facts;
    return {};
}

NamedDoor door_of(const NamedSocket& socket, bool gate, const std::string& user) {
    NamedDoor door{
        .gate = gate,
        .address = socket.address,
        .where = socket.where,
        .listening = sys::listens(socket.address),
        .web_user = user};
    const auto account = user.empty() ? std::nullopt : sys::find_account(user);
    if (account && socket.address.starts_with('/')) door.shut = shut_to(*account, socket.address);
    return door;
}

std::string path_of(const std::string& url) {
    return url.substr(std::min(core::origin_of(url).size(), url.size()));
}

std::string host_and_port(const std::string& url) {
    const auto uri = core::split_uri(url).value_or(core::UriParts{});
    const auto port = uri.port.empty() ? (uri.scheme == "https" ? "443" : "80") : uri.port;
    return std::string(uri.host) + ":" + std::string(port);
}

} // namespace

void run_check(
    std::vector<Finding>& findings, const std::string& what, Cause cause,
    const std::function<void()>& check) {
    try {
        check();
        findings.push_back({Verdict::ok, what});
    } catch (const UsageError&) {
        throw; // nothing is wrong but the command line
    } catch (const store::StoreFailure& error) {
        findings.push_back({Verdict::broken, error.what(), {}, Cause::database});
    } catch (const std::exception& error) {
        findings.push_back({Verdict::broken, error.what(), {}, cause});
    }
}

void check_files_and_database(
    Context& context, const Arguments& arguments, std::vector<Finding>& findings) {
    const auto& config = context.config();
    const auto user = services_user(config, arguments);
    for (const auto& file : needed_files(config)) {
        findings.push_back(check_mode(file));
        if (user) findings.push_back(check_usable(file, *user));
    }
    run_check(
        findings, "the database answers, and its schema is this program's", Cause::database,
        [&] { require_schema(context.deps(), config.store); });
    run_check(findings, "the key file is the database's", Cause::key_file, [&] {
        usecase::check_server_keys(context.key_deps(), context.now, usecase::KeyCheck::looking);
    });
    run_check(findings, "the pages and their words are complete", Cause::other, [&] {
        web::Pages(config.pages, config.brand);
    });
}

FrontConfig find_front_config(Context& context, const Arguments& arguments) {
    if (const auto file = arguments.one("web-config")) {
        auto kind = front_kind_of(*file);
        for (const auto candidate : {FrontKind::nginx, FrontKind::lighttpd, FrontKind::apache}) {
            if (kind != FrontKind::unknown) break;
            if (read_front(candidate, *file).is_ours()) kind = candidate;
        }
        if (!read_text(*file)) throw UsageError("--web-config " + *file + ": cannot be read");
        return read_front(kind, *file);
    }
    // The machine's web servers serve the installed configuration alone.
    if (context.config_path() != standard_configuration) return {};
    for (const auto* file :
         {"/etc/apache2/apache2.conf", "/etc/nginx/nginx.conf", "/etc/lighttpd/lighttpd.conf"}) {
        auto front = read_front(front_kind_of(file), file);
        if (front.is_ours()) return front;
    }
    return {};
}

void check_web_server_here(
    const FrontConfig& front, const std::vector<ServerBehind>& servers,
    std::vector<Finding>& findings) {
    for (auto& finding : check_modules(front)) findings.push_back(std::move(finding));
    std::vector<NamedDoor> doors;
    for (const auto& socket : front.pages) doors.push_back(door_of(socket, false, front.user));
    for (const auto& socket : front.gates) doors.push_back(door_of(socket, true, front.user));
    for (auto& finding : check_doors(doors)) findings.push_back(std::move(finding));
    const auto listeners = sys::tcp_listeners();
    const auto own = sys::own_addresses();
    for (const auto& server : servers) {
        findings.push_back(check_server_listens(server, sys::listens(host_and_port(server.url))));
        findings.push_back(check_reachable_past(server, listeners, own));
    }
}

std::vector<ServerBehind> find_servers_behind(
    const FrontConfig& front, const Arguments& arguments,
    const std::vector<core::GuardedResource>& resources) {
    std::vector<ServerBehind> servers;
    for (const auto& url : arguments.all("behind")) {
        const auto uri = core::split_uri(url);
        if (!uri || uri->host.empty()) throw UsageError("--behind " + url + ": that is no URL");
        servers.push_back({.url = url, .where = {}, .path = {}});
    }
    for (const auto& passed : front.passed) {
        const auto uri = core::split_uri(passed.url);
        const bool known =
            std::any_of(resources.begin(), resources.end(), [&](const auto& resource) {
                return path_of(resource.url).starts_with(passed.path);
            });
        if (uri && !uri->host.empty() && passed.guarded && known)
            servers.push_back({.url = passed.url, .where = passed.where, .path = passed.path});
    }
    return servers;
}

std::string address_behind(
    const std::vector<ServerBehind>& servers, const core::GuardedResource& resource) {
    for (const auto& server : servers) {
        if (server.path.empty() || path_of(resource.url) != server.path) continue;
        const auto path = path_of(server.url);
        return path.empty() ? server.url + server.path : server.url;
    }
    return {};
}

} // namespace consentgate::app::admin
