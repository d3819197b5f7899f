// The network addresses to which strangers may make this server connect.
// spec: RFC 6890; docs/requirements.md R30
#pragma once

#include <string_view>

namespace consentgate::core {

// True for an address that the whole Internet can reach. False for private, local, shared,
// reserved, documentation and multicast addresses, and for IPv6 addresses that stand for an IPv4
// address (mapped, compatible, NAT64, 6to4, Teredo).
// in: address  its 4 or 16 bytes in network order; anything else is not public
bool is_public_address(std::string_view address);

// 127.0.0.0/8 or ::1.
bool is_loopback_address(std::string_view address);

} // namespace consentgate::core
