// Network addresses: those to which strangers may make this server connect, those from which
// callers come, and how much of one is kept.
// spec: RFC 6890; docs/requirements.md R30, XD3, XA4
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

// True for an address that the whole Internet can reach. False for private, local, shared,
// reserved, documentation and multicast addresses, and for IPv6 addresses that stand for an IPv4
// address (mapped, compatible, NAT64, 6to4, Teredo).
// in: address  its 4 or 16 bytes in network order; anything else is not public
bool is_public_address(std::string_view address);

// 127.0.0.0/8 or ::1.
bool is_loopback_address(std::string_view address);

// Whether a party that the operator named by a URL of its own may name another host for us to ask.
// Every address of that host is public, or no nearer to us than the operator's URL is: private when
// that is private or of this machine, of this machine when that is. Otherwise a service on the
// Internet could aim our requests at what only this machine reaches.
// in: named      addresses of the other host
//     operators  those of the host of the operator's URL
bool may_be_named(const std::vector<std::string>& named, const std::vector<std::string>& operators);

// Names the caller that an address counts for: an IPv4 address, also where it is written as IPv6,
// is one caller, and so is the /64 of an IPv6 address, because whoever has one address of a /64 has
// all of them.
// in:  address  in text, as REMOTE_ADDR has it
// out: "192.0.2.1", "2001:db8:0:1::/64"; a text that is no address as it is
std::string caller_of(std::string_view address);
// False where all callers look like one: behind a proxy that the web server does not know.
bool is_public_caller(std::string_view caller);

// The network of an address, which tells an operator where somebody is and not who: "192.0.2.0/24",
// "2001:db8:7::/48".
// in:  text  as a web server writes an address
// out: empty when it is none
std::string coarse_address(const std::string& text);

} // namespace consentgate::core
