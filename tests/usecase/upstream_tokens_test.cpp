// Fresh tokens with several workers at once: each thread is a worker, with a store and a
// Dependencies of its own on one database.
#include "connected_fixture.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/usecase/sessions.h"
#include "consentgate/usecase/upstream_revocation.h"
#include "consentgate/usecase/upstream_tokens.h"
#include "tests/support/moving_clock.h"
#include "tests/support/scripted_service.h"

#include <mutex>
#include <thread>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

// One provider for all workers, which takes its time.
class SlowService final : public sys::HttpClient {
public:
    ScriptedService behind;
    std::function<void()> meanwhile = [] {}; // what happens while it thinks

    sys::HttpResponse send(const sys::HttpRequest& request) override {
        const std::lock_guard lock(mutex_);
        meanwhile();
        std::this_thread::sleep_for(std::chrono::milliseconds(250));
        return behind.send(request);
    }

private:
    std::mutex mutex_;
};

struct Workers : ConnectedFixture {
    SlowService service;
    core::Session session;

    Workers() { deps.web = &service; }
    void connect() { session = connect_as("anna"); }

    std::vector<std::string> ask_at_once(int workers, core::Instant now) {
        std::vector<std::string> answers(static_cast<std::size_t>(workers));
        std::vector<std::thread> threads;
        for (auto& answer : answers) {
            threads.emplace_back([&] {
                const auto own_store = store::open_store(config);
                sys::OsRandom own_random;
                usecase::Dependencies own{
                    .store = *own_store,
                    .random = own_random,
                    .clock = clock,
                    .log = log,
                    .policy = policy,
                    .keyring = keyring,
                    .bearers = bearers,
                    .web = &service};
                const auto fresh =
                    usecase::fresh_upstream_token(own, session, sample_service(), now);
                answer = fresh ? fresh->access_token.reveal() : code_of(fresh);
            });
        }
        for (auto& thread : threads) thread.join();
        return answers;
    }
};

struct Endings : Workers {
    // With a clock that stands, so that a failure is at the moment of its request.
    MovingClock standing{noon};
    usecase::Dependencies& still = with(standing);

    Endings() {
        still.web = &service;
        connect();
    }
    // out: how many are still to be revoked at that time
    std::size_t waiting(core::Instant now) {
        return store->accounts.list_to_revoke(now, 10).size();
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(accounts)

BOOST_FIXTURE_TEST_CASE(
    of_eight_workers_one_refreshes_and_all_get_what_it_got, Workers, *label("S9")) {
    connect();
    for (const auto& answer : ask_at_once(8, noon + core::Span(3600)))
        BOOST_TEST(answer == "access-refreshed-1");
    BOOST_TEST(service.behind.refreshed.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(
    of_eight_workers_one_hears_the_refusal_and_all_send_the_person, Workers, *label("S9")) {
    connect();
    service.behind.fail = "invalid_grant";
    for (const auto& answer : ask_at_once(8, noon + core::Span(3600)))
        BOOST_TEST(answer == "interaction_required");
    const auto kept =
        store->accounts.find(session.identity.owner(session.id), core::ServiceId("notion"));
    BOOST_REQUIRE(kept.has_value()); // its history stays
    BOOST_TEST(kept->broken_at.has_value());
    BOOST_TEST(kept->failures == 1);
}

BOOST_FIXTURE_TEST_CASE(the_lease_of_a_worker_that_died_runs_out, Workers, *label("S9")) {
    connect();
    const auto owner = session.identity.owner(session.id);
    const auto token = *store->accounts.find(owner, core::ServiceId("notion"));
    const auto now = noon + core::Span(3600);
    BOOST_REQUIRE(
        (store->accounts.claim_refresh(
             token.id, token.version, "of the dead", now + core::Span(1), now) ==
         store::Applied::yes));
    BOOST_TEST(ask_at_once(1, now).front() == "access-refreshed-1");
    BOOST_TEST((store->accounts.save_refreshed(token, "of the dead", now) == store::Applied::no));
}

BOOST_FIXTURE_TEST_CASE(
    a_lease_lasts_as_long_as_the_operator_lets_services_take, Workers, *label("S9")) {
    connect();
    policy.upstream_lease = core::Span(70);
    const auto now = noon + core::Span(3600);
    const auto token =
        *store->accounts.find(session.identity.owner(session.id), core::ServiceId("notion"));
    bool stolen = false;
    service.meanwhile = [&] {
        stolen = store->accounts.claim_refresh(
                     token.id, token.version, "another", now + core::Span(200),
                     now + core::Span(69)) == store::Applied::yes;
    };
    BOOST_TEST(ask_at_once(1, now).front() == "access-refreshed-1");
    BOOST_TEST(!stolen);
}

BOOST_FIXTURE_TEST_CASE(
    what_another_key_file_encrypted_is_an_error_and_never_garbage, Workers, *label("S12")) {
    connect();
    keyring = core::Keyring({{core::KeyId("k1"), core::Secret(std::string(32, '\2'))}});
    BOOST_TEST(
        code_of(usecase::fresh_upstream_token(deps, session, sample_service(), noon)) ==
        "server_error");
    keyring = core::Keyring({{core::KeyId("k2"), core::Secret(std::string(32, '\1'))}});
    BOOST_TEST(
        code_of(usecase::fresh_upstream_token(deps, session, sample_service(), noon)) ==
        "server_error");
}

BOOST_FIXTURE_TEST_CASE(
    the_end_of_a_session_ends_its_own_connections_at_the_service_too, Workers, *label("S9")) {
    connect();
    BOOST_TEST(static_cast<bool>(usecase::end_session(deps, session.id, noon)));
    BOOST_TEST(service.behind.revoked.size() == 2U);
    BOOST_TEST(store->accounts.list(session.identity.owner(session.id)).empty());
}

BOOST_FIXTURE_TEST_CASE(
    of_eight_workers_one_tells_the_service_of_an_ended_session, Endings, *label("S10")) {
    BOOST_TEST((store->sessions.revoke(session.id, noon) == store::Applied::yes));
    std::vector<std::thread> threads;
    for (int worker = 0; worker < 8; ++worker) {
        threads.emplace_back([&] {
            const auto own_store = store::open_store(config);
            sys::OsRandom own_random;
            usecase::Dependencies own{
                .store = *own_store,
                .random = own_random,
                .clock = clock,
                .log = log,
                .policy = policy,
                .keyring = keyring,
                .bearers = bearers,
                .web = &service};
            usecase::revoke_ended_accounts(own, noon);
        });
    }
    for (auto& thread : threads) thread.join();
    BOOST_TEST(service.behind.revoked.size() == 2U); // its refresh token, and its access token
    BOOST_TEST(waiting(noon + core::Span(86400)) == 0U);
}

BOOST_FIXTURE_TEST_CASE(
    a_service_that_is_away_is_asked_to_revoke_later_for_one_day, Endings, *label("S10")) {
    service.behind.away = true;
    BOOST_TEST(static_cast<bool>(usecase::end_session(still, session.id, noon)));
    BOOST_TEST(usecase::revoke_ended_accounts(still, noon) == 0U);
    BOOST_TEST(waiting(noon + core::Span(29)) == 0U);
    BOOST_TEST(waiting(noon + core::Span(30)) == 1U);
    BOOST_TEST(usecase::revoke_ended_accounts(still, noon + core::Span(30)) == 0U);
    BOOST_TEST(waiting(noon + core::Span(89)) == 0U);
    service.behind.away = false;
    BOOST_TEST(usecase::revoke_ended_accounts(still, noon + core::Span(90)) == 1U);
    BOOST_TEST(service.behind.revoked.size() == 2U);
    BOOST_TEST(waiting(noon + core::Span(86400)) == 0U);

    connect();
    service.behind.away = true;
    BOOST_TEST((store->sessions.revoke(session.id, noon) == store::Applied::yes));
    usecase::revoke_ended_accounts(still, noon + core::Span(86400));
    BOOST_TEST(waiting(noon + core::Span(3 * 86400)) == 0U);
    BOOST_TEST(service.behind.revoked.size() == 2U);
}

BOOST_FIXTURE_TEST_CASE(
    a_service_is_asked_to_revoke_all_accounts_that_were_linked_there, Endings, *label("S10")) {
    for (int i = 0; i < 24; ++i) connect(); // more than one part of the list
    std::size_t asked = 0;
    const auto revocation = usecase::revoke_all_at(
        deps, core::ServiceId("notion"), [&](const auto& done) { return asked++ == done.revoked; });
    BOOST_TEST(revocation.revoked == 25U);
    BOOST_TEST(revocation.not_revoked == 0U);
    BOOST_TEST(revocation.left == 0U);
    BOOST_TEST(service.behind.revoked.size() == 50U);
    BOOST_TEST((store->services.remove(core::ServiceId("notion"), false) == store::Applied::yes));
}

BOOST_FIXTURE_TEST_CASE(
    revoking_all_stops_when_the_service_is_away_or_when_asked_to, Endings, *label("S10")) {
    connect();
    service.behind.away = true;
    const auto away =
        usecase::revoke_all_at(deps, core::ServiceId("notion"), [](const auto&) { return true; });
    BOOST_TEST(away.revoked + away.not_revoked == 0U);
    BOOST_TEST(away.left == 2U);
    BOOST_TEST(away.reason == "it is away: no answer");
    BOOST_TEST((store->services.remove(core::ServiceId("notion"), false) == store::Applied::no));
    service.behind.away = false;
    const auto stopped =
        usecase::revoke_all_at(deps, core::ServiceId("notion"), [](const auto& done) {
            return done.revoked < 1;
        }); // the pause is not waited for
    BOOST_TEST(stopped.revoked == 1U);
    BOOST_TEST(stopped.left == 1U);
    BOOST_TEST(service.behind.revoked.size() == 2U);
    BOOST_TEST((store->services.remove(core::ServiceId("notion"), true) == store::Applied::yes));
    BOOST_TEST(store->accounts.count_at(core::ServiceId("notion")) == 0U);
}

BOOST_FIXTURE_TEST_CASE(
    a_service_without_revocation_loses_its_accounts_at_once, Endings, *label("S10")) {
    auto silent = *store->services.find(core::ServiceId("notion"));
    silent.revocation_endpoint.clear();
    BOOST_REQUIRE((store->services.update(silent) == store::Applied::yes));
    const auto revocation =
        usecase::revoke_all_at(deps, silent.id, [](const auto&) { return true; });
    BOOST_TEST(revocation.not_revoked == 1U);
    BOOST_TEST(revocation.left == 0U);
    BOOST_TEST(revocation.reason == "it offers no revocation");
    BOOST_TEST(service.behind.revoked.empty());
}

BOOST_FIXTURE_TEST_CASE(
    endpoints_are_asked_no_nearer_to_us_than_the_operator_s_url_unless_typed_by_the_operator,
    Endings, *label("XC12")) {
    BOOST_TEST(ask_at_once(1, noon + core::Span(3600)).front() == "access-refreshed-1");
    BOOST_TEST(static_cast<bool>(usecase::end_session(deps, session.id, noon)));
    const std::set named{sys::AddressPolicy::named_by_service};
    BOOST_TEST((service.behind.policies == named));
    BOOST_TEST((service.behind.operator_urls == std::set{sample_service().url}));

    service.behind.policies.clear();
    auto typed = *store->services.find(core::ServiceId("notion"));
    typed.by_hand = true;
    BOOST_REQUIRE((store->services.update(typed) == store::Applied::yes));
    connect();
    BOOST_TEST(static_cast<bool>(usecase::end_session(deps, session.id, noon)));
    BOOST_TEST((service.behind.policies == std::set{sys::AddressPolicy::operator_url}));
}

BOOST_AUTO_TEST_SUITE_END()
