// Tests src/core/oauth/client.cpp: how much a client that nobody checked may keep, and where it may
// lead.
#include "consentgate/core/oauth/client.h"
#include "consentgate/core/oauth/who_may_register.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate::core;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

// out: the code of the refusal, or "ok"
std::string registered(const std::string& body, const Policy& policy = sample_policy()) {
    return code_of(
        validate_registration(body, policy, ClientId("cgc_fresh"), noon)
            .and_then([&](const Client& client) { return check_own_registration(client); }));
}

std::string with_uris(const std::vector<std::string>& uris) {
    JsonObject body;
    body.set("redirect_uris", json_array(uris));
    return json_string(body);
}

std::string allowed(
    const std::string& uri, std::optional<std::vector<std::string>> hosts,
    std::optional<std::vector<std::string>> schemes = std::nullopt) {
    return code_of(check_redirect_allowed(uri, {.hosts = hosts, .schemes = schemes}));
}

} // namespace

BOOST_AUTO_TEST_SUITE(own_registration)

BOOST_AUTO_TEST_CASE(a_registration_keeps_four_kib_of_what_is_used_and_no_more, *label("XD2")) {
    const std::string base = "https://c.example/";
    const auto of_bytes = [&](std::size_t bytes) { // of all redirect URIs, with a line end each
        std::vector<std::string> uris(4, base);
        const auto rest = bytes - 4 * (base.size() + 1) - 2; // "{}" is kept for other members
        for (std::size_t i = 0; i < uris.size(); ++i)        // different ones: each counts once
            uris[i] += std::string(rest / 4 + (i < rest % 4 ? 1 : 0), static_cast<char>('a' + i));
        return with_uris(uris);
    };
    BOOST_TEST(registered(of_bytes(max_registration_bytes)) == "ok");
    BOOST_TEST(registered(of_bytes(max_registration_bytes + 1)) == "invalid_client_metadata");
    for (const auto* member : {"client_uri", "logo_uri", "tos_uri", "policy_uri"}) {
        const auto long_uri = "https://c.example/" + std::string(2000, 'x');
        BOOST_TEST_CONTEXT(member)
        BOOST_TEST(
            registered(
                R"({"redirect_uris":[")" + base + std::string(1500, 'r') + R"("],")" + member +
                R"(":")" + long_uri + R"(","contacts":[")" + std::string(1000, 'c') + "\"]}") ==
            "invalid_client_metadata");
    }
}

BOOST_AUTO_TEST_CASE(members_that_nobody_uses_cost_a_registration_nothing, *label("XD2")) {
    BOOST_TEST(
        registered(
            R"({"redirect_uris":["https://c.example/cb"],"notes":")" + std::string(30000, 'n') +
            R"(","more":{"a":[1,2,3]}})") == "ok");
}

BOOST_AUTO_TEST_CASE(a_name_without_a_visible_character_is_no_name, *label("XD6")) {
    for (const std::string hidden : {" ", "\u200B\u200D", "\u3164", "\u202E", "\u2800"}) {
        const auto client = validate_registration(
            R"({"redirect_uris":["https://c.example/cb"],"client_name":")" + hidden + "\"}",
            sample_policy(), ClientId("cgc_fresh"), noon);
        BOOST_REQUIRE(client);
        BOOST_TEST_CONTEXT(to_hex(hidden)) {
            BOOST_TEST(client->name.empty());
            BOOST_TEST(!json_of(registration_response(*client, {}))->contains("client_name"));
        }
    }
}

BOOST_AUTO_TEST_CASE(any_address_may_be_registered_unless_the_operator_lists_some, *label("XD7")) {
    for (const auto* uri : {"https://c.example/cb", "http://127.0.0.1/cb", "cursor://x/cb"})
        BOOST_TEST_CONTEXT(uri) BOOST_TEST(allowed(uri, std::nullopt) == "ok");
}

BOOST_AUTO_TEST_CASE(listed_hosts_are_the_only_ones_and_loopback_is_a_word, *label("XD7")) {
    const std::vector<std::string> hosts{"claude.ai", "*.corp.example", "app.example:8443"};
    for (const auto* good :
         {"https://claude.ai/api/cb", "https://CLAUDE.ai/cb", "https://claude.ai:443/cb",
          "https://a.corp.example/cb", "https://a.b.corp.example/cb",
          "https://app.example:8443/cb"})
        BOOST_TEST_CONTEXT(good) BOOST_TEST(allowed(good, hosts) == "ok");
    for (const auto* bad :
         {"https://evil.example/cb", "https://corp.example/cb", "https://evilcorp.example/cb",
          "https://claude.ai.evil.example/cb", "https://claude.ai:8443/cb",
          "https://app.example/cb", "https://x.claude.ai/cb", "http://127.0.0.1/cb",
          "http://localhost:5/cb", "http://[::1]/cb", "https://loopback/cb"})
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(allowed(bad, hosts) == "invalid_redirect_uri");
    for (const auto* local : {"http://127.0.0.1:9/cb", "http://localhost/cb", "http://[::1]/cb"})
        BOOST_TEST_CONTEXT(local) {
            BOOST_TEST(allowed(local, std::vector<std::string>{"loopback"}) == "ok");
            BOOST_TEST(allowed(local, std::vector<std::string>{}) == "invalid_redirect_uri");
        }
    BOOST_TEST(allowed("cursor://claude.ai/cb", hosts) == "ok"); // schemes have a list of their own
}

BOOST_AUTO_TEST_CASE(listed_schemes_are_the_only_ones, *label("XD7")) {
    const std::vector<std::string> schemes{"cursor", "vscode"};
    BOOST_TEST(allowed("cursor://x/cb", std::nullopt, schemes) == "ok");
    BOOST_TEST(allowed("Cursor://x/cb", std::nullopt, schemes) == "ok");
    BOOST_TEST(allowed("vscode:cb", std::nullopt, schemes) == "ok");
    BOOST_TEST(allowed("vscode-insiders://x", std::nullopt, schemes) == "invalid_redirect_uri");
    BOOST_TEST(
        allowed("cursor://x/cb", std::nullopt, std::vector<std::string>{}) ==
        "invalid_redirect_uri");
    BOOST_TEST(allowed("https://c.example/cb", std::nullopt, schemes) == "ok");
}

BOOST_AUTO_TEST_CASE(
    a_client_that_registers_itself_keeps_listed_addresses_or_learns_which_is_not,
    *label("XD7") * label("XE6")) {
    auto policy = sample_policy();
    policy.redirects.hosts = {"claude.ai"};
    const auto client = validate_registration(
        with_uris({"https://evil.example/cb", "https://claude.ai/cb"}), policy,
        ClientId("cgc_fresh"), noon);
    BOOST_REQUIRE(client);
    BOOST_TEST(join(client->redirect_uris, " ") == "https://claude.ai/cb");
    BOOST_TEST(client->dropped_redirects);
    const auto refused = validate_registration(
        with_uris({"https://evil.example/cb"}), policy, ClientId("cgc_fresh"), noon);
    BOOST_TEST(code_of(refused) == "invalid_redirect_uri");
    BOOST_TEST(
        refused.error().message == "this server takes no redirect URI at the host evil.example");
}

BOOST_AUTO_TEST_CASE(
    a_list_holds_for_clients_from_before_it_and_not_for_the_operators, *label("XD7")) {
    auto client = sample_client({"https://evil.example/cb", "https://claude.ai/cb"});
    const RedirectPolicy policy{.hosts = std::vector<std::string>{"claude.ai"}};
    BOOST_TEST(match_redirect(client, "https://claude.ai/cb", {}, policy).has_value());
    BOOST_TEST(!match_redirect(client, "https://evil.example/cb", {}, policy).has_value());
    client.by_operator = true;
    BOOST_TEST(match_redirect(client, "https://evil.example/cb", {}, policy).has_value());
}

BOOST_AUTO_TEST_CASE(one_sentence_says_who_may_register, *label("XD7")) {
    auto policy = sample_policy();
    BOOST_TEST(
        who_may_register(policy) ==
        "any program may register itself, and lead people back to any address");
    policy.documents.accepted = true;
    policy.redirects.hosts = {"claude.ai", "loopback"};
    BOOST_TEST(
        who_may_register(policy) ==
        "any program may register itself or describe itself in a document, and lead people back to "
        "claude.ai, the person's own computer, any app's scheme");
    policy.redirects.schemes = {"cursor"};
    policy.registration_enabled = false;
    BOOST_TEST(
        who_may_register(policy) ==
        "any program may describe itself in a document, and lead people back to claude.ai, the "
        "person's own computer, cursor:");
    policy.redirects = {.hosts = std::vector<std::string>{}, .schemes = std::vector<std::string>{}};
    BOOST_TEST(who_may_register(policy).ends_with("lead people back to no address"));
    policy.documents.accepted = false;
    BOOST_TEST(
        who_may_register(policy) ==
        "no program may register itself: only those of `client add` are known");
}

BOOST_AUTO_TEST_SUITE_END()
