// Tokens at services open for the owner that they were sealed for, whatever the database says.
// spec: docs/requirements.md XC14
#include "connected_fixture.h"

#include "consentgate/core/base/aead.h"
#include "consentgate/usecase/old_seals.h"
#include "consentgate/usecase/server_keys.h"
#include "consentgate/usecase/upstream.h"
#include "consentgate/usecase/upstream_revocation.h"
#include "consentgate/usecase/upstream_tokens.h"
#include "tests/support/scripted_service.h"

#include <sqlite3.h>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

constexpr core::Span hour{3600};

core::Service registered_service() {
    auto notion = sample_service();
    notion.registration_id = core::RegistrationId("first");
    return notion;
}

struct Town : ConnectedFixture {
    ScriptedService service;

    Town() : ConnectedFixture(registered_service()) { deps.web = &service; }

    // The access token that a call of the session gets, or the code of the refusal.
    std::string token_of(const core::Session& session, core::Instant now = noon) {
        const auto fresh = usecase::fresh_upstream_token(
            deps, session, *store->services.find(core::ServiceId("notion")), now);
        return fresh ? fresh->access_token.reveal() : code_of(fresh);
    }

    // Writes to the database past the store, as an intruder does.
    void write(const std::string& sql) {
        sqlite3* db = nullptr;
        BOOST_REQUIRE(sqlite3_open(config.path.c_str(), &db) == SQLITE_OK);
        BOOST_TEST(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK, sql);
        sqlite3_close(db);
    }

    // As a version before wrote it: the owner is not part of it.
    void seal_as_before(const core::Session& session) {
        auto account = account_of(session);
        const auto open = [&](const std::string& sealed, const std::string& place) {
            return *core::unseal(keyring, account.key_id, sealed, place);
        };
        const auto access = open(account.access_token, account.access_token_aad());
        const auto refresh = open(account.refresh_token, account.refresh_token_aad());
        account.seal = 0;
        const auto seal = [&](const std::string& place, const core::Secret& clear) {
            return core::seal(
                keyring, account.key_id, random.bytes(core::nonce_bytes), place, clear);
        };
        account.access_token = seal(account.access_token_aad(), access);
        account.refresh_token = seal(account.refresh_token_aad(), refresh);
        BOOST_REQUIRE(store->server_keys.rekey_accounts({{account, account.key_id}}) == 1U);
        write("UPDATE upstream_token SET seal = NULL WHERE id = '" + account.id + "'");
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(account_seal)

BOOST_AUTO_TEST_CASE(a_token_is_the_sessions_after_submit_and_is_refreshed_for_it, *label("XC14")) {
    Town town;
    const auto anna = town.connect_as("anna");
    BOOST_TEST(town.token_of(anna) == "access-anna");
    BOOST_TEST(town.token_of(anna, noon + hour) == "access-refreshed-1");
    BOOST_TEST(town.token_of(anna, noon + hour) == "access-refreshed-1");
}

BOOST_AUTO_TEST_CASE(
    two_persons_tokens_that_are_swapped_in_the_database_are_refused, *label("XC14")) {
    Town town;
    const auto anna = town.connect_as("anna"), mallory = town.connect_as("mallory");
    const auto hers = town.account_of(anna), his = town.account_of(mallory);
    const auto give = [&](const core::LinkedAccount& account, const std::string& owner) {
        town.write(
            "UPDATE upstream_token SET owner = '" + owner + "' WHERE id = '" + account.id + "'");
    };
    give(his, "session:nobody");
    give(hers, his.owner.text()); // her whole row, under his name
    give(his, hers.owner.text());
    BOOST_TEST(town.token_of(mallory) == "server_error");
    BOOST_TEST(town.token_of(anna) == "server_error");
    BOOST_TEST(town.token_of(mallory, noon + hour) == "server_error"); // nor is it refreshed
    BOOST_TEST(town.service.refreshed.empty());
    // The ways around it: the owner of an ended account, the form before, and both.
    for (const auto& more :
         {"sealed_for = '" + hers.owner.text() + "'", std::string("seal = NULL"),
          std::string("seal = 1"), std::string("seal = NULL, sealed_for = NULL")}) {
        town.write("UPDATE upstream_token SET " + more + " WHERE id = '" + hers.id + "'");
        BOOST_TEST(town.token_of(mallory) == "server_error", more);
    }
    town.write(
        "UPDATE upstream_token SET seal = 2, sealed_for = NULL WHERE id = '" + hers.id + "'");
    give(his, "session:nobody");
    give(hers, hers.owner.text());
    give(his, his.owner.text());
    BOOST_TEST(town.token_of(anna) == "access-anna"); // it was her row all the time
    BOOST_TEST(town.token_of(mallory) == "access-mallory");
}

BOOST_AUTO_TEST_CASE(
    a_flows_account_that_was_given_to_another_flow_ends_with_its_submit, *label("XC14")) {
    Town town;
    const auto hers = town.begin_connected("anna"), his = town.begin_connected("mallory");
    town.write("DELETE FROM upstream_token WHERE owner = 'flow:" + his.text + "'");
    town.write(
        "UPDATE upstream_token SET owner = 'flow:" + his.text +
        "' WHERE owner = 'flow:" + hers.text + "'");
    const auto submitted = usecase::submit_consent(town.deps, {his}, town.person, noon);
    BOOST_REQUIRE_EQUAL(code_of(submitted), "ok");
    const auto session = town.store->sessions.find(submitted->session.id)->session;
    BOOST_TEST(town.token_of(session) == "interaction_required");
    BOOST_TEST(town.store->accounts.list(core::Owner::of(his)).empty());
}

BOOST_AUTO_TEST_CASE(an_ended_account_is_opened_for_its_revocation_alone, *label("XC14")) {
    Town town;
    const auto anna = town.connect_as("anna");
    const auto account = town.account_of(anna);
    usecase::disconnect(town.deps, account, noon);
    const std::vector<std::string> expected{core::to_base64url("refresh of anna"), "access-anna"};
    BOOST_TEST(town.service.revoked == expected, boost::test_tools::per_element());
    BOOST_TEST(town.token_of(anna) == "interaction_required");
}

BOOST_AUTO_TEST_CASE(
    accounts_from_before_work_until_all_are_sealed_anew_and_never_after, *label("XC14")) {
    Town town;
    const auto anna = town.connect_as("anna"), berta = town.connect_as("berta");
    town.seal_as_before(anna);
    const auto of_before = town.account_of(anna);
    BOOST_TEST(town.token_of(anna) == "server_error"); // nobody permitted it
    usecase::permit_old_seals(town.deps, noon);
    BOOST_TEST(town.token_of(anna) == "access-anna");
    BOOST_TEST(town.token_of(berta) == "access-berta");
    const auto seal = [&](core::Instant now) {
        return usecase::seal_old_accounts_anew(town.deps, now);
    };
    BOOST_TEST(seal(noon) == 1U);
    BOOST_TEST(town.token_of(anna) == "access-anna");
    BOOST_TEST(seal(noon) == 0U);
    BOOST_TEST(usecase::opens_old_seals(town.deps, noon)); // old workers may run
    BOOST_TEST(seal(noon + hour) == 0U);
    BOOST_TEST(!usecase::opens_old_seals(town.deps, noon + hour));
    // A copy of the row of before, as whoever can write to the database keeps it.
    town.write(
        "UPDATE upstream_token SET seal = NULL WHERE id = '" + town.account_of(anna).id + "'");
    auto again = of_before;
    again.version = town.account_of(anna).version;
    BOOST_REQUIRE(town.store->server_keys.rekey_accounts({{again, again.key_id}}) == 1U);
    BOOST_TEST(town.token_of(anna) == "server_error");
    BOOST_TEST(seal(noon + hour) == 0U);
}

BOOST_AUTO_TEST_CASE(
    a_permission_that_the_key_file_did_not_make_or_that_is_over_permits_nothing, *label("XC14")) {
    Town town;
    const auto opens = [&](core::Instant now) { return usecase::opens_old_seals(town.deps, now); };
    usecase::permit_old_seals(town.deps, noon);
    const core::Span life{30 * 86400};
    BOOST_TEST(opens(noon + life - core::Span(1)));
    BOOST_TEST(!opens(noon + life));
    town.write("UPDATE old_seals SET expires_at = expires_at + 1"); // to have it for longer
    BOOST_TEST(!opens(noon));
    const core::Keyring other({{core::KeyId("k1"), core::Secret(std::string(32, 'x'))}});
    usecase::permit_old_seals(town.with(other), noon);
    BOOST_TEST(!opens(noon));
}

BOOST_AUTO_TEST_CASE(
    an_account_from_before_that_does_not_open_has_to_be_connected_anew, *label("XC14")) {
    Town town;
    const auto anna = town.connect_as("anna");
    town.seal_as_before(anna);
    town.write("UPDATE upstream_token SET access_token = refresh_token");
    usecase::permit_old_seals(town.deps, noon);
    BOOST_TEST(usecase::seal_old_accounts_anew(town.deps, noon) == 1U);
    BOOST_TEST(town.token_of(anna) == "interaction_required");
}

BOOST_AUTO_TEST_CASE(
    an_account_from_before_is_sealed_for_its_owner_at_a_refresh_and_with_a_new_server_key,
    *label("XC14") * label("S13")) {
    Town town;
    const auto anna = town.connect_as("anna"), berta = town.connect_as("berta");
    town.seal_as_before(anna);
    town.seal_as_before(berta);
    usecase::permit_old_seals(town.deps, noon);
    BOOST_TEST(town.token_of(berta, noon + hour) == "access-refreshed-1");
    BOOST_TEST(town.account_of(berta).seal == core::current_seal);
    const core::Keyring rotated(
        {{core::KeyId("k1"), core::Secret(std::string(32, '\1'))},
         {core::KeyId("k2"), core::Secret(std::string(32, '\2'))}});
    const auto moved = usecase::rekey(town.with(rotated), noon, [](const usecase::Rekeyed&) {});
    BOOST_TEST(moved.accounts == 2U);
    BOOST_TEST(moved.unreadable == 0U);
    const auto account = town.account_of(anna);
    BOOST_TEST(account.seal == core::current_seal);
    BOOST_TEST(
        core::unseal(rotated, account.key_id, account.access_token, account.access_token_aad())
            ->reveal() == "access-anna");
}

BOOST_AUTO_TEST_SUITE_END()
