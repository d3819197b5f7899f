// Tests src/core/oauth/client_links.cpp: which addresses of a client a page may lead to.
#include "consentgate/core/oauth/client_links.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using boost::unit_test::label;

namespace {

const std::string own = R"({"client_uri":"https://app.example/about",)"
                        R"("tos_uri":"https://app.example/terms",)"
                        R"("policy_uri":"https://app.example/privacy"})";

std::string about(
    const std::string& address, const std::string& redirect, const std::string& id = "cgc_x",
    bool by_operator = false) {
    return client_links({.id = ClientId(id),
                         .metadata = R"({"client_uri":")" + address + "\"}",
                         .redirect_uri = redirect,
                         .by_operator = by_operator})
        .about;
}

} // namespace

BOOST_AUTO_TEST_SUITE(links_of_clients)

BOOST_AUTO_TEST_CASE(an_app_that_waits_on_its_own_host_has_its_three_links, *label("XG3")) {
    const auto links = client_links(
        {.id = ClientId("cgc_x"),
         .metadata = own,
         .redirect_uri = "https://APP.example:8443/cb",
         .by_operator = false});
    BOOST_TEST(links.about == "https://app.example/about");
    BOOST_TEST(links.terms == "https://app.example/terms");
    BOOST_TEST(links.privacy == "https://app.example/privacy");
}

BOOST_AUTO_TEST_CASE(the_links_of_a_document_stand_on_its_host, *label("XG3")) {
    const std::string document = "https://app.example/client.json";
    const std::string loopback = "http://127.0.0.1:53111/callback";
    BOOST_TEST(about("https://app.example/", loopback, document) == "https://app.example/");
    BOOST_TEST(about("https://other.example/", loopback, document).empty());
}

BOOST_AUTO_TEST_CASE(an_app_cannot_borrow_the_site_of_another, *label("XG3") * label("K22")) {
    for (const auto* redirect :
         {"https://evil.example/cb", "http://127.0.0.1:53111/callback", "app.example:/cb",
          "https://app.example.evil.example/cb", "https://sub.app.example/cb", ""})
        BOOST_TEST_CONTEXT(redirect)
    BOOST_TEST(about("https://app.example/", redirect).empty());
    BOOST_TEST(about("http://127.0.0.1/", "http://127.0.0.1:53111/callback").empty());
    BOOST_TEST(
        about("https://app.example/", "https://evil.example/cb", "cgc_x", true) ==
            "https://app.example/",
        "an operator vouches for it");
}

BOOST_AUTO_TEST_CASE(only_an_address_of_the_web_is_a_link, *label("XG3")) {
    for (const auto* bad :
         {"javascript://app.example/%0aalert(1)", "data:text/html,app.example",
          "https:", "https://", "app.example", "ftp://app.example/", "https://me@app.example/",
          "//app.example/", "https://app.example/ x"})
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(about(bad, "https://app.example/cb").empty());
    BOOST_TEST(about("http://app.example/", "https://app.example/cb") == "http://app.example/");
    BOOST_TEST(
        client_links(
            {.id = ClientId("cgc_x"), .metadata = "{}", .redirect_uri = "https://app.example/cb"})
            .about.empty());
}

BOOST_AUTO_TEST_SUITE_END()
