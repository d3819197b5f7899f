// Changing the server key while requests go on: what each key is for, what is moved, and what is
// refused.
#include "dependencies_fixture.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/usecase/maintenance.h"
#include "consentgate/usecase/server_keys.h"

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;
using usecase::KeyStage;

namespace {

const core::ServerKey first{core::KeyId("k1"), core::Secret(std::string(32, '\1'))};
const core::ServerKey second{core::KeyId("k2"), core::Secret(std::string(32, '\2'))};

struct ServerKeysFixture : DependenciesFixture {
    const core::Keyring alone{{first}}, added{{second, first}}, rotated{{first, second}},
        only_new{{second}};

    core::LinkedAccount connect(const core::Keyring& keys) {
        const auto flow = begin();
        core::LinkedAccount token;
        token.id = random.id(16);
        token.service = core::ServiceId("notion");
        token.owner = core::Owner::of(flow);
        token.key_id = keys.newest();
        token.access_token = seal(keys, token.access_token_aad(), "access");
        token.refresh_token = seal(keys, token.refresh_token_aad(), "refresh");
        BOOST_REQUIRE((store->accounts.connect_in_flow(flow, token, noon) == store::Applied::yes));
        return token;
    }

    std::string seal(
        const core::Keyring& keys, const std::string& place, const std::string& clear) {
        return core::seal(
            keys, keys.newest(), random.bytes(core::nonce_bytes), place, core::Secret(clear));
    }

    core::LinkedAccount found(const core::LinkedAccount& token) {
        return *store->accounts.find(token.owner, token.service);
    }

    std::string access_of(const core::LinkedAccount& token, const core::Keyring& keys) {
        const auto row = found(token);
        const auto clear = core::unseal(keys, row.key_id, row.access_token, row.access_token_aad());
        return clear ? clear->reveal() : "refused";
    }

    usecase::Rekeyed move(const core::Keyring& keys, core::Instant now = noon) {
        return usecase::rekey(with(keys), now, [](const usecase::Rekeyed&) {});
    }

    std::string stages(const core::Keyring& keys) {
        std::string all;
        for (const auto& key : usecase::list_keys(with(keys), noon)) {
            all += key.key.text + (key.stage == KeyStage::added     ? ":added "
                                   : key.stage == KeyStage::known   ? ":known "
                                   : key.stage == KeyStage::current ? ":current "
                                   : key.stage == KeyStage::old     ? ":old "
                                                                    : ":removed ");
        }
        return all;
    }

    std::string check(const core::Keyring& keys, core::Instant now = noon) {
        try {
            usecase::check_server_keys(with(keys), now);
            return "ok";
        } catch (const std::runtime_error& error) {
            return error.what();
        }
    }

    std::string retire(
        const core::Keyring& keys, const core::KeyId& key, core::Instant now = noon) {
        try {
            usecase::retire_key(with(keys), key, now);
            return "ok";
        } catch (const std::runtime_error& error) {
            return error.what();
        }
    }

    void switch_keys() {
        check(alone);
        check(added, noon + core::Span(10));
        usecase::note_current(with(rotated), noon + core::Span(20));
    }
};

bool says(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(server_keys, ServerKeysFixture)

BOOST_AUTO_TEST_CASE(a_key_is_added_then_known_then_current_then_old_then_removed, *label("S13")) {
    BOOST_TEST(check(alone) == "ok");
    BOOST_TEST(stages(added) == "k2:added k1:current ");
    usecase::check_server_keys(
        with(added), noon, usecase::KeyCheck::looking); // the operator's tool is no server
    BOOST_TEST(stages(added) == "k2:added k1:current ");
    BOOST_TEST(check(added, noon + core::Span(10)) == "ok");
    BOOST_TEST(stages(added) == "k2:known k1:current ");
    BOOST_TEST(usecase::next_key(usecase::list_keys(with(added), noon))->key.text == "k2");
    usecase::note_current(with(rotated), noon + core::Span(20));
    BOOST_TEST(stages(rotated) == "k1:old k2:current ");
    BOOST_TEST(!usecase::next_key(usecase::list_keys(with(rotated), noon)).has_value());
    BOOST_TEST(retire(rotated, first.id) == "ok");
    BOOST_TEST(retire(rotated, first.id) == "ok");
    BOOST_TEST(stages(rotated) == "k1:removed k2:current ");
    BOOST_TEST(check(rotated) == "ok"); // another machine still has it
    BOOST_TEST(check(only_new) == "ok");
    BOOST_TEST(stages(rotated) == "k1:removed k2:current ");
}

BOOST_AUTO_TEST_CASE(a_machine_without_the_added_key_starts_until_it_is_used, *label("S13")) {
    check(alone);
    check(added, noon + core::Span(10));
    BOOST_TEST(check(alone) == "ok");
    usecase::note_current(with(rotated), noon + core::Span(20));
    BOOST_TEST(says(check(alone), "lacks the key 'k2'"));
    retire(rotated, first.id);
    BOOST_TEST(says(check(added), "'k1', the last in the key file, was removed"));
}

BOOST_AUTO_TEST_CASE(
    a_server_that_is_reloaded_with_a_key_in_the_last_place_notes_that_it_is_used, *label("S13")) {
    check(alone);
    check(added, noon + core::Span(10));
    BOOST_TEST(check(rotated) == "ok");
    BOOST_TEST(stages(rotated) == "k1:old k2:current ");
}

BOOST_AUTO_TEST_CASE(a_key_file_from_before_the_rotation_is_not_rotated_back, *label("S13")) {
    switch_keys();
    BOOST_CHECK_NO_THROW(usecase::require_latest(with(rotated)));
    BOOST_CHECK_EXCEPTION(
        usecase::require_latest(with(added)), std::runtime_error,
        [](const auto& error) { return says(error.what(), "newer 'k2'"); });
    BOOST_TEST(says(retire(added, second.id), "newer 'k2'"));
}

BOOST_AUTO_TEST_CASE(of_a_database_that_knows_no_key_all_are_old_but_the_last, *label("S13")) {
    BOOST_TEST(check(rotated) == "ok");
    BOOST_TEST(stages(rotated) == "k1:old k2:current ");
}

BOOST_AUTO_TEST_CASE(
    what_older_keys_hold_is_moved_and_opens_with_the_new_key_alone, *label("S13")) {
    switch_keys();
    std::vector<core::LinkedAccount> tokens;
    for (int i = 0; i < 120; ++i) tokens.push_back(connect(alone)); // more than two batches
    core::Service service;
    service.id = core::ServiceId("notion");
    service.name = "Notion";
    service.url = service.authorization_endpoint = service.token_endpoint =
        "https://notion.example/";
    service.client_id = "us";
    service.key_id = first.id;
    service.client_secret = seal(alone, service.client_secret_aad(), "our secret");
    service.created_at = noon;
    store->services.put(service);
    const auto moved = move(rotated);
    BOOST_TEST(moved.accounts == 120U);
    BOOST_TEST(moved.services == 1U);
    BOOST_TEST(moved.unreadable == 0U);
    for (const auto& token : tokens) BOOST_REQUIRE(access_of(token, only_new) == "access");
    const auto row = found(tokens.front());
    BOOST_TEST(
        core::unseal(only_new, row.key_id, row.refresh_token, row.refresh_token_aad())->reveal() ==
        "refresh");
    const auto kept = *store->services.find(service.id);
    BOOST_TEST(
        core::unseal(only_new, kept.key_id, kept.client_secret, kept.client_secret_aad())
            ->reveal() == "our secret");
    BOOST_TEST(move(rotated).found == 0U);
    BOOST_TEST(retire(rotated, first.id) == "ok");
}

BOOST_AUTO_TEST_CASE(a_walk_that_is_stopped_goes_on_where_it_was, *label("S13")) {
    switch_keys();
    std::vector<core::LinkedAccount> tokens;
    for (int i = 0; i < 120; ++i) tokens.push_back(connect(alone));
    const auto stop = [](const usecase::Rekeyed& done) {
        if (done.accounts > 0) throw std::runtime_error("stopped");
    };
    BOOST_CHECK_THROW(usecase::rekey(with(rotated), noon, stop), std::runtime_error);
    for (const auto& token : tokens)
        BOOST_REQUIRE(access_of(token, rotated) == "access"); // all of it, half moved
    const auto rest = move(rotated).accounts;
    BOOST_TEST(rest > 0U);
    BOOST_TEST(rest < 120U);
    for (const auto& token : tokens) BOOST_REQUIRE(access_of(token, only_new) == "access");
}

BOOST_AUTO_TEST_CASE(
    a_row_that_was_moved_by_hand_is_left_alone_and_reported, *label("S13") * label("S11")) {
    switch_keys();
    const auto anna = connect(alone), mallory = connect(alone), whole = connect(alone);
    auto stolen = found(mallory);
    stolen.access_token = found(anna).access_token; // whoever can write to the database
    BOOST_REQUIRE(store->server_keys.rekey_accounts({{stolen, stolen.key_id}}) == 1U);
    BOOST_TEST(access_of(mallory, alone) == "refused");
    const auto moved = move(rotated);
    BOOST_TEST(moved.unreadable == 1U);
    BOOST_TEST(moved.accounts == 2U);
    BOOST_TEST(access_of(mallory, rotated) == "refused");
    BOOST_TEST((found(mallory).key_id == first.id));
    BOOST_TEST(says(retire(rotated, first.id), "still needed by 1 rows"));
}

BOOST_AUTO_TEST_CASE(a_key_that_codes_need_is_kept_until_they_run_out, *label("S13")) {
    auto& not_reloaded = with(alone); // of a worker that was not reloaded
    switch_keys();
    const auto submitted = usecase::submit_consent(not_reloaded, {begin()}, person, noon);
    BOOST_REQUIRE_EQUAL(code_of(submitted), "ok");
    move(rotated);
    BOOST_TEST(says(retire(rotated, first.id), "--wait"));
    const auto life = usecase::list_keys(with(rotated), noon).front();
    BOOST_TEST(life.use.codes == 1U);
    BOOST_TEST((life.until == noon + core::Span(300)));
    auto& reloaded = with(rotated);
    const auto parameters =
        sample_exchange().with("code", query_value(submitted->location.reveal(), "code"));
    BOOST_TEST(code_of(grant_with(reloaded, parameters)) == "ok");
    BOOST_TEST(retire(rotated, first.id, noon + core::Span(300)) == "ok");
}

BOOST_AUTO_TEST_SUITE_END()
