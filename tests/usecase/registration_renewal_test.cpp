// Secrets of ours at services that end, and idle workers that renew them before.
#include "connected_fixture.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/usecase/registration_renewal.h"
#include "consentgate/usecase/services.h"
#include "tests/support/captured_log.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using core::Secret;
using core::Span;

namespace {

constexpr Span day{86400};

// A registration endpoint, the address where a registration is managed, and documents.
class Registrar final : public sys::HttpClient {
public:
    int update_status = 200; // 0: no answer
    std::int64_t update_ends = 0, next_ends = 0;
    bool offers_none = false;
    std::vector<std::string> asked;         // methods and addresses
    std::vector<core::JsonObject> received; // bodies
    std::vector<std::string> bearers;
    std::function<void()> meanwhile = [] {};

    sys::HttpResponse send(const sys::HttpRequest& request) override {
        asked.push_back(request.method + " " + request.url);
        if (auto body = core::parse_json_object(request.body.reveal())) received.push_back(*body);
        for (const auto& [name, value] : request.headers)
            if (name == "Authorization") bearers.push_back(value);
        std::exchange(meanwhile, [] {})();
        if (request.method == "PUT") return update();
        if (request.url.ends_with("/register")) return registration();
        if (request.url == "https://notion.example/.well-known/oauth-authorization-server")
            return answer(200, document());
        return answer(request.url.ends_with("/mcp") ? 401 : 404, "{}");
    }

private:
    sys::HttpResponse update() const {
        if (update_status == 0) return {};
        return answer(
            update_status,
            R"({"client_id":"ours","client_secret":"renewed",)"
            R"("token_endpoint_auth_method":"client_secret_basic",)"
            R"("client_secret_expires_at":)" +
                std::to_string(update_ends) +
                R"(,"registration_client_uri":"https://notion.example/register/ours",)"
                R"("registration_access_token":"next"})");
    }
    sys::HttpResponse registration() const {
        const auto method = received.back().text("token_endpoint_auth_method").value();
        const bool none = method == "none";
        return answer(
            201, R"({"client_id":"new","token_endpoint_auth_method":")" + method + "\"" +
                     (none ? std::string("}")
                           : R"(,"client_secret":"other","client_secret_expires_at":)" +
                                 std::to_string(next_ends) + "}"));
    }
    std::string document() const {
        return R"({"issuer":"https://notion.example",)"
               R"("authorization_endpoint":"https://notion.example/authorize",)"
               R"("token_endpoint":"https://notion.example/token",)"
               R"("registration_endpoint":"https://notion.example/register",)"
               R"("code_challenge_methods_supported":["S256"],)"
               R"("token_endpoint_auth_methods_supported":["client_secret_basic")" +
               std::string(offers_none ? ",\"none\"" : "") + "]}";
    }
    static sys::HttpResponse answer(int status, const std::string& body) {
        sys::HttpResponse made;
        made.answered = true;
        made.status = status;
        made.content_type = "application/json";
        made.body = Secret(body);
        return made;
    }
};

struct Renewal : DependenciesFixture {
    Registrar registrar;
    core::Instant now = clock.now(); // the use-case asks the clock for the next time
    core::Service service = sample_service();

    Renewal() { deps.web = &registrar; }

    void put(bool managed, Span left = 2 * day) {
        service.registration = core::Registration::dynamic;
        service.registration_id = core::RegistrationId("first");
        service.registration_endpoint = "https://notion.example/register";
        service.auth = core::ClientAuth::client_secret_basic;
        usecase::seal_client_secret(deps, service, Secret("first secret"));
        if (managed) {
            service.registration_client_uri = "https://notion.example/register/ours";
            service.registration_token = core::seal(
                keyring, keyring.newest(), std::string(core::nonce_bytes, 'n'),
                service.registration_token_aad(), Secret("first token"));
        }
        service.client_secret_expires_at = now + left;
        service.renew_at = now - Span(1);
        store->services.put(service);
    }
    std::size_t renew() { return usecase::renew_registrations(deps, now); }
    core::Service stored() { return *store->services.find(service.id); }
    std::string secret_of(const core::Service& of) {
        return core::unseal(keyring, of.key_id, of.client_secret, of.client_secret_aad())->reveal();
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(renewing_registrations, Renewal, *label("XC8"))

BOOST_AUTO_TEST_CASE(a_managed_registration_keeps_its_client_id_and_gets_a_new_secret) {
    put(true);
    registrar.update_ends = core::epoch(now + 30 * day);
    BOOST_TEST(renew() == 1U);
    BOOST_TEST(
        registrar.asked == std::vector<std::string>{"PUT https://notion.example/register/ours"});
    BOOST_TEST(registrar.bearers == std::vector<std::string>{"Bearer first token"});
    BOOST_TEST(registrar.received.front().text("client_secret").value() == "first secret");
    const auto after = stored();
    BOOST_TEST(after.client_id == "ours");
    BOOST_TEST(after.registration_id.text == "first", "connections go on");
    BOOST_TEST(secret_of(after) == "renewed");
    BOOST_TEST((*after.client_secret_expires_at == now + 30 * day));
    BOOST_TEST((*after.renew_at > now + 26 * day));
    BOOST_TEST(
        core::unseal(
            keyring, after.key_id, after.registration_token, after.registration_token_aad())
                ->reveal() == "next",
        "the token may change with each update");
    BOOST_TEST(renew() == 0U, "it is not due again");
    BOOST_TEST(registrar.asked.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_service_that_is_away_is_asked_again_an_hour_later_and_nothing_is_lost) {
    put(true);
    for (const int status : {0, 503, 429}) {
        registrar.update_status = status;
        BOOST_TEST(renew() == 0U, status);
        BOOST_TEST(secret_of(stored()) == "first secret", status);
        BOOST_TEST((*stored().renew_at == now + core::Span(3600)), status);
        now += core::Span(3600);
    }
    BOOST_TEST(registrar.asked.size() == 3U);
    registrar.update_status = 200;
    registrar.update_ends = core::epoch(now + 30 * day);
    BOOST_TEST(renew() == 1U);
    BOOST_TEST(stored().registration_id.text == "first");
}

BOOST_AUTO_TEST_CASE(an_update_that_is_refused_or_changes_nothing_leads_to_a_new_registration) {
    put(true);
    registrar.update_ends = core::epoch(now + 2 * day); // as before
    registrar.next_ends = core::epoch(now + 30 * day);
    BOOST_TEST(renew() == 1U);
    const auto after = stored();
    BOOST_TEST(after.client_id == "new");
    BOOST_TEST(secret_of(after) == "other");
    BOOST_TEST(after.registration_client_uri.empty(), "it was the former registration's");
    const auto former = store->services.find_former(service.id, core::RegistrationId("first"));
    BOOST_REQUIRE(former.has_value());
    BOOST_TEST(former->client_id == "ours", "tokens that were given to it go on");
}

BOOST_AUTO_TEST_CASE(where_a_client_needs_no_secret_by_now_it_registers_without_one) {
    put(false);
    registrar.offers_none = true;
    BOOST_TEST(renew() == 1U);
    const auto after = stored();
    BOOST_TEST((after.auth == core::ClientAuth::none));
    BOOST_TEST(after.client_secret.empty());
    BOOST_TEST(!after.client_secret_expires_at.has_value());
    BOOST_TEST(!after.renew_at.has_value());
}

BOOST_AUTO_TEST_CASE(of_two_workers_one_asks) {
    put(true);
    registrar.update_ends = core::epoch(now + 30 * day);
    std::size_t of_other = 0;
    registrar.meanwhile = [&] { of_other = usecase::renew_registrations(deps, now); };
    BOOST_TEST(renew() == 1U);
    BOOST_TEST(of_other == 0U);
    BOOST_TEST(registrar.asked.size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_has_no_end_is_switched_off_or_is_the_operators_is_left_alone) {
    put(true);
    auto off = stored();
    off.active = false;
    BOOST_REQUIRE((store->services.update(off) == store::Applied::yes));
    BOOST_TEST(renew() == 0U);
    auto endless = stored();
    endless.active = true;
    endless.renew_at.reset();
    BOOST_REQUIRE((store->services.update(endless) == store::Applied::yes));
    BOOST_TEST(renew() == 0U);
    auto given = stored();
    given.registration = core::Registration::given;
    given.renew_at = now;
    BOOST_REQUIRE((store->services.update(given) == store::Applied::yes));
    BOOST_TEST(renew() == 0U);
    BOOST_TEST(registrar.asked.empty());
    BOOST_TEST(secret_of(stored()) == "first secret");
}

BOOST_AUTO_TEST_CASE(a_registration_that_is_managed_elsewhere_is_not_shown_our_token) {
    put(true);
    auto elsewhere = stored();
    elsewhere.registration_client_uri = "https://evil.example/register/ours";
    BOOST_REQUIRE((store->services.update(elsewhere) == store::Applied::yes));
    registrar.next_ends = core::epoch(now + 30 * day);
    BOOST_TEST(renew() == 1U);
    for (const auto& asked : registrar.asked) BOOST_TEST(asked.find("evil") == std::string::npos);
    BOOST_TEST(registrar.bearers.empty());
}

BOOST_AUTO_TEST_SUITE_END()
