#include "consentgate/core/base/uri.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_AUTO_TEST_SUITE(uri)

// ---- taking apart
BOOST_AUTO_TEST_CASE(a_uri_is_taken_apart_without_being_changed) {
    const auto parts = split_uri("HTTPS://User:pw@Host.Example:8443/a%2Fb?x=1#f");
    BOOST_REQUIRE(parts.has_value());
    BOOST_TEST(parts->scheme == "HTTPS");
    BOOST_TEST(parts->userinfo == "User:pw");
    BOOST_TEST(parts->host == "Host.Example");
    BOOST_TEST(parts->port == "8443");
    BOOST_TEST(parts->rest == "/a%2Fb?x=1#f");
    BOOST_TEST(parts->has_userinfo);
    BOOST_TEST(parts->hierarchical);
}

BOOST_AUTO_TEST_CASE(an_ipv6_host_keeps_its_brackets_and_its_port_apart) {
    const auto parts = split_uri("http://[::1]:5/cb");
    BOOST_REQUIRE(parts.has_value());
    BOOST_TEST(parts->host == "[::1]");
    BOOST_TEST(parts->port == "5");
    BOOST_TEST(!split_uri("http://[::1/cb"));
    BOOST_TEST(!split_uri("http://[]/cb"));
    BOOST_TEST(!split_uri("http://[::1]x/cb"));
    BOOST_TEST(!split_uri("http://::1]/cb"));
}

BOOST_AUTO_TEST_CASE(what_is_no_absolute_uri_is_refused) {
    for (const auto* bad :
         {"",
          "/cb",
          "//host/cb",
          "host/cb",
          "://host",
          "1http://h/",
          "ht_tp://h/",
          "http",
          "ht tp://h/",
          "http://h/ x",
          "http://h/\t",
          "http://h/\n",
          "http://h\\@evil.test/",
          "http://h/<x>",
          "http://h/\"",
          "http://h/{x}",
          "http://h/|",
          "http://h/^",
          "http://h/`",
          "http://h/\xc3\xa9",
          "http://h/%",
          "http://h/%4",
          "http://h/%zz",
          "http://h/a%"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(!split_uri(bad));
    }
    BOOST_TEST(!split_uri(std::string("http://h/\0x", 11)));
}

BOOST_AUTO_TEST_CASE(a_port_is_1_to_65535_and_decimal) {
    for (const auto* good : {"1", "80", "65535"}) {
        BOOST_TEST_CONTEXT(good)
        BOOST_TEST(split_uri(std::string("http://h:") + good + "/").has_value());
    }
    for (const auto* bad : {"", "0", "65536", "99999", "100000", "+1", "-1", "8a", "0x50", "1:2"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(!split_uri(std::string("http://h:") + bad + "/"));
    }
}

// ---- what may be registered
BOOST_AUTO_TEST_CASE(the_addresses_that_real_clients_send_may_be_registered, *label("R3")) {
    for (const auto* good :
         {"http://localhost:53682/callback", "http://localhost/callback",
          "http://127.0.0.1/callback", "http://127.0.0.1:33418/", "http://127.0.0.1",
          "http://[::1]:5/cb", "https://claude.ai/api/mcp/auth_callback",
          "https://vscode.dev/redirect", "https://www.cursor.com/agents/mcp/oauth/callback",
          "cursor://anysphere.cursor-mcp/oauth/callback", "com.example.app:/oauth2redirect",
          "myapp:callback", "https://chatgpt.com/connector/oauth/abc?x=1",
          "https://10.0.0.1:8443/cb"}) {
        BOOST_TEST_CONTEXT(good) BOOST_TEST(code_of(check_redirect_uri(good)) == "ok");
    }
}

BOOST_AUTO_TEST_CASE(
    a_scheme_that_runs_code_or_reads_files_is_never_registered, *label("R3") * label("K30")) {
    for (const auto* scheme :
         {"javascript", "data", "file", "vbscript", "blob", "about", "ws", "wss", "mailto", "ftp",
          "view-source", "filesystem", "intent"}) {
        for (const auto* rest : {":alert(1)", "://host/cb", ":x"}) {
            BOOST_TEST_CONTEXT(scheme << rest)
            BOOST_TEST(!check_redirect_uri(std::string(scheme) + rest));
        }
    }
    BOOST_TEST(!check_redirect_uri("JaVaScRiPt:alert(1)"));
    BOOST_TEST(!check_redirect_uri("DATA:text/html,x"));
    BOOST_TEST(!check_redirect_uri(" javascript:alert(1)"));
    BOOST_TEST(!check_redirect_uri("java\nscript:alert(1)"));
}

BOOST_AUTO_TEST_CASE(
    a_scheme_that_starts_a_program_of_the_system_is_never_registered, *label("XD6") * label("R3")) {
    for (const auto* scheme :
         {"ms-msdt",
          "ms-settings",
          "ms-officecmd",
          "ms-appinstaller",
          "search-ms",
          "search",
          "shell",
          "res",
          "smb",
          "cifs",
          "ldap",
          "ldaps",
          "ssh",
          "sftp",
          "telnet",
          "vnc",
          "chrome-extension",
          "moz-extension",
          "safari-web-extension",
          "chrome",
          "chrome-untrusted",
          "edge",
          "urn",
          "mhtml",
          "hcp",
          "jnlp",
          "itms-services",
          "x-apple.systempreferences",
          "applescript",
          "svn+ssh",
          "git+ssh",
          "microsoft-edge",
          "vnd.libreoffice.command",
          "webcal",
          "callto",
          "news",
          "gopher",
          "market",
          "content"}) {
        for (const auto& spelled : {std::string(scheme), "M" + std::string(scheme).substr(1)}) {
            if (spelled[0] == 'M' && scheme[0] != 'm') continue;
            for (const auto* rest : {":x", "://host/cb", ":///etc"}) {
                BOOST_TEST_CONTEXT(spelled << rest)
                BOOST_TEST(!check_redirect_uri(spelled + rest));
            }
        }
    }
    BOOST_TEST(!check_redirect_uri("urn:ietf:wg:oauth:2.0:oob"));
    for (const auto* app :
         {"msx://cb", "msauth.com.example://auth", "searchlight://cb", "shellfish:cb", "resume://x",
          "zed://oauth", "vscode://vscode.git/cb", "vscode-insiders://x/cb", "claude://x",
          "com.example.extensions:/cb", "chromeless://cb", "web+mcp://cb", "raycast://oauth"})
        BOOST_TEST_CONTEXT(app) BOOST_TEST(code_of(check_redirect_uri(app)) == "ok");
}

BOOST_AUTO_TEST_CASE(plain_http_is_for_this_computer_only, *label("R3")) {
    for (const auto* bad :
         {"http://evil.test/cb", "http://127.0.0.2/cb", "http://127.1/cb", "http://2130706433/cb",
          "http://0.0.0.0/cb", "http://[::]/cb", "http://[::ffff:127.0.0.1]/cb",
          "http://localhost.evil.test/cb", "http://foo.localhost/cb", "http://localhost./cb",
          "http://LOCALHOST/cb", "http:///cb", "http:/cb", "http:cb", "HTTP://evil.test/cb"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(!check_redirect_uri(bad));
    }
}

BOOST_AUTO_TEST_CASE(
    a_user_name_a_fragment_and_a_wildcard_host_are_refused,
    *label("R2") * label("R3") * label("R4")) {
    for (const auto* bad :
         {"https://a@h/cb", "https://a:b@h/cb", "https://@h/cb", "http://127.0.0.1@evil.test/cb",
          "http://127.0.0.1:80@evil.test/", "cursor://user@h/cb", "https://h/cb#f", "https://h/cb#",
          "cursor://h/cb#f", "https://*.example.org/cb", "https://*/cb", "https:///cb",
          "https:", "https:h", "cursor:", "cursor://"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(!check_redirect_uri(bad));
    }
    BOOST_TEST(code_of(check_redirect_uri("https://h/a@b")) == "ok");
    BOOST_TEST(
        code_of(check_redirect_uri("https://h/*")) == "ok"); // stored literally, matched literally
}

BOOST_AUTO_TEST_CASE(a_redirect_uri_has_2048_bytes_at_most, *label("R17")) {
    const std::string head = "https://h/";
    BOOST_TEST(code_of(check_redirect_uri(head + std::string(2048 - head.size(), 'a'))) == "ok");
    BOOST_TEST(!check_redirect_uri(head + std::string(2049 - head.size(), 'a')));
}

// Headers are separated by semicolons and commas, and a Refresh header names the redirect's host.
BOOST_AUTO_TEST_CASE(a_host_that_could_end_a_header_is_refused, *label("R3") * label("XE2")) {
    for (const auto* bad :
         {"https://h;sandbox/cb", "https://h,default-src/cb", "http://localhost;x/cb",
          "https://'self'/cb"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(!check_redirect_uri(bad));
    }
    BOOST_TEST(code_of(check_redirect_uri("https://h/a;b,c")) == "ok");
}

// ---- matching
BOOST_AUTO_TEST_CASE(
    every_mutation_of_a_registered_address_is_refused, *label("A5") * label("K1")) {
    const std::string registered = "https://client.example/cb?x=1";
    BOOST_TEST(redirect_matches(registered, registered));
    for (const auto* mutated :
         {"https://client.example/cb",
          "https://client.example/cb/?x=1",
          "https://client.example/cb?x=2",
          "https://client.example/cb?x=1&y=2",
          "https://client.example/cb?x=1#",
          "https://client.example/CB?x=1",
          "https://CLIENT.example/cb?x=1",
          "HTTPS://client.example/cb?x=1",
          "http://client.example/cb?x=1",
          "https://client.example:443/cb?x=1",
          "https://client.example:8443/cb?x=1",
          "https://client.example./cb?x=1",
          "https://client.example/%63b?x=1",
          "https://client.example/./cb?x=1",
          "https://client.example/x/../cb?x=1",
          "https://client.example//cb?x=1",
          "https://client.example/cb%2F?x=1",
          "https://user@client.example/cb?x=1",
          "https://client.example@evil.test/cb?x=1",
          "https://client.example.evil.test/cb?x=1",
          "https://evil.test/cb?x=1",
          "https://client.example/cb?x=1 ",
          " https://client.example/cb?x=1",
          "https://client.example/cb?x=1%00",
          "https://client.example/cb?x=%31",
          "https://client.example/cb;?x=1",
          "https://client.example\\cb?x=1",
          "//client.example/cb?x=1",
          ""}) {
        BOOST_TEST_CONTEXT(mutated) BOOST_TEST(!redirect_matches(registered, mutated));
    }
}

BOOST_AUTO_TEST_CASE(a_loopback_redirect_may_change_its_port_and_nothing_else, *label("A6")) {
    for (const auto* host : {"127.0.0.1", "[::1]"}) {
        const auto bare = std::string("http://") + host;
        BOOST_TEST(redirect_matches(bare + "/cb?x=1", bare + ":53111/cb?x=1"));
        BOOST_TEST(redirect_matches(bare + ":1/cb?x=1", bare + ":65535/cb?x=1"));
        BOOST_TEST(redirect_matches(bare + ":1/cb?x=1", bare + "/cb?x=1"));
        for (const auto* rest :
             {"/other?x=1", "/cb", "/cb?x=2", "/cb?x=1&y", "/cb/?x=1", "", "/", "/cb?x=1#f",
              "/c%62?x=1"}) {
            BOOST_TEST_CONTEXT(host << rest)
            BOOST_TEST(!redirect_matches(bare + "/cb?x=1", bare + ":53111" + rest));
        }
        for (const auto* port : {":0", ":", ":65536", ":5a", ":1:2"}) {
            BOOST_TEST_CONTEXT(host << port)
            BOOST_TEST(!redirect_matches(bare + "/cb?x=1", bare + port + "/cb?x=1"));
        }
        BOOST_TEST(!redirect_matches(bare + "/cb", std::string("http://u@") + host + ":5/cb"));
        BOOST_TEST(!redirect_matches(bare + "/cb", std::string("https://") + host + ":5/cb"));
        BOOST_TEST(!redirect_matches(bare + "/cb", std::string("HTTP://") + host + ":5/cb"));
    }
    BOOST_TEST(redirect_matches("http://127.0.0.1", "http://127.0.0.1:5"));
    BOOST_TEST(!redirect_matches("http://127.0.0.1", "http://127.0.0.1:5/"));
}

BOOST_AUTO_TEST_CASE(https_to_a_loopback_address_keeps_its_port, *label("A6")) {
    BOOST_TEST(!redirect_matches("https://127.0.0.1/cb", "https://127.0.0.1:9/cb"));
    BOOST_TEST(!redirect_matches("https://localhost:8/cb", "https://localhost:9/cb"));
    BOOST_TEST(redirect_matches("https://127.0.0.1:9/cb", "https://127.0.0.1:9/cb"));
}

BOOST_AUTO_TEST_CASE(the_name_localhost_may_change_its_port_but_is_no_address, *label("A7")) {
    BOOST_TEST(redirect_matches("http://localhost/callback", "http://localhost:53682/callback"));
    BOOST_TEST(
        redirect_matches("http://localhost:1234/callback", "http://localhost:53682/callback"));
    for (const auto* bad :
         {"http://127.0.0.1:53682/callback", "http://[::1]:53682/callback",
          "http://localhost.evil.test:53682/callback", "http://foo.localhost:53682/callback",
          "http://localhost.:53682/callback", "http://LOCALHOST:53682/callback",
          "http://localhost:53682/other"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(!redirect_matches("http://localhost/callback", bad));
    }
    BOOST_TEST(!redirect_matches("http://127.0.0.1/callback", "http://localhost:5/callback"));
    BOOST_TEST(!redirect_matches("http://127.0.0.1/callback", "http://[::1]:5/callback"));
}

BOOST_AUTO_TEST_CASE(other_hosts_and_schemes_keep_their_port, *label("A5") * label("A6")) {
    BOOST_TEST(!redirect_matches("http://127.0.0.2/cb", "http://127.0.0.2:5/cb"));
    BOOST_TEST(!redirect_matches("cursor://localhost/cb", "cursor://localhost:5/cb"));
    BOOST_TEST(!redirect_matches("https://h/*", "https://h/x"));
}

// ---- what is said of it
BOOST_AUTO_TEST_CASE(the_page_names_the_target_in_each_kind, *label("U4")) {
    const auto https = describe_redirect("https://vscode.dev/redirect?x=1");
    BOOST_TEST((https.kind == RedirectKind::https));
    BOOST_TEST(https.shown == "vscode.dev");
    const auto loopback = describe_redirect("http://127.0.0.1:53111/cb");
    BOOST_TEST((loopback.kind == RedirectKind::loopback));
    BOOST_TEST(loopback.shown == "127.0.0.1:53111");
    const auto literal = describe_redirect("http://[::1]:5/cb");
    BOOST_TEST(literal.shown == "[::1]:5");
    const auto scheme = describe_redirect("Cursor://anysphere.cursor-mcp/cb");
    BOOST_TEST((scheme.kind == RedirectKind::private_scheme));
    BOOST_TEST(scheme.shown == "cursor:");
}

// ---- resources
BOOST_AUTO_TEST_CASE(a_resource_is_https_with_a_host_and_no_fragment, *label("A18") * label("D8")) {
    for (const auto* good :
         {"https://h", "https://h/", "https://h/mcp", "https://h:8443/a/b?x=1",
          "http://127.0.0.1:8080/mcp", "http://localhost/mcp"}) {
        BOOST_TEST_CONTEXT(good) BOOST_TEST(code_of(check_resource_uri(good)) == "ok");
    }
    for (const auto* bad :
         {"", "/mcp", "h/mcp", "https:///mcp", "https:mcp", "http://h/mcp", "ftp://h/mcp",
          "urn:x:y", "https://h/mcp#f", "https://h/#", "https://u@h/mcp"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(!check_resource_uri(bad));
    }
}

BOOST_AUTO_TEST_CASE(
    a_resource_forgives_the_case_of_its_host_and_a_bare_slash_and_nothing_else, *label("A20")) {
    BOOST_TEST(same_resource("https://h.example", "https://H.Example/"));
    BOOST_TEST(same_resource("https://h.example/", "HTTPS://h.example"));
    BOOST_TEST(same_resource("https://h.example/mcp", "https://H.example/mcp"));
    for (const auto* other :
         {"https://h.example/MCP", "https://h.example/mcp/", "https://h.example/mcp?x",
          "https://h.example:443/mcp", "https://h.example:8443/mcp", "http://h.example/mcp",
          "https://u@h.example/mcp", "https://@h.example/mcp", "https://h.example./mcp",
          "https://h.example/mc%70", "https://h.example/", "https://h.example",
          "https://h.example/mcp/a", "https://h.example/mcpx", "mcp", ""}) {
        BOOST_TEST_CONTEXT(other) BOOST_TEST(!same_resource("https://h.example/mcp", other));
    }
}

// ---- parameters at the end
BOOST_AUTO_TEST_CASE(parameters_join_the_query_that_is_there, *label("A9")) {
    const std::vector<std::pair<std::string, std::string>> code{
        {"code", "a b"}, {"iss", "https://i"}};
    BOOST_TEST(append_query("https://c/cb", code) == "https://c/cb?code=a%20b&iss=https%3A%2F%2Fi");
    BOOST_TEST(
        append_query("https://c/cb?x=1", code) ==
        "https://c/cb?x=1&code=a%20b&iss=https%3A%2F%2Fi");
    BOOST_TEST(
        append_query("https://c/cb?", code) == "https://c/cb?code=a%20b&iss=https%3A%2F%2Fi");
    BOOST_TEST(
        append_query("https://c/cb?x=1&", code) ==
        "https://c/cb?x=1&code=a%20b&iss=https%3A%2F%2Fi");
    BOOST_TEST(append_query("https://c/cb?x=/?y", {}) == "https://c/cb?x=/?y");
    BOOST_TEST(append_query("cursor:cb", {{"code", "a"}}) == "cursor:cb?code=a");
}

BOOST_AUTO_TEST_SUITE_END()
