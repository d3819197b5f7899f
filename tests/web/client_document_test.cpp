// Tests src/usecase/client_documents.cpp through the router: clients with a metadata document.
#include "tests/support/scripted_fetcher.h"
#include "tests/support/web_server.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

core::Policy policy_with_documents() {
    auto policy = sample_policy();
    policy.documents.accepted = true;
    return policy;
}

Parameters asking(const std::string& client = document_url) {
    return sample_authorize().with("client_id", client);
}

struct Documents : TestServer {
    ScriptedFetcher fetcher;
    std::string cookie;
    core::Instant at = noon;

    Documents() : TestServer(policy_with_documents()) { deps.documents = &fetcher; }

    web::Reply authorize(const Parameters& query = asking()) {
        auto request = get("/api/oauth/per-user/authorize?" + query.text());
        if (!cookie.empty()) request.cookie = cookie;
        request.accept = browser_accept;
        request.now = at;
        auto reply = ask(request);
        if (const auto set = header_of(reply, "Set-Cookie"); set != "(absent)")
            cookie = set.substr(0, set.find(';'));
        return reply;
    }

    web::Request form(const std::string& query) const {
        auto request =
            post("/api/oauth/per-user/consent/client", "request=" + core::percent_encode(query));
        request.cookie = cookie;
        request.origin = "https://auth.example.org";
        request.fetch_site = "same-origin";
        request.accept = browser_accept;
        request.now = at;
        return request;
    }
    web::Reply go_on(const Parameters& query = asking()) { return ask(form(query.text())); }
};

bool asks(const web::Reply& reply) {
    return reply.status == 200 &&
           holds(reply.body, "action=\"/api/oauth/per-user/consent/client\"");
}
bool starts_flow(const web::Reply& reply) {
    return location_of(reply).starts_with("/oauth/consent?flow_id=");
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(client_documents, Documents)

BOOST_AUTO_TEST_CASE(
    nothing_is_fetched_before_a_person_says_so, *label("R34") * label("K26") * label("K27")) {
    const auto page = authorize();
    BOOST_TEST(asks(page));
    BOOST_TEST(holds(page.body, "app.example"));
    BOOST_TEST(!holds(header_of(page, "Content-Security-Policy"), "form-action"));
    BOOST_TEST(header_of(page, "Cache-Control") == "no-store");
    BOOST_TEST(fetcher.asked == 0);
    BOOST_TEST(location_of(go_on()) == "/api/oauth/per-user/authorize?" + asking().text());
    BOOST_TEST(fetcher.asked == 1);
    BOOST_TEST(starts_flow(authorize()));
    BOOST_TEST(fetcher.asked == 1);
    BOOST_TEST(holds(log, "discouraged_query=no"));
}

BOOST_AUTO_TEST_CASE(a_query_in_the_id_is_taken_and_the_operator_warned, *label("R23")) {
    const std::string url = std::string(document_url) + "?v=1";
    fetcher.answer = [&](int) {
        return answered(
            R"({"client_id":")" + url +
            R"(","client_name":"An App","redirect_uris":["http://127.0.0.1/callback"]})");
    };
    authorize(asking(url));
    BOOST_TEST(go_on(asking(url)).status == 302);
    BOOST_TEST(starts_flow(authorize(asking(url))));
    BOOST_TEST(holds(log, "discouraged_query=yes"));
}

BOOST_AUTO_TEST_CASE(
    a_form_that_no_person_of_ours_sent_fetches_nothing, *label("R34") * label("K27")) {
    authorize();
    auto request = form(asking().text());
    request.cookie.reset();
    BOOST_TEST(ask(request).status == 403);
    request = form(asking().text());
    request.origin = "https://evil.test";
    BOOST_TEST(ask(request).status == 403);
    request = form(asking().text());
    request.fetch_site = "cross-site";
    BOOST_TEST(ask(request).status == 403);
    for (const auto* bad : {"a b", "a\r\nSet-Cookie: x", "a#b", "\xC3\xA4"})
        BOOST_TEST(ask(form(bad)).status == 400);
    BOOST_TEST(fetcher.asked == 0);
}

BOOST_AUTO_TEST_CASE(
    a_bad_client_id_or_a_host_off_the_list_is_refused_before_any_fetch,
    *label("R23") * label("R37") * label("K26")) {
    policy.documents.denied_hosts = {"bad.example"};
    authorize();
    for (const auto* bad :
         {"https://app.example", "https://app.example/a#b", "https://u@app.example/a",
          "https://app.example/../a", "https://127.0.0.1/a", "https://[::1]/a",
          "https://app.example:8443/a", "https://bad.example/a"}) {
        BOOST_TEST_CONTEXT(bad) {
            for (const auto& reply : {authorize(asking(bad)), go_on(asking(bad))}) {
                BOOST_TEST(reply.status == 400);
                BOOST_TEST(location_of(reply) == "(absent)");
                BOOST_TEST(!asks(reply));
            }
        }
    }
    BOOST_TEST(fetcher.asked == 0);
}

BOOST_AUTO_TEST_CASE(
    a_document_that_cannot_be_used_leads_to_our_page_and_is_not_kept,
    *label("R24") * label("R25") * label("R27") * label("R33") * label("K33")) {
    authorize();
    fetcher.answer = [](int before) {
        if (before == 0) return answered("", "max-age=600", 500);
        if (before == 1) return answered(R"({"client_id":"https://other.example/x"})");
        if (before == 2)
            return sys::Fetched{
                .outcome = sys::Fetched::Outcome::failed,
                .reason = "the name has an address that is not public"};
        return answered(document_text());
    };
    for (const auto* reason : {"status 500", "its own URL", "could not be fetched"}) {
        const auto reply = go_on();
        BOOST_TEST(reply.status == 400);
        BOOST_TEST(location_of(reply) == "(absent)");
        BOOST_TEST_CONTEXT(reply.body) BOOST_TEST(holds(reply.body, reason));
        BOOST_TEST(!holds(reply.body, "public"), "what a name resolved to is for the log alone");
        BOOST_TEST(asks(authorize()));
    }
    BOOST_TEST(holds(log, "not public"));
    BOOST_TEST(go_on().status == 302);
    BOOST_TEST(starts_flow(authorize()));
}

BOOST_AUTO_TEST_CASE(a_fresh_document_is_not_fetched_again_and_an_old_one_is, *label("R32")) {
    authorize();
    go_on();
    at = noon + core::Span(599);
    BOOST_TEST(starts_flow(authorize()));
    BOOST_TEST(go_on().status == 302);
    BOOST_TEST(fetcher.asked == 1);
    at = noon + core::Span(600);
    BOOST_TEST(asks(authorize()));
    BOOST_TEST(go_on().status == 302);
    BOOST_TEST(fetcher.asked == 2);
}

BOOST_AUTO_TEST_CASE(
    a_document_that_changed_counts_as_it_is_now_and_the_person_is_asked,
    *label("R36") * label("K32")) {
    authorize();
    go_on();
    fetcher.answer = [](int) {
        return answered(document_text("Renamed", "https://app.example/cb"));
    };
    at = noon + core::Span(600);
    go_on();
    const auto refused = authorize();
    BOOST_TEST(refused.status == 400);
    BOOST_TEST(location_of(refused) == "(absent)");
    const auto query = asking().with("redirect_uri", "https://app.example/cb");
    const auto started = authorize(query);
    BOOST_REQUIRE(starts_flow(started));
    auto page = get(location_of(started));
    page.cookie = cookie;
    page.now = at;
    BOOST_TEST(holds(ask(page).body, "Renamed"));
}

BOOST_AUTO_TEST_CASE(
    the_consent_page_names_the_host_of_the_client_id_and_shows_no_picture,
    *label("U4") * label("R35")) {
    authorize();
    go_on();
    auto page = get(location_of(authorize()));
    page.cookie = cookie;
    const auto shown = ask(page).body;
    BOOST_TEST(holds(shown, "The app comes from <bdi>app.example</bdi>."));
    BOOST_TEST(holds(shown, "An App"));
    BOOST_TEST(!holds(shown, "<img"));
}

BOOST_AUTO_TEST_CASE(
    an_error_of_the_request_goes_to_a_loopback_client_when_it_is_known,
    *label("R24") * label("A26")) {
    authorize();
    go_on();
    BOOST_TEST(location_of(authorize(asking().with("scope", "bo\"gus")))
                   .starts_with("http://127.0.0.1:53111/callback?error=invalid_scope"));
    fetcher.answer = [](int) {
        return answered(document_text("An App", "https://app.example/cb"));
    };
    at = noon + core::Span(600);
    go_on();
    const auto refused =
        authorize(asking().with("redirect_uri", "https://app.example/cb").with("scope", "bo\"gus"));
    BOOST_TEST(
        location_of(refused) == "(absent)",
        "an address that anybody can put into a document is not bounced to");
}

BOOST_AUTO_TEST_CASE(
    a_disabled_client_is_not_fetched_and_stays_disabled, *label("R37") * label("K31")) {
    authorize();
    go_on();
    store->clients.disable(core::ClientId(document_url));
    at = noon + core::Span(90000);
    BOOST_TEST(authorize().status == 400);
    BOOST_TEST(!asks(authorize()));
    go_on();
    BOOST_TEST(fetcher.asked == 1);
}

BOOST_AUTO_TEST_CASE(
    an_operators_client_of_such_an_id_needs_no_document_and_none_changes_it,
    *label("K31") * label("R37")) {
    auto client = sample_client();
    client.id = core::ClientId(document_url);
    client.by_operator = true;
    store->clients.put(client);
    BOOST_TEST(starts_flow(authorize()));
    go_on();
    BOOST_TEST(fetcher.asked == 0);
    BOOST_TEST(store->clients.find(client.id)->name == "Sample");
}

BOOST_AUTO_TEST_CASE(registration_cannot_choose_such_an_id, *label("K31")) {
    const auto body = std::string(R"({"client_id":")") + document_url +
                      R"(","redirect_uris":["http://127.0.0.1/cb"]})";
    const auto registered = ask(post("/api/oauth/per-user/register", body, "application/json"));
    BOOST_TEST(registered.status == 201);
    BOOST_TEST(member_of(*json_of(registered.body), "client_id").starts_with("cgc_"));
    BOOST_TEST(!store->clients.find(core::ClientId(document_url)).has_value());
}

BOOST_AUTO_TEST_CASE(
    a_document_that_another_worker_fetched_is_used_and_too_many_have_to_wait,
    *label("R31") * label("K27")) {
    authorize();
    fetcher.answer = [&](int) {
        auto client = sample_client();
        client.id = core::ClientId(document_url);
        store->clients.put_document(client, noon + core::Span(600));
        return sys::Fetched{.outcome = sys::Fetched::Outcome::look_again};
    };
    BOOST_TEST(go_on().status == 302);
    BOOST_TEST(fetcher.asked == 1);
    at = noon + core::Span(600);
    fetcher.answer = [](int) { return sys::Fetched{.outcome = sys::Fetched::Outcome::look_again}; };
    BOOST_TEST(go_on().status == 429);
    BOOST_TEST(fetcher.asked == 4);
    fetcher.answer = [](int) {
        return sys::Fetched{.outcome = sys::Fetched::Outcome::busy, .retry_after_seconds = 7};
    };
    const auto busy = go_on();
    BOOST_TEST(busy.status == 429);
    BOOST_TEST(header_of(busy, "Retry-After") == "7");
}

BOOST_AUTO_TEST_CASE(switched_off_such_clients_are_unknown, *label("D20")) {
    policy.documents.accepted = false;
    const auto refused = authorize();
    BOOST_TEST(refused.status == 400);
    BOOST_TEST(!asks(refused));
    BOOST_TEST(go_on().status != 302);
    BOOST_TEST(fetcher.asked == 0);
}

BOOST_AUTO_TEST_CASE(the_token_endpoint_uses_what_is_stored_and_never_fetches, *label("R39")) {
    authorize();
    go_on();
    const auto flow = query_value(location_of(authorize()), "flow_id");
    at = noon + core::Span(700); // the document has expired, and its host is gone
    fetcher.answer = [](int) { return sys::Fetched{}; };
    auto submit = post("/api/oauth/per-user/consent/submit", "flow_id=" + flow);
    submit.cookie = cookie;
    submit.now = at;
    const auto code = query_value(location_of(ask(submit)), "code");
    auto exchange = post(
        "/api/oauth/per-user/token",
        sample_exchange().with("client_id", document_url).with("code", code).text());
    exchange.now = at;
    BOOST_TEST(ask(exchange).status == 200);
    exchange.body = sample_exchange()
                        .with("client_id", document_url)
                        .with("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
                        .text();
    const auto other = ask(exchange);
    BOOST_TEST(other.status == 400);
    BOOST_TEST(error_of(other) == "unsupported_grant_type");
    BOOST_TEST(fetcher.asked == 1);
}

BOOST_AUTO_TEST_CASE(
    a_fetch_counts_for_whoever_pressed_continue_and_is_known_the_second_time,
    *label("XD4") * label("XD3")) {
    Documents server;
    server.authorize();
    auto request = server.form(asking().text());
    request.remote_addr = "2001:db8:0:1::9";
    BOOST_TEST(server.ask(request).status == 302);
    BOOST_TEST(server.fetcher.caller == "2001:db8:0:1::/64");
    BOOST_TEST(!server.fetcher.known);
    request.now = noon + core::Span(2 * 86400); // its document has expired
    BOOST_TEST(server.ask(request).status == 302);
    BOOST_TEST(server.fetcher.asked == 2);
    BOOST_TEST(server.fetcher.known);
}

BOOST_AUTO_TEST_SUITE_END()
