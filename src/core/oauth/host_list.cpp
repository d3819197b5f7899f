#include "host_list.h"

#include <algorithm>

namespace consentgate::core {

bool host_listed(
    const std::vector<std::string>& entries, const std::string& host, int port, bool any_port) {
    return std::any_of(entries.begin(), entries.end(), [&](const std::string& entry) {
        const auto colon = entry.rfind(':');
        const bool port_fits = colon == std::string::npos || entry.ends_with(']')
                                   ? any_port || port == default_https_port
                                   : entry.substr(colon + 1) == std::to_string(port);
        const auto name = port_fits
                              ? entry.substr(0, entry.ends_with(']') ? std::string::npos : colon)
                              : std::string();
        return name.starts_with("*.") ? host.ends_with(std::string_view(name).substr(1))
                                      : name == host;
    });
}

} // namespace consentgate::core
