#include "consentgate/core/base/address.h"

#include <boost/test/unit_test.hpp>

#include <arpa/inet.h>

#include <string>

using namespace consentgate::core;
using boost::unit_test::label;

namespace {

// The bytes of an address in its usual notation.
std::string bytes(const std::string& text) {
    std::string out(text.find(':') == std::string::npos ? 4 : 16, '\0');
    BOOST_REQUIRE_MESSAGE(
        inet_pton(out.size() == 4 ? AF_INET : AF_INET6, text.c_str(), out.data()) == 1, text);
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(address)

BOOST_AUTO_TEST_CASE(
    special_ipv4_addresses_are_refused_to_their_last_and_their_neighbours_are_not,
    *label("R30") * label("K26")) {
    for (const auto* special :
         {"0.0.0.0",         "0.255.255.255",   "10.0.0.0",     "10.255.255.255",  "100.64.0.0",
          "100.127.255.255", "127.0.0.0",       "127.0.0.1",    "127.255.255.255", "169.254.0.0",
          "169.254.169.254", "169.254.255.255", "172.16.0.0",   "172.31.255.255",  "192.0.0.0",
          "192.0.0.255",     "192.0.2.1",       "192.31.196.1", "192.52.193.1",    "192.88.99.1",
          "192.168.0.0",     "192.168.255.255", "192.175.48.1", "198.18.0.0",      "198.19.255.255",
          "198.51.100.1",    "203.0.113.1",     "224.0.0.1",    "239.255.255.255", "240.0.0.1",
          "255.255.255.255"}) {
        BOOST_TEST_CONTEXT(special) BOOST_TEST(!is_public_address(bytes(special)));
    }
    for (const auto* open : {"1.0.0.0",     "9.255.255.255",   "11.0.0.0",      "100.63.255.255",
                             "100.128.0.0", "126.255.255.255", "128.0.0.0",     "169.253.255.255",
                             "169.255.0.0", "172.15.255.255",  "172.32.0.0",    "192.0.1.0",
                             "192.0.3.0",   "192.167.255.255", "192.169.0.0",   "198.17.255.255",
                             "198.20.0.0",  "198.51.101.0",    "203.0.112.255", "223.255.255.255",
                             "8.8.8.8"}) {
        BOOST_TEST_CONTEXT(open) BOOST_TEST(is_public_address(bytes(open)));
    }
}

BOOST_AUTO_TEST_CASE(
    special_ipv6_addresses_are_refused_and_so_is_every_ipv4_address_in_disguise,
    *label("R30") * label("K26")) {
    for (const auto* special :
         {"::",
          "::1",
          "::ffff:127.0.0.1",
          "::ffff:8.8.8.8",
          "::127.0.0.1",
          "64:ff9b::7f00:1",
          "64:ff9b::808:808",
          "64:ff9b:1::1",
          "100::1",
          "2001::1",
          "2001:0:7f00:1::",
          "2001:2::1",
          "2001:10::1",
          "2001:20::1",
          "2001:1ff:ffff::1",
          "2001:db8::1",
          "2001:db8:ffff::1",
          "2002:7f00:1::1",
          "2002:808:808::1",
          "3fff::1",
          "3fff:fff::1",
          "4000::1",
          "5f00::1",
          "fc00::1",
          "fdff::1",
          "fe80::1",
          "febf::1",
          "fec0::1",
          "ff02::1",
          "1fff::1"}) {
        BOOST_TEST_CONTEXT(special) BOOST_TEST(!is_public_address(bytes(special)));
    }
    for (const auto* open :
         {"2001:200::1", "2001:4860:4860::8888", "2001:db7::1", "2001:db9::1", "2003::1",
          "2606:4700::1111", "3ffe:ffff::1", "3fff:1000::1"}) {
        BOOST_TEST_CONTEXT(open) BOOST_TEST(is_public_address(bytes(open)));
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_address_is_not_public, *label("R30")) {
    for (const auto size : {0U, 3U, 5U, 15U, 17U})
        BOOST_TEST(!is_public_address(std::string(size, '\x20')));
}

BOOST_AUTO_TEST_CASE(loopback_is_distinguished_from_the_rest, *label("R30")) {
    for (const auto* local : {"127.0.0.1", "127.9.9.9", "::1"})
        BOOST_TEST_CONTEXT(local) BOOST_TEST(is_loopback_address(bytes(local)));
    for (const auto* other :
         {"126.0.0.1", "128.0.0.1", "10.0.0.1", "::", "::2", "::ffff:127.0.0.1", "100::1"}) {
        BOOST_TEST_CONTEXT(other) BOOST_TEST(!is_loopback_address(bytes(other)));
    }
}

BOOST_AUTO_TEST_CASE(a_service_names_no_address_nearer_to_us_than_its_own, *label("XC12")) {
    const auto may = [](const std::vector<std::string>& named,
                        const std::vector<std::string>& operators) {
        const auto all = [](const std::vector<std::string>& texts) {
            std::vector<std::string> addresses;
            for (const auto& text : texts) addresses.push_back(bytes(text.c_str()));
            return addresses;
        };
        return may_be_named(all(named), all(operators));
    };
    for (const auto* own : {"8.8.8.8", "10.0.0.1", "127.0.0.1", "169.254.1.1", "2606:4700::1111"})
        BOOST_TEST_CONTEXT(own) BOOST_TEST(may({"8.8.4.4", "2001:4860:4860::8888"}, {own}));
    for (const auto* inside : {"10.0.0.1", "172.16.3.4", "192.168.1.1", "100.64.0.1", "fd00::1"}) {
        BOOST_TEST_CONTEXT(inside) {
            BOOST_TEST(!may({inside}, {"8.8.8.8"}));
            BOOST_TEST(!may({"8.8.8.8", inside}, {"8.8.8.8"}));
            BOOST_TEST(!may({inside}, {"192.168.7.7", "8.8.8.8"}));
            BOOST_TEST(!may({inside}, {}));
            BOOST_TEST(may({inside}, {"192.168.7.7"}));
            BOOST_TEST(may({inside}, {"fd12::1"}));
            BOOST_TEST(may({inside}, {"127.0.0.1"}));
        }
    }
    for (const auto* here : {"127.0.0.1", "127.9.9.9", "::1"}) {
        BOOST_TEST_CONTEXT(here) {
            BOOST_TEST(!may({here}, {"8.8.8.8"}));
            BOOST_TEST(!may({here}, {"10.0.0.1"}));
            BOOST_TEST(!may({here}, {"127.0.0.1", "10.0.0.1"}));
            BOOST_TEST(may({here}, {"127.0.0.1", "::1"}));
        }
    }
    for (const auto* nobodys :
         {"169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "::ffff:127.0.0.1",
          "64:ff9b::7f00:1"}) {
        for (const auto* own : {"8.8.8.8", "10.0.0.1", "127.0.0.1", "169.254.1.1"})
            BOOST_TEST_CONTEXT(nobodys << " by " << own) BOOST_TEST(!may({nobodys}, {own}));
    }
    BOOST_TEST(!may({"10.0.0.1"}, {"169.254.1.1"}));
}

BOOST_AUTO_TEST_CASE(an_ipv4_caller_is_its_address_and_an_ipv6_caller_its_64, *label("XD3")) {
    BOOST_TEST(caller_of("192.0.2.1") == "192.0.2.1");
    BOOST_TEST(caller_of("192.0.2.2") != caller_of("192.0.2.1"));
    for (const auto* same :
         {"2001:db8:0:1::1", "2001:DB8:0:1:ffff:ffff:ffff:ffff", "2001:db8::1:0:0:0:0",
          "2001:0db8:0000:0001:0000:0000:0000:0001", "2001:db8:0:1::1%eth0"})
        BOOST_TEST_CONTEXT(same) BOOST_TEST(caller_of(same) == "2001:db8:0:1::/64");
    BOOST_TEST(caller_of("2001:db8:0:2::1") == "2001:db8:0:2::/64");
    for (const auto* mapped : {"::ffff:192.0.2.1", "::FFFF:c000:201", "0:0:0:0:0:ffff:192.0.2.1"})
        BOOST_TEST_CONTEXT(mapped) BOOST_TEST(caller_of(mapped) == "192.0.2.1");
    BOOST_TEST(caller_of("::1") == "::/64");
}

BOOST_AUTO_TEST_CASE(a_caller_is_public_when_its_address_is, *label("XD3")) {
    for (const auto* open : {"8.8.8.8", "2606:4700::/64", "2a02:8108:1:2::/64"})
        BOOST_TEST_CONTEXT(open) BOOST_TEST(is_public_caller(open));
    for (const auto* closed : {"10.0.0.1", "127.0.0.1", "::/64", "fd00:1::/64", "", "unix:"})
        BOOST_TEST_CONTEXT(closed) BOOST_TEST(!is_public_caller(closed));
}

BOOST_AUTO_TEST_CASE(a_caller_without_an_address_stays_what_the_web_server_said, *label("XD3")) {
    for (const auto* odd : {"", "unix:", "/run/web.sock", "192.0.2.1:5", "[2001:db8::1]", "::g"})
        BOOST_TEST_CONTEXT(odd) BOOST_TEST(caller_of(odd) == odd);
}

BOOST_AUTO_TEST_CASE(of_an_address_only_its_network_is_kept, *label("XA4")) {
    const std::pair<const char*, const char*> known[] = {
        {"192.0.2.77", "192.0.2.0/24"},
        {"255.255.255.255", "255.255.255.0/24"},
        {"2001:db8:7:1:2:3:4:5", "2001:db8:7::/48"},
        {"2001:DB8:FFFF::1", "2001:db8:ffff::/48"},
        {"::1", "::/48"},
        {"::ffff:192.0.2.77", "192.0.2.0/24"},
        {"::FFFF:192.0.2.77", "192.0.2.0/24"},
        {"", ""},
        {"unix:", ""},
        {"192.0.2.77:53111", ""},
        {"192.0.2", ""},
        {"fe80::1%eth0", ""},
        {"192.0.2.77\n", ""}};
    for (const auto& [text, kept] : known)
        BOOST_TEST_CONTEXT(text) BOOST_TEST(coarse_address(text) == kept);
    BOOST_TEST(coarse_address(std::string("192.0.2.77\0", 11)).empty());
    BOOST_TEST(coarse_address(std::string(100000, '1')).empty());
}

BOOST_AUTO_TEST_SUITE_END()
