#include "consentgate/core/base/text.h"
#include "consentgate/store/open.h"

#include <Poco/NumberParser.h>

namespace consentgate::store {
namespace {

constexpr std::string_view form =
    "must be the path of a file, or ENGINE://USER@HOST[:PORT][,HOST[:PORT]…]/NAME with "
    "postgresql or mariadb as ENGINE";

constexpr std::size_t none = std::string::npos;
constexpr int postgresql_port = 5432, mariadb_port = 3306;

int default_port(Engine engine) {
    return engine == Engine::postgresql ? postgresql_port : mariadb_port;
}

// Host and port, the port with its colon. An IPv6 address has colons itself and stands in brackets.
std::optional<std::pair<std::string, std::string>> split_host(const std::string& text) {
    const bool bracketed = text.starts_with('[');
    const auto end = bracketed ? text.find(']') : text.find(':');
    if (bracketed && end == none) return std::nullopt;
    const auto host = bracketed ? text.substr(1, end - 1) : text.substr(0, end);
    const auto port = end == none ? "" : text.substr(end + (bracketed ? 1 : 0));
    if (!port.empty() && !port.starts_with(':')) return std::nullopt;
    return std::pair(host, port);
}

std::optional<std::string> read_host(
    const std::string& text, int default_port, std::vector<Host>& hosts) {
    const auto parts = split_host(text);
    const auto name = parts ? core::percent_decode(parts->first, false) : "";
    if (!name) return "has a host with a % that means nothing";
    // These characters end or quote a value in a driver's connection string.
    if (name->empty() || name->find_first_of(";{}'\"= ") != none || core::has_control(*name) ||
        !core::valid_utf8(*name))
        return "has a host that is empty or no name";
    Host host{*name, default_port};
    if (!parts->second.empty() &&
        (!Poco::NumberParser::tryParse(parts->second.substr(1), host.port) || host.port < 1 ||
         host.port > 65535))
        return "has a port that is no number from 1 to 65535";
    hosts.push_back(std::move(host));
    return std::nullopt;
}

// As read_host reads it.
std::string host_text(const std::string& name) {
    const bool address = !name.empty() && name.find(':') != none &&
                         name.find_first_not_of("0123456789abcdefABCDEF:.") == none;
    return address ? "[" + name + "]" : core::percent_encode(name);
}

bool plain_name(const std::string& name) {
    return !name.empty() && name.find_first_of(":;{}'\"=/?#@% ") == none &&
           !core::has_control(name) && core::valid_utf8(name);
}

} // namespace

std::optional<std::string> read_address(const std::string& text, StoreConfig& config) {
    const auto scheme_end = text.find("://");
    if (scheme_end == none) {
        config.engine = Engine::sqlite;
        config.path = text;
        return text.empty() ? std::optional(std::string(form)) : std::nullopt;
    }
    const auto scheme = text.substr(0, scheme_end);
    if (scheme != "postgresql" && scheme != "mariadb") return std::string(form);
    config.engine = scheme == "postgresql" ? Engine::postgresql : Engine::mariadb;
    config.path.clear();
    const auto rest = text.substr(scheme_end + 3);
    const auto at = rest.find('@');
    const auto slash = at == none ? at : rest.find('/', at);
    if (slash == none) return std::string(form);
    config.user = rest.substr(0, at);
    config.name = rest.substr(slash + 1);
    if (config.user.find(':') != none)
        return "must not hold the password; put it into database_password_file";
    if (!plain_name(config.user) || !plain_name(config.name)) return std::string(form);
    config.hosts.clear();
    for (const auto& host : core::split(rest.substr(at + 1, slash - at - 1), ',')) {
        if (auto problem = read_host(host, default_port(config.engine), config.hosts))
            return problem;
    }
    return config.hosts.empty() ? std::optional(std::string(form)) : std::nullopt;
}

std::string address_of(const StoreConfig& config) {
    if (config.engine == Engine::sqlite) return config.path;
    std::vector<std::string> hosts;
    for (const auto& host : config.hosts)
        hosts.push_back(host_text(host.name) + ":" + std::to_string(host.port));
    return std::string(config.engine == Engine::postgresql ? "postgresql" : "mariadb") + "://" +
           config.user + "@" + core::join(hosts, ",") + "/" + config.name;
}

} // namespace consentgate::store
