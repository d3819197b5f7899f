// Start-up checks, health, clients and keys.
#include "dependencies_fixture.h"

#include "consentgate/usecase/access.h"
#include "consentgate/usecase/clients.h"
#include "consentgate/usecase/maintenance.h"
#include "consentgate/usecase/sessions.h"
#include "consentgate/usecase/virtual_keys.h"

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

BOOST_FIXTURE_TEST_SUITE(upkeep, DependenciesFixture)

BOOST_AUTO_TEST_CASE(a_key_file_that_lacks_or_changes_a_used_key_is_refused, *label("S12")) {
    usecase::check_server_keys(deps, noon);
    usecase::check_server_keys(deps, noon); // the same again
    const core::ServerKey changed{core::KeyId("k1"), core::Secret(std::string(32, '\7'))};
    BOOST_CHECK_THROW(
        usecase::check_server_keys(with(core::Keyring({changed})), noon), std::runtime_error);
    const core::ServerKey other{core::KeyId("k2"), core::Secret(std::string(32, '\7'))};
    BOOST_CHECK_THROW(
        usecase::check_server_keys(with(core::Keyring({other})), noon), std::runtime_error);
    usecase::check_server_keys(
        with(core::Keyring({keyring.keys()[0], other})), noon); // a key more is a rotation
    BOOST_TEST(store->server_keys.list().size() == 2U);
}

BOOST_AUTO_TEST_CASE(health_tells_a_dead_database_from_a_wrong_schema, *label("O6")) {
    BOOST_TEST(usecase::check_health(deps).ready());
    const auto away = store::open_store({.path = folder.file("nowhere.db"), .wait = {}});
    auto& without = with(*away);
    const auto health = usecase::check_health(without);
    BOOST_TEST(!health.store_answers);
    BOOST_TEST(!health.ready());
}

BOOST_AUTO_TEST_CASE(
    health_tells_a_database_that_takes_no_writes_and_tries_it_once_in_ten_seconds, *label("XF4")) {
    std::size_t commits = 0;
    bool full = false;
    auto counted = config;
    counted.before_statement = [&](std::string_view sql) {
        if (sql != "COMMIT") return;
        if (full) throw store::StoreFailure("the disk is full");
        ++commits;
    };
    const auto counting = store::open_store(counted);
    auto& counting_deps = with(*counting);
    sys::WriteTrials trials;
    const auto after = [&](std::int64_t seconds) {
        return usecase::check_health(counting_deps, trials, noon + core::Span(seconds));
    };
    BOOST_TEST(after(0).ready());
    for (int second = 0; second < 10; ++second) BOOST_TEST(after(second).ready());
    BOOST_TEST(commits == 1U);
    full = true;
    BOOST_TEST(after(9).ready()); // nobody knows yet
    const auto health = after(10);
    BOOST_TEST(!health.ready());
    BOOST_TEST(health.store_answers);
    BOOST_TEST(!health.writes);
    BOOST_TEST(health.why_not == "the disk is full");
    full = false;
    BOOST_TEST(!after(10).ready()); // a failure stands for its second, and is not tried again
    BOOST_TEST(after(11).ready());
    BOOST_TEST(commits == 2U);
    // Whoever could not write lets the next question try, but a failure is not tried more often.
    full = true;
    trials.doubt();
    BOOST_TEST(!after(11).ready());
    full = false;
    trials.doubt();
    BOOST_TEST(!after(11).ready());
    BOOST_TEST(after(12).ready());
    BOOST_TEST(after(-60).ready()); // a clock that was set back
    BOOST_TEST(commits == 4U);
}

BOOST_AUTO_TEST_CASE(
    a_rotated_key_stays_the_same_holder_and_the_old_text_works_as_long_as_was_said, *label("XF4")) {
    const auto made = usecase::add_virtual_key(deps, "Anna", noon + core::Span(7200), {}, noon);
    BOOST_REQUIRE(made);
    const auto kept_until = noon + core::Span(3600);
    const auto kept = usecase::rotate_virtual_key(deps, made->key.id, kept_until, noon);
    BOOST_REQUIRE(kept);
    BOOST_TEST(kept->clear.reveal() != made->clear.reveal());
    const auto holder_of = [&](const core::Secret& clear, core::Instant now) {
        return core::validate_virtual_key(
            deps.store.virtual_keys.find(core::sha256(clear), now), now);
    };
    BOOST_TEST(holder_of(kept->clear, noon)->value == made->key.id.text);
    BOOST_TEST(holder_of(made->clear, noon)->value == made->key.id.text);
    BOOST_TEST(code_of(holder_of(made->clear, kept_until)) == "invalid_virtual_key");
    BOOST_TEST((usecase::describe_virtual_key(deps, made->key, noon).old_until == kept_until));
    const auto alone = usecase::rotate_virtual_key(deps, made->key.id, std::nullopt, noon);
    BOOST_REQUIRE(alone);
    for (const auto& old : {made->clear, kept->clear})
        BOOST_TEST(code_of(holder_of(old, noon)) == "invalid_virtual_key");
    BOOST_TEST(
        code_of(usecase::rotate_virtual_key(
            deps, made->key.id, std::nullopt, noon + core::Span(7200))) == "not_found");
    BOOST_REQUIRE(usecase::disable_virtual_key(deps, made->key.id, noon));
    for (const auto* id : {made->key.id.text.c_str(), "vk_nobody"})
        BOOST_TEST(
            code_of(usecase::rotate_virtual_key(deps, core::VirtualKeyId(id), {}, noon)) ==
            "not_found");
}

BOOST_AUTO_TEST_CASE(a_removed_client_takes_its_sessions_and_flows_along, *label("XF4")) {
    const auto code = finished_code();
    const auto flow = begin();
    const auto id = sample_client().id;
    BOOST_TEST(usecase::list_sessions(deps, noon, {.client = id}, 9).size() == 1U);
    BOOST_TEST(code_of(usecase::enable_client(deps, id)) == "not_found"); // it is not disabled
    BOOST_TEST(*usecase::remove_client(deps, id, noon) == 1U);
    BOOST_TEST(usecase::list_sessions(deps, noon, {.client = id}, 9).empty());
    BOOST_TEST(!store->flows.find(flow).has_value());
    BOOST_TEST(code_of(usecase::find_client(deps, id)) == "not_found");
    BOOST_TEST(code_of(usecase::remove_client(deps, id, noon)) == "not_found");
}

BOOST_AUTO_TEST_CASE(minted_client_ids_never_look_like_urls, *label("R5")) {
    for (int i = 0; i < 1000; ++i) {
        const auto client = usecase::add_client(
            deps, {"Name", {"http://localhost/callback"}, core::ClientAuth::none, {}}, noon);
        BOOST_REQUIRE(client);
        BOOST_REQUIRE(client->client.id.text.starts_with("cgc_"));
    }
}

BOOST_AUTO_TEST_CASE(a_client_an_operator_adds_obeys_the_same_rules, *label("R1") * label("R2")) {
    const auto client = usecase::add_client(
        deps, {"Name", {"https://client.example/cb"}, core::ClientAuth::none, {}}, noon);
    BOOST_REQUIRE(client);
    BOOST_TEST(store->clients.find(client->client.id)->by_operator);
    BOOST_TEST(
        code_of(usecase::add_client(
            deps, {"Name", {"http://evil.example/cb"}, core::ClientAuth::none, {}}, noon)) ==
        "invalid_redirect_uri");
}

BOOST_AUTO_TEST_CASE(registration_that_is_switched_off_is_not_there, *label("R1")) {
    policy.registration_enabled = false;
    BOOST_TEST(
        code_of(usecase::register_client(
            deps, R"({"redirect_uris":["http://127.0.0.1/cb"]})", "192.0.2.1", noon)) ==
        "not_found");
    policy.registration_enabled = true;
    BOOST_TEST(
        code_of(usecase::register_client(
            deps, R"({"redirect_uris":["http://127.0.0.1/cb"]})", "192.0.2.1", noon)) == "ok");
}

BOOST_AUTO_TEST_CASE(a_virtual_key_is_shown_once_and_stored_as_its_hash, *label("S11")) {
    const auto made = usecase::add_virtual_key(deps, " Anna ", std::nullopt, {}, noon);
    BOOST_REQUIRE(made);
    BOOST_TEST(made->clear.reveal().starts_with("sk-bf-"));
    BOOST_TEST(made->clear.reveal().size() == 49U);
    BOOST_TEST(made->key.name == "Anna");
    BOOST_TEST((store->virtual_keys.find(core::sha256(made->clear), noon)->id == made->key.id));
    for (const std::string bad : {"", " ", "a\nb", "\xFF"})
        BOOST_TEST(
            code_of(usecase::add_virtual_key(deps, bad, std::nullopt, {}, noon)) ==
            "invalid_request");
    BOOST_TEST(
        code_of(usecase::add_virtual_key(deps, std::string(200, 'n'), std::nullopt, {}, noon)) ==
        "ok");
    BOOST_TEST(
        code_of(usecase::add_virtual_key(deps, std::string(201, 'n'), std::nullopt, {}, noon)) ==
        "invalid_request");
}

BOOST_AUTO_TEST_CASE(
    a_token_opens_its_resource_until_its_session_client_or_key_ends, *label("C5") * label("RS4")) {
    put_key("sk-bf-anna", "vk_anna");
    const auto flow = begin();
    BOOST_REQUIRE(
        usecase::choose_virtual_key(deps, flow, core::Secret("sk-bf-anna"), person, noon));
    const auto submitted = usecase::submit_consent(deps, {flow}, person, noon);
    BOOST_REQUIRE(submitted);
    const auto granted =
        grant(sample_exchange().with("code", query_value(submitted->location.reveal(), "code")));
    BOOST_REQUIRE(granted);
    const auto access = [&](const std::string& resource, core::Instant now) {
        return code_of(usecase::authorize_access(deps, granted->token, resource, now));
    };
    const auto resource = policy.resources.front().url;
    BOOST_TEST(access(resource, noon) == "ok");
    BOOST_TEST(access(resource + "/more", noon) == "invalid_bearer");
    BOOST_TEST(access(resource, noon + core::Span(86399)) == "ok");
    BOOST_TEST(access(resource, noon + core::Span(86400)) == "invalid_bearer");
    BOOST_TEST(
        code_of(usecase::authorize_access(deps, core::Secret("cgs_unknown"), resource, noon)) ==
        "invalid_bearer");
    store->virtual_keys.disable(core::VirtualKeyId("vk_anna"), noon);
    BOOST_TEST(access(resource, noon) == "invalid_bearer");
}

BOOST_AUTO_TEST_CASE(a_sweep_that_left_rows_behind_is_soon_followed_by_another, *label("XD2")) {
    const auto rest = usecase::next_sweep_after({});
    const auto soon = usecase::next_sweep_after({.flows = 200, .more = true});
    BOOST_TEST(rest.count() == 60);
    BOOST_TEST(soon.count() == 1);
    // 250 expired flows are more than one batch.
    for (int i = 0; i < 250; ++i) {
        auto flow = sample_flow();
        flow.id = core::FlowId(random.id(16));
        store->flows.put(flow);
    }
    const auto later = noon + core::Span(2 * 3600);
    BOOST_TEST(usecase::sweep(deps, later, {}).more);
    BOOST_TEST(!usecase::sweep(deps, later, {}).more);
}

BOOST_AUTO_TEST_CASE(
    who_registered_is_counted_without_keeping_an_address, *label("XD2") * label("XD3")) {
    const auto registers = [&](const std::string& caller) {
        return code_of(usecase::register_client(
            deps, R"({"redirect_uris":["http://127.0.0.1/cb"]})", caller, noon));
    };
    BOOST_TEST(registers("10.0.0.1") == "ok");
    BOOST_TEST(registers("10.0.0.1") == "ok");
    auto seen = usecase::list_callers(deps);
    BOOST_TEST((seen.callers == 1 && seen.clients == 2 && !seen.any_public));
    BOOST_TEST(registers("8.8.8.8") == "ok");
    seen = usecase::list_callers(deps);
    BOOST_TEST((seen.callers == 2 && seen.clients == 3 && seen.any_public));
    for (const auto& [mark, clients] : store->clients.count_by_caller())
        BOOST_TEST(mark.find('.') == std::string::npos);
    policy.max_unused_clients = 2;
    BOOST_TEST(registers("10.0.0.1") == "too_many_requests");
}

BOOST_AUTO_TEST_SUITE_END()
