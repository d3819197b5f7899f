// Tests src/app/site_lines.cpp and setup_texts.cpp: what setup writes, and what it takes from an
// operator.
#include "app/setup_texts.h"
#include "app/site_lines.h"

#include <boost/test/unit_test.hpp>

#include <stdexcept>

using namespace consentgate::app;
using boost::unit_test::label;

namespace {

std::string lines(WebServer server, const std::string& protect) {
    return pasted(
        site_lines(server, {read_protected(server, protect)}, "/usr/share/consentgate/conf"), "");
}

bool is_taken(const std::string& text, WebServer server = WebServer::apache) {
    try {
        read_protected(server, text);
        return true;
    } catch (const std::runtime_error&) {
        return false;
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(site_lines_)

BOOST_AUTO_TEST_CASE(each_web_server_gets_the_lines_of_the_documents, *label("XF5")) {
    BOOST_TEST(
        lines(WebServer::apache, "/mcp=http://127.0.0.1:3001/mcp") ==
        "Use Consentgate\nUse ConsentgateProtect /mcp http://127.0.0.1:3001/mcp\n");
    BOOST_TEST(
        lines(WebServer::nginx, "/mcp=http://127.0.0.1:3001/mcp") ==
        "include consentgate/pages.conf;\ninclude consentgate/gate.conf;\n"
        "location ^~ /mcp {\n    include consentgate/protect.conf;\n"
        "    proxy_pass http://127.0.0.1:3001;\n}\n");
    BOOST_TEST(
        lines(WebServer::lighttpd, "/mcp=http://127.0.0.1:3001/mcp") ==
        "include \"/usr/share/consentgate/conf/lighttpd/pages.conf\"\n"
        "$HTTP[\"url\"] =~ \"^/mcp(/|$)\" {\n"
        "    include \"/usr/share/consentgate/conf/lighttpd/protect.conf\"\n"
        "    proxy.server = ( \"/\" => (( \"host\" => \"127.0.0.1\", \"port\" => 3001 )) )\n}\n");
}

BOOST_AUTO_TEST_CASE(a_server_behind_may_have_another_path_than_clients_see, *label("XF5")) {
    BOOST_TEST(
        lines(WebServer::nginx, "/a.b/c=http://127.0.0.1:3002/mcp")
            .find("location ^~ /a.b/c {\n    include consentgate/protect.conf;\n"
                  "    proxy_pass http://127.0.0.1:3002/mcp;\n") != std::string::npos);
    const auto lighttpd = lines(WebServer::lighttpd, "/a.b/c=http://[::1]:3002/mcp");
    BOOST_TEST(lighttpd.find("\"^/a\\.b/c(/|$)\"") != std::string::npos);
    BOOST_TEST(lighttpd.find("\"host\" => \"::1\", \"port\" => 3002") != std::string::npos);
    BOOST_TEST(
        lighttpd.find("proxy.header = ( \"map-urlpath\" => ( \"/a.b/c\" => \"/mcp\" ) )") !=
        std::string::npos);
}

BOOST_AUTO_TEST_CASE(nothing_that_means_something_in_a_site_file_is_taken, *label("XF5")) {
    for (const auto* good :
         {"/mcp=http://127.0.0.1:3001/mcp", "/m=http://localhost", "/a/b-c_d.e~f=http://[::1]:1/",
          "/mcp=https://mcp.notion.com/mcp"})
        BOOST_TEST(is_taken(good), good);
    for (const auto* bad :
         {"",
          "/mcp",
          "=http://a",
          "/=http://a",
          "mcp=http://a",
          "/mcp/=http://a",
          "//mcp=http://a",
          "/mcp;=http://a",
          "/m cp=http://a",
          "/mcp\"=http://a",
          "/mcp{=http://a",
          "/mcp=ftp://a",
          "/mcp=http://",
          "/mcp=http://a:0",
          "/mcp=http://a:65536",
          "/mcp=http://a:x",
          "/mcp=http://a/b c",
          "/mcp=http://a/;}",
          "/mcp=http://a/$x",
          "/mcp=http://u@a/",
          "/mcp=http://a/?b",
          "/mcp=http://a\nUse X",
          "/m\ncp=http://a"})
        BOOST_TEST(!is_taken(bad), bad);
    BOOST_TEST(!is_taken("/mcp=https://mcp.notion.com/mcp", WebServer::lighttpd));
}

BOOST_AUTO_TEST_CASE(apache_loads_tls_for_a_server_behind_it_and_not_otherwise, *label("XF5")) {
    const auto has = [](bool tls) {
        for (const auto& part : front_of(WebServer::apache, tls).parts)
            if (part.name == "ssl") return true;
        return false;
    };
    BOOST_TEST(has(true));
    BOOST_TEST(!has(false));
}

BOOST_AUTO_TEST_CASE(a_value_takes_the_place_of_its_key_or_of_its_comment, *label("XF5")) {
    const std::string text = "# The issuer\n#issuer =\n\n#issuers = x\nworkers = 2\n";
    BOOST_TEST(!config_value(text, "issuer"));
    BOOST_TEST(config_value(text, "workers").value() == "2");
    const auto first = with_config_value(text, "issuer", "https://a");
    BOOST_TEST(first == "# The issuer\nissuer = https://a\n\n#issuers = x\nworkers = 2\n");
    BOOST_TEST(config_value(first, "issuer").value() == "https://a");
    BOOST_TEST(with_config_value(first, "issuer", "https://a") == first);
    BOOST_TEST(
        with_config_value(first, "issuer", "https://b").find("https://a") == std::string::npos);
    BOOST_TEST(with_config_value("a = 1", "b", "2") == "a = 1\nb = 2\n");
    // The last one counts.
    BOOST_TEST(config_value("a=1\n a : 2 \n", "a").value() == "2");
}

BOOST_AUTO_TEST_CASE(a_change_shows_its_lines_alone, *label("XF5")) {
    BOOST_TEST(changed_lines("a\nb\nc\n", "a\nx\nb\ny\nc\n") == "+ x\n+ y\n");
    BOOST_TEST(changed_lines("a\nb\n", "a\nc\n") == "- b\n+ c\n");
    BOOST_TEST(changed_lines("a\n", "a\n").empty());
    BOOST_TEST(changed_lines("", "}\n{\n}\n") == "+ }\n+ {\n+ }\n");
}

BOOST_AUTO_TEST_SUITE_END()
