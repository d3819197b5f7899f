// src/web/gate.cpp: the words of a refusal, and that every web server gets the same ones.
#include "tests/support/guarded.h"

#include "consentgate/usecase/access_rules.h"
#include "consentgate/usecase/gate.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using web::Asked;

namespace {

constexpr const char* profile_words = "profile (Know your name)";

core::Policy wide_policy() {
    auto policy = guarded_policy();
    policy.scopes = {
        {"mcp", "Use the tools"},
        {"profile", "Know your name"},
        {"files", "Lesen und \u00e4ndern"}};
    policy.resources.front().origins = *core::AllowedOrigins::parse("https://app.example");
    return policy;
}

struct Refusing : Guarded {
    Refusing() : Guarded(true, wide_policy()) {}

    web::Request request(const std::string& target, const std::string& token) const {
        auto made = TestServer::request("POST", target);
        if (!token.empty()) made.authorization = "Bearer " + token;
        return made;
    }
    // The registered scope of an operator's client is what it may have at most.
    void limit_client(const std::string& scope) {
        auto client = *server.store->clients.find(sample_client().id);
        client.id = core::ClientId("cgc_limited");
        client.by_operator = true;
        client.scope = scope;
        server.store->clients.put(client);
    }
    std::string token_of_limited(const std::string& path, const std::string& scope) {
        const auto resource = "https://tools.example.org" + path;
        journey->begin(sample_authorize()
                           .with("client_id", "cgc_limited")
                           .with("resource", resource)
                           .with("scope", scope));
        journey->send("skip");
        const auto form = sample_exchange()
                              .with("client_id", "cgc_limited")
                              .with("code", journey->finish())
                              .with("resource", resource);
        const auto answer = server.ask(TestServer::post("/api/oauth/per-user/token", form.text()));
        return member_of(*json_of(answer.body), "access_token");
    }
};

std::string said(const web::Reply& reply, const char* member) {
    const auto body = json_of(reply.body);
    return body ? member_of(*body, member) : "(no JSON)";
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(gate_refusal, Refusing)

BOOST_AUTO_TEST_CASE(
    a_missing_scope_is_refused_with_all_that_the_call_needs_and_in_words_for_people,
    *label("P15") * label("C6")) {
    const auto reply = call("/mcp/profile", token_for("/mcp/profile", "mcp"));
    BOOST_TEST(reply.status == 403);
    BOOST_TEST(holds(challenge(reply), "error=\"insufficient_scope\""));
    BOOST_TEST(holds(challenge(reply), "scope=\"mcp profile\""));
    BOOST_TEST(holds(challenge(reply), "oauth-protected-resource/mcp/profile\""));
    BOOST_TEST(holds(challenge(reply), std::string("error_description=\"")));
    BOOST_TEST(holds(challenge(reply), profile_words));
    BOOST_TEST(said(reply, "error") == "insufficient_scope");
    BOOST_TEST(holds(said(reply, "error_description"), profile_words));
    BOOST_TEST(holds(said(reply, "error_description"), "Sign in again"));
    BOOST_TEST(!holds(said(reply, "error_description"), "mcp (")); // that one is there
}

// Clients that ask for the challenge's scopes alone would lose the others, and ask for them next.
BOOST_AUTO_TEST_CASE(
    the_challenge_keeps_what_the_session_has_and_nothing_that_the_configuration_dropped,
    *label("P15") * label("P18")) {
    const auto token = token_for("/mcp/profile", "files mcp");
    BOOST_TEST(holds(challenge(call("/mcp/profile", token)), "scope=\"mcp profile files\""));
    server.policy.scopes.pop_back();
    BOOST_TEST(holds(challenge(call("/mcp/profile", token)), "scope=\"mcp profile\""));
}

BOOST_AUTO_TEST_CASE(
    words_that_a_header_cannot_hold_are_left_out_and_the_scopes_name_stays, *label("P15")) {
    server.policy.resources[1].scope = scopes("mcp files");
    gate.resources = core::ResourceMap(server.policy.resources);
    const auto reply = call("/mcp/profile", token_for("/mcp/profile", "mcp"));
    BOOST_TEST(holds(said(reply, "error_description"), "allowed: files. Sign in"));
}

BOOST_AUTO_TEST_CASE(
    an_app_that_can_never_have_the_scope_learns_who_can_change_that_and_is_sent_nowhere,
    *label("P17") * label("RS6")) {
    limit_client("mcp");
    const auto token = token_of_limited("/mcp/profile", "mcp");
    for (const auto asked : {Asked::as_authorizer, Asked::to_answer}) {
        const auto reply = call("/mcp/profile", token, asked);
        BOOST_TEST(reply.status == 403);
        BOOST_TEST(challenge(reply) == "(absent)");
        BOOST_TEST(said(reply, "error") == "forbidden");
        BOOST_TEST(holds(said(reply, "error_description"), profile_words));
        BOOST_TEST(holds(said(reply, "error_description"), "the operator of auth.example.org"));
    }
    // One whose registration covers it, and one that registered itself, can sign in for more.
    auto wider = *server.store->clients.find(core::ClientId("cgc_limited"));
    BOOST_TEST(core::max_scope(wider, server.policy).text() == "mcp");
    BOOST_TEST(challenge(call("/mcp/profile", token_for("/mcp/profile", "mcp"))) != "(absent)");
}

BOOST_AUTO_TEST_CASE(
    a_scope_that_the_configuration_no_longer_has_can_be_had_by_nobody, *label("P17")) {
    const auto token = token_for("/mcp/profile", "mcp");
    std::erase_if(server.policy.scopes, [](const auto& scope) { return scope.name == "profile"; });
    const auto reply = call("/mcp/profile", token);
    BOOST_TEST(reply.status == 403);
    BOOST_TEST(said(reply, "error") == "forbidden");
    BOOST_TEST(challenge(reply) == "(absent)");
}

BOOST_AUTO_TEST_CASE(
    a_broader_scope_that_the_app_may_have_keeps_the_way_open, *label("P17") * label("C7")) {
    server.policy.scopes.push_back({"admin", "Everything"});
    server.policy.implications = {{"admin", scopes("mcp profile")}};
    limit_client("mcp admin");
    const auto reply = call("/mcp/profile", token_of_limited("/mcp/profile", "mcp"));
    BOOST_TEST(holds(challenge(reply), "insufficient_scope"));
}

BOOST_AUTO_TEST_CASE(
    a_page_of_another_origin_is_refused_before_its_token_is_looked_at, *label("N4")) {
    const auto token = token_for("/mcp");
    const auto from = [&](std::optional<std::string> origin, const std::string& bearer,
                          const std::string& method = "POST") {
        auto made = request("/mcp", bearer);
        made.method = method;
        made.origin = std::move(origin);
        return ask(made);
    };
    for (const auto* foreign :
         {"https://evil.example", "null", "http://app.example", "https://app.example.evil",
          "https://app.example:8443", "", "https://app.example, https://app.example",
          "https://app.example/"}) {
        BOOST_TEST_CONTEXT(foreign) {
            for (const auto& bearer : {token, std::string("invented"), std::string()}) {
                const auto reply = from(foreign, bearer);
                BOOST_TEST(reply.status == 403);
                BOOST_TEST(said(reply, "error") == "forbidden");
                BOOST_TEST(challenge(reply) == "(absent)");
            }
            BOOST_TEST(from(foreign, "", "OPTIONS").status == 403);
        }
    }
    for (const auto* own : {"https://app.example", "https://APP.example:443"})
        BOOST_TEST_CONTEXT(own) BOOST_TEST(from(own, token).status == 200);
    BOOST_TEST(from("https://app.example", "").status == 401);
    BOOST_TEST(from("https://app.example", "", "OPTIONS").status == 204);
    BOOST_TEST(from(std::nullopt, token).status == 200);
    auto elsewhere = request("/mcp/profile", token_for("/mcp/profile", "mcp profile"));
    elsewhere.origin = "https://evil.example";
    BOOST_TEST(ask(elsewhere).status == 200); // that resource takes any
}

BOOST_AUTO_TEST_CASE(
    nginx_gets_the_words_and_the_status_in_headers_and_no_other_web_server_does,
    *label("P19") * label("N11")) {
    const auto narrow = token_for("/mcp/profile", "mcp");
    for (const auto& [target, token, status, asked_status] :
         {std::tuple("/mcp", "", 401, 401), std::tuple("/mcp", "nonsense", 401, 401),
          std::tuple("/nowhere", "x", 404, 403), std::tuple("/mcp//x", "x", 400, 403),
          std::tuple("/mcp/profile", narrow.c_str(), 403, 403)}) {
        BOOST_TEST_CONTEXT(target << " " << token) {
            const auto other = call(target, token), nginx = call(target, token, Asked::to_answer);
            BOOST_TEST(other.status == status);
            BOOST_TEST(nginx.status == asked_status);
            BOOST_TEST(nginx.body == other.body);
            BOOST_TEST(challenge(nginx) == challenge(other));
            BOOST_TEST(header_of(nginx, "Consentgate-Status") == std::to_string(status));
            BOOST_TEST(header_of(nginx, "Consentgate-Error") == said(other, "error"));
            BOOST_TEST(header_of(nginx, "Consentgate-Say") == said(other, "error_description"));
            for (const auto* name : {"Consentgate-Status", "Consentgate-Error", "Consentgate-Say"})
                BOOST_TEST(header_of(other, name) == "(absent)");
        }
    }
}

BOOST_AUTO_TEST_CASE(
    what_nginx_shows_closes_no_quotation_and_is_no_other_json, *label("P19") * label("C12")) {
    server.policy.issuer = "https://auth.example.org";
    server.policy.scopes[1].words = "Say \"x\", \\ and $remote_user\r\nX: y";
    const auto reply = call("/mcp/profile", token_for("/mcp/profile", "mcp"), Asked::to_answer);
    const auto say = header_of(reply, "Consentgate-Say");
    BOOST_TEST(say.find_first_of("\"\\\r\n") == std::string::npos);
    BOOST_TEST(
        said(reply, "error_description") == say); // JSON needs no escape for what nginx puts there
}

BOOST_AUTO_TEST_CASE(
    the_doctors_token_is_refused_as_a_missing_right_and_one_of_another_key_as_invented,
    *label("P19")) {
    const auto token = server.keyring.probe_token();
    const auto reply = call("/mcp", token.reveal());
    BOOST_TEST(reply.status == 403);
    BOOST_TEST(said(reply, "error_description") == usecase::probe_message);
    BOOST_TEST(challenge(reply) == "(absent)");
    const core::Keyring other({{core::KeyId("k9"), core::Secret(std::string(32, 'z'))}});
    BOOST_TEST(call("/mcp", other.probe_token().reveal()).status == 401);
    BOOST_TEST(call("/mcp", token.reveal() + "x").status == 401);
    BOOST_TEST(call("/mcp", "cgp_").status == 401);
    // An older key of the file still counts, because the gate may not have read the newest one.
    auto keys = server.keyring.keys();
    keys.push_back({core::KeyId("k9"), core::Secret(std::string(32, 'z'))});
    BOOST_TEST(core::Keyring(keys).is_probe(token));
    BOOST_TEST(core::Keyring(keys).is_probe(other.probe_token()));
    BOOST_TEST(!server.keyring.is_probe(other.probe_token()));
}

BOOST_AUTO_TEST_CASE(
    a_rule_about_a_resource_is_not_about_what_lies_below_or_above_it,
    *label("SA32") * label("SI64")) {
    const auto above = token_for("/mcp"), below = token_for("/mcp/profile", "mcp profile");
    const auto refuse = [&](const std::string& path) {
        return usecase::add_rule(
                   server.deps,
                   {.effect = core::Effect::deny,
                    .who = *core::Who::parse("everyone"),
                    .target = {.resource = "https://tools.example.org" + path}},
                   noon)
            ->number;
    };
    const auto rule = refuse("/mcp");
    BOOST_TEST(call("/mcp", above).status == 403);
    BOOST_TEST(call("/mcp/anything", above).status == 403);
    BOOST_TEST(call("/mcp/profile", above).status == 401);
    BOOST_TEST(call("/mcp/profile", below).status == 200);
    BOOST_TEST(call("/mcp", below).status == 401);
    BOOST_REQUIRE_EQUAL(code_of(usecase::remove_rule(server.deps, rule)), "ok");
    refuse("/mcp/profile");
    BOOST_TEST(call("/mcp", above).status == 200);
    BOOST_TEST(call("/mcp/profiles", above).status == 200);
    BOOST_TEST(call("/mcp/profile", above).status == 401);
    BOOST_TEST(call("/mcp/profile", below).status == 403);
    BOOST_TEST(call("/mcp/profile/more", below).status == 403);
}

BOOST_AUTO_TEST_CASE(only_mod_fcgids_checker_with_the_files_word_is_refused_softly, *label("P19")) {
    BOOST_TEST(web::takes_soft_no("ACCESS_CHECKER", "1"));
    BOOST_TEST(!web::takes_soft_no("AUTHENTICATOR", "1"));
    BOOST_TEST(!web::takes_soft_no("", "1"));
    for (const auto* odd : {"", "0", "yes", "11"})
        BOOST_TEST(!web::takes_soft_no("ACCESS_CHECKER", odd));
}

BOOST_AUTO_TEST_CASE(
    a_soft_refusal_holds_no_fact_about_the_caller_and_is_never_one_of_401, *label("P19")) {
    auto narrow = request("/mcp/profile", token_for("/mcp/profile", "mcp"));
    const auto hard = ask(narrow);
    narrow.soft_no = true;
    const auto soft = ask(narrow);
    BOOST_TEST(soft.status == 200);
    BOOST_TEST(header_of(soft, "Variable-CONSENTGATE_REFUSED") == hard.body);
    BOOST_TEST(header_of(soft, "Variable-CONSENTGATE_CHALLENGE") == challenge(hard));
    BOOST_TEST(soft.headers.size() == 2U);
    BOOST_TEST(soft.body.empty());
    for (const auto* token : {"", "nonsense"}) {
        auto none = request("/mcp/profile", token);
        none.soft_no = true;
        BOOST_TEST(ask(none).status == 401);
    }
    auto wide = request("/mcp/profile", token_for("/mcp/profile", "mcp profile"));
    wide.soft_no = true;
    BOOST_TEST(header_of(ask(wide), "Variable-CONSENTGATE_PASSED") == "1");
    BOOST_TEST(header_of(ask(wide), "Variable-CONSENTGATE_SESSION") != "(absent)");
    BOOST_TEST(header_of(ask(wide), "Variable-CONSENTGATE_REFUSED") == "(absent)");
    std::size_t refused = 0;
    for (const auto& line : core::split(server.log, '\n'))
        if (holds(line, "event=gate ") && holds(line, "insufficient_scope"))
            refused += holds(line, "status=403") ? 1 : 100;
    BOOST_TEST(refused == 2U); // the soft one, too, is logged as what clients see
}

BOOST_AUTO_TEST_SUITE_END()
