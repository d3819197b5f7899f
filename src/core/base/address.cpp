#include "consentgate/core/base/address.h"

#include "consentgate/core/base/text.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <arpa/inet.h>

namespace consentgate::core {
namespace {

struct Net4 {
    std::uint32_t prefix;
    int bits;
};

struct Net6 {
    std::uint64_t prefix; // the upper half of the address; no prefix here is longer
    int bits;
};

constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
    return a << 24 | b << 16 | c << 8 | d;
}

// spec: the IANA registry of special-purpose IPv4 addresses, multicast and class E besides
constexpr std::array<Net4, 18> special4{{
    {v4(0, 0, 0, 0), 8},       // this network
    {v4(10, 0, 0, 0), 8},      // private
    {v4(100, 64, 0, 0), 10},   // behind a carrier's NAT
    {v4(127, 0, 0, 0), 8},     // loopback
    {v4(169, 254, 0, 0), 16},  // link-local, where clouds keep their metadata
    {v4(172, 16, 0, 0), 12},   // private
    {v4(192, 0, 0, 0), 24},    // protocol assignments
    {v4(192, 0, 2, 0), 24},    // documentation
    {v4(192, 31, 196, 0), 24}, // AS112
    {v4(192, 52, 193, 0), 24}, // AMT
    {v4(192, 88, 99, 0), 24},  // 6to4 relays
    {v4(192, 168, 0, 0), 16},  // private
    {v4(192, 175, 48, 0), 24}, // AS112
    {v4(198, 18, 0, 0), 15},   // benchmarking
    {v4(198, 51, 100, 0), 24}, // documentation
    {v4(203, 0, 113, 0), 24},  // documentation
    {v4(224, 0, 0, 0), 4},     // multicast
    {v4(240, 0, 0, 0), 4},     // reserved, and broadcast
}};

// Addresses within an organisation. spec: RFC 1918, RFC 6598, RFC 4193
constexpr std::array<Net4, 4> private4{{
    {v4(10, 0, 0, 0), 8},
    {v4(100, 64, 0, 0), 10},
    {v4(172, 16, 0, 0), 12},
    {v4(192, 168, 0, 0), 16},
}};
constexpr Net6 private6{0xFC00000000000000, 7};

// Only 2000::/3 is given out; these parts of it are special. Everything outside (loopback, mapped,
// NAT64, unique local, link-local, multicast …) is refused without being named.
constexpr std::array<Net6, 4> special6{{
    {0x2001000000000000, 23}, // protocol assignments: Teredo, benchmarking, ORCHID
    {0x20010DB800000000, 32}, // documentation
    {0x2002000000000000, 16}, // 6to4
    {0x3FFF000000000000, 20}, // documentation
}};

template <class Number> bool within(Number address, Number prefix, int bits) {
    return (address ^ prefix) >> (static_cast<int>(sizeof(Number)) * 8 - bits) == 0;
}

// The first bytes as a number.
template <class Number> Number number_of(std::string_view bytes) {
    Number number = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i)
        number = number << 8 | static_cast<unsigned char>(bytes[i]);
    return number;
}

bool is_private_address(std::string_view address) {
    if (address.size() == 4) {
        const auto number = number_of<std::uint32_t>(address);
        return std::any_of(private4.begin(), private4.end(), [&](const Net4& net) {
            return within(number, net.prefix, net.bits);
        });
    }
    return address.size() == 16 &&
           within(number_of<std::uint64_t>(address), private6.prefix, private6.bits);
}

// How near an address is to us. Nothing names what is of no use to anybody honest: link-local
// addresses, where clouds keep their metadata, and the reserved ones.
enum class Nearness { internet, organisation, this_machine, nobody };

Nearness nearness_of(std::string_view address) {
    if (is_public_address(address)) return Nearness::internet;
    if (is_private_address(address)) return Nearness::organisation;
    return is_loopback_address(address) ? Nearness::this_machine : Nearness::nobody;
}

} // namespace

bool is_public_address(std::string_view address) {
    if (address.size() == 4) {
        const auto number = number_of<std::uint32_t>(address);
        return std::none_of(special4.begin(), special4.end(), [&](const Net4& net) {
            return within(number, net.prefix, net.bits);
        });
    }
    if (address.size() != 16) return false;
    const auto number = number_of<std::uint64_t>(address);
    return within<std::uint64_t>(number, 0x2000000000000000, 3) &&
           std::none_of(special6.begin(), special6.end(), [&](const Net6& net) {
               return within(number, net.prefix, net.bits);
           });
}

std::string coarse_address(const std::string& text) {
    if (has_control(text)) return {}; // the functions below stop at a NUL
    std::array<unsigned char, 16> bytes{};
    std::array<char, INET6_ADDRSTRLEN> shown{};
    if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
        bytes[3] = 0;
        ::inet_ntop(AF_INET, bytes.data(), shown.data(), shown.size());
        return shown.data() + std::string("/24");
    }
    if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return {};
    // A socket for both families writes an IPv4 address like this.
    if (const std::string mapped = "::ffff:"; lower_ascii(text).starts_with(mapped))
        if (auto inner = coarse_address(text.substr(mapped.size())); !inner.empty()) return inner;
    std::fill(bytes.begin() + 6, bytes.end(), static_cast<unsigned char>(0));
    ::inet_ntop(AF_INET6, bytes.data(), shown.data(), shown.size());
    return shown.data() + std::string("/48");
}

bool is_loopback_address(std::string_view address) {
    if (address.size() == 4) return address[0] == 127;
    return address.size() == 16 &&
           address == std::string_view("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
}

bool may_be_named(
    const std::vector<std::string>& named, const std::vector<std::string>& operators) {
    return std::all_of(named.begin(), named.end(), [&](const std::string& address) {
        const auto near = nearness_of(address);
        return near == Nearness::internet ||
               (near != Nearness::nobody && !operators.empty() &&
                std::all_of(operators.begin(), operators.end(), [&](const std::string& own) {
                    return nearness_of(own) != Nearness::nobody && nearness_of(own) >= near;
                }));
    });
}

bool is_public_caller(std::string_view caller) {
    const auto text = std::string(caller.substr(0, caller.find('/')));
    std::string bytes(16, '\0');
    if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return is_public_address(bytes);
    return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 &&
           is_public_address(std::string_view(bytes).substr(0, 4));
}

std::string caller_of(std::string_view address) {
    // A zone names an interface of this machine, not a caller.
    const auto text = std::string(address.substr(0, address.find('%')));
    std::array<unsigned char, 16> bytes{};
    if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return std::string(address);
    std::array<char, INET6_ADDRSTRLEN> written{};
    const bool mapped =
        std::all_of(bytes.begin(), bytes.begin() + 10, [](auto byte) { return byte == 0; }) &&
        bytes[10] == 0xFF && bytes[11] == 0xFF;
    if (mapped) return inet_ntop(AF_INET, bytes.data() + 12, written.data(), written.size());
    std::fill(bytes.begin() + 8, bytes.end(), 0);
    inet_ntop(AF_INET6, bytes.data(), written.data(), written.size());
    return std::string(written.data()) + "/64";
}

} // namespace consentgate::core
