// Tests src/app/config_keys.cpp: the keys that say where apps which nobody checked may lead.
#include "configured.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

struct RedirectConfig : Configured {
    core::RedirectPolicy redirects_of(const std::string& line) {
        return with(line).policy.redirects;
    }
};

using Entries = std::vector<std::string>;

} // namespace

BOOST_FIXTURE_TEST_SUITE(redirect_config, RedirectConfig)

BOOST_AUTO_TEST_CASE(any_address_is_the_default_and_none_is_an_empty_list, *label("XD7")) {
    BOOST_TEST(!redirects_of("").hosts.has_value());
    BOOST_TEST(!redirects_of("").schemes.has_value());
    BOOST_TEST(!redirects_of("registration_redirect_hosts = any").hosts.has_value());
    BOOST_TEST(redirects_of("registration_redirect_hosts = none").hosts->empty());
    BOOST_TEST(redirects_of("registration_redirect_schemes = none").schemes->empty());
}

BOOST_AUTO_TEST_CASE(hosts_and_schemes_are_listed_in_lower_case, *label("XD7")) {
    BOOST_TEST(
        (redirects_of(
             "registration_redirect_hosts = Claude.ai *.corp.example app.example:8443 loopback")
             .hosts == Entries{"claude.ai", "*.corp.example", "app.example:8443", "loopback"}));
    BOOST_TEST(
        (redirects_of("registration_redirect_schemes = cursor VSCode com.example.app").schemes ==
         Entries{"cursor", "vscode", "com.example.app"}));
}

BOOST_AUTO_TEST_CASE(what_is_no_host_and_what_no_client_may_have_is_refused, *label("XD7")) {
    for (const auto* bad :
         {"", "https://claude.ai", "claude.ai/cb", "a@b", "*", "*.", "[::1]", "any claude.ai/"})
        BOOST_TEST_CONTEXT(bad)
    BOOST_TEST(problems_with(std::string("registration_redirect_hosts = ") + bad)
                   .starts_with("registration_redirect_hosts must be any, none, or hosts"));
    for (const auto* bad : {"", "https", "http", "javascript", "ms-msdt", "cursor:", "a/b", "-x"})
        BOOST_TEST_CONTEXT(bad)
    BOOST_TEST(problems_with(std::string("registration_redirect_schemes = ") + bad)
                   .starts_with("registration_redirect_schemes "));
}

BOOST_AUTO_TEST_SUITE_END()
