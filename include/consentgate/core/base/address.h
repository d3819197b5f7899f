// Which network addresses a server may be sent to by strangers. spec: RFC 6890; requirement R30
#pragma once

#include <string_view>

namespace consentgate::core {

// An address that anybody on the Internet can reach: none that is private, local, shared, reserved,
// for documentation or for several, and none that stands for an IPv4 address in IPv6 (mapped,
// compatible, NAT64, 6to4, Teredo).
// in: address  its 4 or 16 bytes in network order; anything else is not public
bool is_public_address(std::string_view address);

// 127.0.0.0/8 or ::1.
bool is_loopback_address(std::string_view address);

} // namespace consentgate::core
