// Lists of hosts that an operator writes into the configuration; private to this module.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

inline constexpr int default_https_port = 443;
// In a list of hosts: the person's own computer.
inline constexpr std::string_view loopback_word = "loopback";

// in: entries   hosts, `*.` and a domain for all hosts below it, or either with `:PORT`; lower case
//     host      lower case
//     any_port  an entry without a port means all of them, and not the usual one only
bool host_listed(
    const std::vector<std::string>& entries, const std::string& host, int port, bool any_port);

} // namespace consentgate::core
