#include "consentgate/core/base/text.h"
#include "consentgate/store/open.h"

#include <Poco/Exception.h>
#include <Poco/NumberParser.h>
#include <Poco/URI.h>

namespace consentgate::store {
namespace {

constexpr std::string_view form =
    "must be the path of a file, or ENGINE://USER@HOST[:PORT][,HOST[:PORT]…]/NAME with "
    "postgresql or mariadb as ENGINE";

std::optional<std::string> read_host(
    const std::string& text, int default_https_port, std::vector<Host>& hosts) {
    const auto colon = std::min(text.rfind(':'), text.size());
    Host host{text.substr(0, colon), default_https_port};
    if (colon < text.size() && (!Poco::NumberParser::tryParse(text.substr(colon + 1), host.port) ||
                                host.port < 1 || host.port > 65535)) {
        return "has a port that is no number from 1 to 65535";
    }
    std::string decoded;
    try {
        Poco::URI::decode(host.name, decoded);
    } catch (const Poco::Exception&) {
        return "has a host with a % that means nothing";
    }
    host.name = decoded;
    // These characters end or quote a value in a driver's connection string.
    if (host.name.empty() || host.name.find_first_of(";{}'\"= ") != std::string::npos)
        return "has a host that is empty or no name";
    hosts.push_back(std::move(host));
    return std::nullopt;
}

bool plain_name(const std::string& name) {
    return !name.empty() && name.find_first_of(":;{}'\"=/?#@% ") == std::string::npos;
}

} // namespace

std::optional<std::string> read_address(const std::string& text, StoreConfig& config) {
    const auto scheme_end = text.find("://");
    if (scheme_end == std::string::npos) {
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
    const auto slash = at == std::string::npos ? at : rest.find('/', at);
    if (slash == std::string::npos) return std::string(form);
    config.user = rest.substr(0, at);
    config.name = rest.substr(slash + 1);
    if (config.user.find(':') != std::string::npos)
        return "must not hold the password; put it into database_password_file";
    if (!plain_name(config.user) || !plain_name(config.name)) return std::string(form);
    config.hosts.clear();
    for (const auto& host : core::split(rest.substr(at + 1, slash - at - 1), ',')) {
        if (auto problem =
                read_host(host, config.engine == Engine::postgresql ? 5432 : 3306, config.hosts))
            return problem;
    }
    return config.hosts.empty() ? std::optional(std::string(form)) : std::nullopt;
}

std::string address_of(const StoreConfig& config) {
    if (config.engine == Engine::sqlite) return config.path;
    std::vector<std::string> hosts;
    for (const auto& host : config.hosts)
        hosts.push_back(host.name + ":" + std::to_string(host.port));
    return std::string(config.engine == Engine::postgresql ? "postgresql" : "mariadb") + "://" +
           config.user + "@" + core::join(hosts, ",") + "/" + config.name;
}

} // namespace consentgate::store
