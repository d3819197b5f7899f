// Tests src/core/oauth/client_document.cpp: the URLs that may name a client.
#include "consentgate/core/oauth/client_document.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

constexpr const char* sample_url = "https://app.example/oauth/client.json";

DocumentPolicy open_policy() {
    DocumentPolicy policy;
    policy.accepted = true;
    return policy;
}

Result<DocumentUrl> valid(const std::string& url, const DocumentPolicy& policy = open_policy()) {
    return validate_document_url(ClientId(url), policy);
}

} // namespace

BOOST_AUTO_TEST_SUITE(client_document_url)

BOOST_AUTO_TEST_CASE(an_https_url_with_a_path_is_accepted, *label("R23")) {
    for (const auto* good :
         {sample_url, "https://app.example/a", "https://app.example/a/",
          "https://app.example:443/a", "https://app.example/a?b=c",
          "https://app.example/.well-known/x", "https://app.example/a/...",
          "https://app.example/a%2fb", "https://app.example/a?x=/../b",
          "https://claude.ai/oauth/claude-code-client-metadata",
          "https://vscode.dev/oauth/client-metadata.json"}) {
        BOOST_TEST_CONTEXT(good) BOOST_TEST(code_of(valid(good)) == "ok");
    }
    const auto url = valid("https://App.Example/a/b?c=d");
    BOOST_TEST(url->id.text == "https://App.Example/a/b?c=d");
    BOOST_TEST(url->host == "app.example");
    BOOST_TEST(url->target == "/a/b?c=d");
    BOOST_TEST(url->authority() == "app.example");
}

BOOST_AUTO_TEST_CASE(other_urls_are_refused, *label("R23")) {
    for (const auto* bad :
         {"https://",
          "https:///a",
          "https:app.example/a",
          "https://app.example",
          "https://app.example/",
          "https://app.example/?a=b",
          "https://app.example/a#b",
          "https://app.example/a#",
          "https://u@app.example/a",
          "https://u:p@app.example/a",
          "https://@app.example/a",
          "https://app.example/a/../b",
          "https://app.example/./a",
          "https://app.example/a/..",
          "https://app.example/a/.",
          "https://app.example/%2e/a",
          "https://app.example/%2E%2e/a",
          "https://app.example/.%2E/a",
          "https://app.example/a b",
          "https://app.example/a\\b",
          "https://app.example\\@b.example/a",
          "https://app.example/%",
          "https://app.example/%zz",
          "https://app.example:0/a",
          "https://app.example:65536/a",
          "https://app.example:/a",
          "http://app.example/a",
          "HTTPS://app.example/a",
          "ftp://app.example/a",
          "cgc_x"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(code_of(valid(bad)) == "invalid_client_document");
    }
}

BOOST_AUTO_TEST_CASE(
    a_host_must_be_a_name_whatever_the_notation_of_an_address, *label("R30") * label("K26")) {
    for (const auto* bad :
         {"https://127.0.0.1/a", "https://[::1]/a", "https://[::ffff:127.0.0.1]/a",
          "https://[64:ff9b::7f00:1]/a", "https://2130706433/a", "https://0x7f000001/a",
          "https://0x7f.1/a", "https://127.1/a", "https://0177.0.0.1/a", "https://8.8.8.8/a",
          "https://a.0x10/a", "https://a.0x/a", "https://app.example./a", "https://127.0.0.1./a",
          "https://.example/a", "https://a..example/a"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(code_of(valid(bad)) == "invalid_client_document");
    }
    for (const auto* good :
         {"https://127.0.0.1.example/a", "https://1.a/a", "https://0x7f.example/a",
          "https://a.0xyz/a", "https://localhost/a"}) {
        BOOST_TEST_CONTEXT(good) BOOST_TEST(code_of(valid(good)) == "ok");
    }
}

BOOST_AUTO_TEST_CASE(
    other_ports_than_443_need_an_entry_in_the_allow_list, *label("R30") * label("R37")) {
    BOOST_TEST(code_of(valid("https://app.example:8443/a")) == "invalid_client_document");
    auto policy = open_policy();
    policy.hosts = {"app.example:8443", "*.other.example"};
    BOOST_TEST(code_of(valid("https://app.example:8443/a", policy)) == "ok");
    BOOST_TEST(valid("https://app.example:8443/a", policy)->authority() == "app.example:8443");
    for (const auto* bad :
         {"https://app.example/a", "https://app.example:8444/a", "https://a.other.example:8443/a",
          "https://other.example/a"}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(code_of(valid(bad, policy)) == "invalid_client_document");
    }
    BOOST_TEST(code_of(valid("https://a.other.example/a", policy)) == "ok");
}

BOOST_AUTO_TEST_CASE(
    a_denied_host_is_refused_on_every_port_and_its_neighbours_are_not, *label("R37")) {
    auto policy = open_policy();
    policy.denied_hosts = {"bad.example", "*.worse.example"};
    policy.insecure_test_hosts = {"bad.example:8443"};
    for (const auto* bad :
         {"https://bad.example/a", "https://BAD.example/a", "https://bad.example:8443/a",
          "https://x.worse.example/a", "https://x.y.worse.example/a"}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(code_of(valid(bad, policy)) == "invalid_client_document");
    }
    for (const auto* good :
         {"https://a.bad.example/a", "https://notbad.example/a", "https://worse.example/a",
          "https://noworse.example/a"}) {
        BOOST_TEST_CONTEXT(good) BOOST_TEST(code_of(valid(good, policy)) == "ok");
    }
}

BOOST_AUTO_TEST_CASE(a_test_host_counts_with_its_port_only, *label("R30")) {
    auto policy = open_policy();
    policy.insecure_test_hosts = {"localhost:8443", "[::1]:8443"};
    BOOST_TEST(valid("https://localhost:8443/a", policy)->test_host);
    BOOST_TEST(valid("https://[::1]:8443/a", policy)->host == "::1");
    BOOST_TEST(!valid("https://localhost/a", policy)->test_host);
    BOOST_TEST(code_of(valid("https://localhost:8444/a", policy)) == "invalid_client_document");
    BOOST_TEST(code_of(valid("https://127.0.0.1:8443/a", policy)) == "invalid_client_document");
}

BOOST_AUTO_TEST_CASE(without_documents_such_a_client_is_unknown, *label("D20")) {
    BOOST_TEST(code_of(valid(sample_url, {})) == "invalid_client");
    BOOST_TEST(names_document(ClientId(sample_url)));
    BOOST_TEST(!names_document(ClientId("cgc_sample")));
}

BOOST_AUTO_TEST_SUITE_END()
