// Tests src/app/site_files.cpp and site_blocks.cpp: which virtual host of many is meant, in the
// shapes that such files have on people's machines, and what is written into it.
#include "app/site_files.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::app;
using boost::unit_test::label;

namespace {

constexpr auto host = "tools.example.org";

// Where the one virtual host begins; 0: there is none; a negative number: so many.
int line_of(WebServer server, const std::string& text) {
    const auto sites = find_sites(server, {{"site", text}}, host);
    if (sites.size() > 1) return -static_cast<int>(sites.size());
    return sites.empty() ? 0 : static_cast<int>(sites.front().line);
}

int apache(const std::string& text) { return line_of(WebServer::apache, text); }
int nginx(const std::string& text) { return line_of(WebServer::nginx, text); }
int lighttpd(const std::string& text) { return line_of(WebServer::lighttpd, text); }

SiteLines piece(const std::string& key, const std::string& line) {
    return {.keys = {key}, .lines = {line}};
}

std::string with(WebServer server, const std::string& text, const std::vector<SiteLines>& wanted) {
    const auto sites = find_sites(server, {{"site", text}}, host);
    BOOST_REQUIRE(sites.size() == 1);
    return add_site_lines(server, text, sites.front(), wanted).text;
}

const std::vector<SiteLines> apache_lines{
    piece("Use Consentgate", "Use Consentgate"),
    piece("Use ConsentgateProtect /mcp", "Use ConsentgateProtect /mcp http://127.0.0.1:3001/mcp")};

} // namespace

BOOST_AUTO_TEST_SUITE(site_files_)

BOOST_AUTO_TEST_CASE(apache_names_a_virtual_host_by_servername_or_serveralias, *label("XF5")) {
    BOOST_TEST(apache("<VirtualHost *:443>\n ServerName tools.example.org\n</VirtualHost>\n") == 1);
    BOOST_TEST(
        apache("# a\n\n<virtualhost *:443>\r\n\tservername \"https://TOOLS.example.org:443\"\r\n"
               "</virtualhost>\r\n") == 3);
    BOOST_TEST(
        apache("<VirtualHost *:443>\n ServerName example.org\n"
               " ServerAlias www.example.org \\\n   tools.example.org\n</VirtualHost>\n") == 1);
    BOOST_TEST(
        apache("<IfModule mod_ssl.c>\n<VirtualHost _default_:443>\n<IfModule mod_x.c>\n"
               "ServerName tools.example.org\n</IfModule>\n</VirtualHost>\n</IfModule>") == 2);
    BOOST_TEST(apache("<VirtualHost *:443>\n#ServerName tools.example.org\n</VirtualHost>\n") == 0);
    BOOST_TEST(
        apache("<VirtualHost *:443>\n ServerName other.example.org\n</VirtualHost>\n"
               "ServerName tools.example.org\n") == 0);
    BOOST_TEST(apache("#<VirtualHost *:443>\n#ServerName tools.example.org\n") == 0);
    BOOST_TEST(
        apache("<VirtualHost *:443>\n ServerName tools.example.org.evil\n</VirtualHost>") == 0);
    BOOST_TEST(apache("<VirtualHost *:443>\n ServerName tools.example.org\n") == 0);
}

BOOST_AUTO_TEST_CASE(one_with_tls_wins_over_a_redirect_to_it, *label("XF5")) {
    BOOST_TEST(
        apache("<VirtualHost *:80>\nServerName tools.example.org\nRedirect / https://tools/\n"
               "</VirtualHost>\n<VirtualHost *:443>\nServerName tools.example.org\n"
               "</VirtualHost>\n") == 5);
    BOOST_TEST(
        apache("<VirtualHost *:8443>\nServerName tools.example.org\nSSLEngine on\n</VirtualHost>\n"
               "<VirtualHost *:80>\nServerName tools.example.org\n</VirtualHost>\n") == 1);
    BOOST_TEST(apache("<VirtualHost *:80>\nServerName tools.example.org\n</VirtualHost>\n") == 1);
    BOOST_TEST(
        nginx("server { listen 80; server_name tools.example.org; return 301 https://$host; }\n"
              "server {\n listen [::]:443 ssl http2;\n server_name tools.example.org;\n}\n") == 2);
    BOOST_TEST(
        nginx("server { listen 80; listen 443 ssl; server_name tools.example.org; }\n"
              "server { listen 80; server_name tools.example.org; }\n") == 1);
    BOOST_TEST(
        lighttpd("$HTTP[\"scheme\"] == \"http\" {\n $HTTP[\"host\"] == \"tools.example.org\" {\n"
                 "  url.redirect = ( \"\" => \"https://tools.example.org\" )\n }\n}\n"
                 "$HTTP[\"host\"] == \"tools.example.org\" {\n}\n") == 6);
}

BOOST_AUTO_TEST_CASE(between_two_that_are_alike_only_a_person_can_choose, *label("XF5")) {
    const std::string one = "<VirtualHost *:443>\nServerName tools.example.org\n</VirtualHost>\n";
    BOOST_TEST(apache(one + one) == -2);
    BOOST_TEST(find_sites(WebServer::apache, {{"a", one}, {"b", one}}, host).size() == 2u);
    const std::string other = "server { listen 443 ssl; server_name tools.example.org; }\n";
    BOOST_TEST(nginx(other + other) == -2);
}

BOOST_AUTO_TEST_CASE(the_very_name_wins_over_a_pattern, *label("XF5")) {
    BOOST_TEST(
        apache("<VirtualHost *:443>\nServerName a.org\nServerAlias *.example.org\n</VirtualHost>\n"
               "<VirtualHost *:443>\nServerName tools.example.org\n</VirtualHost>\n") == 5);
    BOOST_TEST(
        apache("<VirtualHost *:443>\nServerName a.org\nServerAlias t?ols.*.org\n</VirtualHost>") ==
        1);
    BOOST_TEST(nginx("server { server_name *.example.org; }\nserver {\nserver_name _; }") == 1);
    BOOST_TEST(nginx("server { server_name .example.org; }") == 1);
    BOOST_TEST(nginx("server { server_name tools.*; }") == 1);
    BOOST_TEST(nginx("server { server_name ~^(?<name>\\w+)\\.example\\.org$; }") == 1);
    BOOST_TEST(nginx("server { server_name ~^www\\.; }") == 0);
    BOOST_TEST(nginx("server { server_name ~((; }") == 0);
    BOOST_TEST(lighttpd("$HTTP[\"host\"] =~ \"^(www\\.)?tools\\.example\\.org$\" {\n}\n") == 1);
    BOOST_TEST(lighttpd("$HTTP[\"host\"] =~ \"^www\\.\" {\n}\n") == 0);
}

BOOST_AUTO_TEST_CASE(nginx_finds_its_block_among_strings_comments_and_other_blocks, *label("XF5")) {
    const std::string around = "upstream app { server 127.0.0.1:1; server unix:/run/x; }\n"
                               "map $http_upgrade $c { default \"}\"; '' close; }\n"
                               "# server { server_name tools.example.org; }\n"
                               "server {\n    server_name other.example.org;\n"
                               "    location ~ ^/a{2}#b { return 200 '{\"a\":\"${host}\"}'; }\n}\n";
    BOOST_TEST(nginx(around) == 0);
    BOOST_TEST(
        nginx(
            around + "server\n{\n    listen 443 ssl; # managed by Certbot\n"
                     "    server_name\n        www.example.org\n        tools.example.org;\n"
                     "    if ($host = tools.example.org) { return 301 /; }\n}\n") == 9);
    BOOST_TEST(nginx("http {\n  server { server_name tools.example.org; }\n}\n") == 2);
    BOOST_TEST(nginx("stream { server { listen 443; server_name tools.example.org; } }") == 0);
    BOOST_TEST(nginx("server { location /x { server_name tools.example.org; } }") == 0);
}

BOOST_AUTO_TEST_CASE(lighttpd_finds_its_condition_on_the_host_and_no_other, *label("XF5")) {
    BOOST_TEST(lighttpd("$HTTP[\"host\"]==\"tools.example.org\"{\n}\n") == 1);
    BOOST_TEST(
        lighttpd(
            "$SERVER[\"socket\"] == \":443\" {\n  ssl.engine = \"enable\"\n"
            "  $HTTP[\"host\"] == \"tools.example.org\" {\n    $HTTP[\"url\"] =~ \"^/a{2}\" {\n"
            "    }\n  }\n}\n") == 3);
    BOOST_TEST(
        lighttpd("$HTTP[\"host\"] == \"a\" {\n}\nelse $HTTP[\"host\"] == \"tools.example.org\" {\n"
                 "}\n") == 3);
    BOOST_TEST(lighttpd("$HTTP[\"host\"] != \"tools.example.org\" {\n}\n") == 0);
    BOOST_TEST(lighttpd("$HTTP[\"url\"] == \"tools.example.org\" {\n}\n") == 0);
    BOOST_TEST(lighttpd("# $HTTP[\"host\"] == \"tools.example.org\" {\n# }\n") == 0);
    BOOST_TEST(lighttpd("server.tag = \"$HTTP[\\\"host\\\"] == {\"\n") == 0);
}

BOOST_AUTO_TEST_CASE(what_is_no_site_file_has_none_and_harms_nobody, *label("XF5")) {
    for (const auto* text :
         {"", "}", "{", "}}}", "\"", "'", "#", "\\", "<VirtualHost", "</VirtualHost>", "server {",
          "server { server_name tools.example.org", "$HTTP[\"host\"] == \"tools.example.org\" {",
          "${", "<VirtualHost>\n\\"}) {
        BOOST_TEST(apache(text) == 0);
        BOOST_TEST(nginx(text) == 0);
        BOOST_TEST(lighttpd(text) == 0);
    }
}

BOOST_AUTO_TEST_CASE(lines_are_the_first_in_the_virtual_host_in_its_indentation, *label("XF5")) {
    const std::string before = "<VirtualHost *:80>\n  ServerName x\n</VirtualHost>\n";
    BOOST_TEST(
        with(
            WebServer::apache,
            before + "<VirtualHost *:443>\n\tServerName tools.example.org\n</VirtualHost>\n",
            apache_lines) == before + "<VirtualHost *:443>\n\tUse Consentgate\n"
                                      "\tUse ConsentgateProtect /mcp http://127.0.0.1:3001/mcp\n"
                                      "\tServerName tools.example.org\n</VirtualHost>\n");
    BOOST_TEST(
        with(
            WebServer::nginx, "  server { # ours\n    server_name tools.example.org;\n  }\n",
            {piece("a", "a b;")}) ==
        "  server { # ours\n    a b;\n    server_name tools.example.org;\n  }\n");
    BOOST_TEST(
        with(WebServer::nginx, "server { server_name tools.example.org; }", {piece("a", "a b;")}) ==
        "server {\n    a b;\n server_name tools.example.org; }");
}

BOOST_AUTO_TEST_CASE(for_lighttpd_they_are_the_last_ones, *label("XF5")) {
    BOOST_TEST(
        with(
            WebServer::lighttpd, "$HTTP[\"host\"] == \"tools.example.org\" {\n  a = 1\n}\nb = 2\n",
            {piece("include", "include \"x\"")}) ==
        "$HTTP[\"host\"] == \"tools.example.org\" {\n  a = 1\n  include \"x\"\n}\nb = 2\n");
    BOOST_TEST(
        with(
            WebServer::lighttpd, "$HTTP[\"host\"] == \"tools.example.org\" { a = 1 }",
            {piece("include", "include \"x\"")}) ==
        "$HTTP[\"host\"] == \"tools.example.org\" { a = 1 \n    include \"x\"\n}");
}

BOOST_AUTO_TEST_CASE(what_is_there_is_not_written_a_second_time, *label("XF5")) {
    const std::string site =
        "<VirtualHost *:443>\n    ServerName tools.example.org\n</VirtualHost>\n";
    const auto once = with(WebServer::apache, site, apache_lines);
    BOOST_TEST(with(WebServer::apache, once, apache_lines) == once);
    // Another server of the same site comes after the mount.
    const auto twice = with(
        WebServer::apache, once,
        {apache_lines.front(),
         piece("Use ConsentgateProtect /b", "Use ConsentgateProtect /b http://127.0.0.1:1")});
    BOOST_TEST(
        twice.find("Use Consentgate\n    Use ConsentgateProtect /b http://127.0.0.1:1\n") !=
        std::string::npos);
    // `/mcp2` is not `/mcp`, and a comment is no line.
    for (const auto* other :
         {"Use ConsentgateProtect /mcp2 http://127.0.0.1:3001/mcp",
          "# Use ConsentgateProtect /mcp http://127.0.0.1:3001/mcp"}) {
        const auto written = with(
            WebServer::apache,
            "<VirtualHost *:443>\nServerName tools.example.org\n" + std::string(other) +
                "\n</VirtualHost>\n",
            {apache_lines.back()});
        BOOST_TEST(
            written.find("\nUse ConsentgateProtect /mcp http://127.0.0.1:3001/mcp\n") !=
            std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_line_is_found_in_any_file_and_a_comment_is_none, *label("XF5")) {
    const std::string line = "include consentgate/http.conf;\n";
    BOOST_TEST(
        has_line({{"a", "x;\n"}, {"b", "http {\n\tinclude  consentgate/http.conf;\n}"}}, line));
    BOOST_TEST(!has_line({{"a", "# include consentgate/http.conf;\n"}}, line));
    BOOST_TEST(!has_line({{"a", "# a comment\n\n"}}, "# a comment\ninclude x;\n"));
    BOOST_TEST(!has_line({}, line));
}

BOOST_AUTO_TEST_CASE(a_line_of_the_sites_own_stays_and_is_reported, *label("XF5")) {
    const std::string text =
        "<VirtualHost *:443>\nServerName tools.example.org\n"
        "  use  ConsentgateProtect   /mcp http://elsewhere:1\n</VirtualHost>\n";
    const auto sites = find_sites(WebServer::apache, {{"site", text}}, host);
    const auto change =
        add_site_lines(WebServer::apache, text, sites.front(), {apache_lines.back()});
    BOOST_TEST(change.text == text);
    BOOST_REQUIRE(change.kept.size() == 1u);
    BOOST_TEST(change.kept.front() == "use ConsentgateProtect /mcp http://elsewhere:1");
}

BOOST_AUTO_TEST_SUITE_END()
