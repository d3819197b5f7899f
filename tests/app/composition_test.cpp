// Starting up: how the parts are put together, and what an operator reads when it cannot be.
#include "consentgate/app/composition.h"

#include "consentgate/store/open.h"
#include "consentgate/sys/key_file.h"
#include "tests/support/counting_random.h"
#include "tests/support/environment.h"
#include "tests/support/jwt.h"
#include "tests/support/temp_folder.h"

#include <Poco/String.h>

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// The error message, or "ok".
template <class Action> std::string outcome(Action action) {
    try {
        action();
        return "ok";
    } catch (const std::exception& error) {
        return error.what();
    }
}

struct Installed {
    TempFolder folder;
    Environment environment;
    CountingRandom random;

    Installed() {
        for (const auto& key : app::known_keys())
            environment.unset("CONSENTGATE_" + Poco::toUpper(key.name));
        configure("");
        sys::create_key_file(folder.file("consentgate.key"), random);
        migrate();
    }
    void configure(const std::string& more) const {
        folder.write(
            "consentgate.conf",
            "issuer = https://auth.example.org\nresources = https://tools.example.org/mcp\n"
            "database = consentgate.db\nkey_file = consentgate.key\n" +
                more);
    }
    void migrate() const {
        store::migrate(
            {.path = folder.file("consentgate.db"),
             .wait = std::chrono::milliseconds(1000),
             .before_statement = {}},
            noon);
    }
    app::Startup lay() const { return app::load_startup(folder.file("consentgate.conf")); }
    std::string starting() const {
        return outcome([&] {
            auto startup = lay();
            app::check_database(startup, noon);
        });
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(wire, Installed)

BOOST_AUTO_TEST_CASE(a_start_knows_who_can_come_in, *label("XA2")) {
    const auto said = [&](const std::string& more) {
        configure(more);
        auto startup = lay();
        app::check_database(startup, noon);
        return startup.admission.sentence;
    };
    BOOST_TEST(holds(said(""), "Nobody can come in: people need a virtual key"));
    BOOST_TEST(holds(said("identities = any\n"), "Anyone who can open the pages can come in"));
    BOOST_TEST(holds(said("verified_user = remote_user\n"), "whom the web server signs in"));
}

BOOST_AUTO_TEST_CASE(
    a_start_without_anything_to_guard_is_refused_and_says_what_to_do, *label("A18")) {
    folder.write(
        "consentgate.conf",
        "issuer = https://auth.example.org\ndatabase = consentgate.db\nkey_file = "
        "consentgate.key\n");
    BOOST_TEST(holds(starting(), "consentgate-admin resource add URL"));
}

BOOST_AUTO_TEST_CASE(a_migrated_database_and_a_key_file_are_a_start) {
    BOOST_TEST(starting() == "ok");
    BOOST_TEST(starting() == "ok"); // and again: the key is known now
    const auto startup = lay();
    const sys::Log log;
    app::Runtime runtime(startup, log);
    BOOST_TEST(runtime.deps().store.server_keys.list().size() == 1U);
    BOOST_TEST(runtime.deps().policy.issuer == "https://auth.example.org");
}

BOOST_AUTO_TEST_CASE(a_missing_database_or_schema_says_to_migrate) {
    std::filesystem::remove(folder.file("consentgate.db"));
    BOOST_TEST(holds(starting(), "consentgate-admin migrate"));
    folder.write("consentgate.db", "");
    BOOST_TEST(holds(starting(), "consentgate-admin migrate"));
    folder.write(
        "consentgate.db",
        "this is no database, whatever it is called, and it is long enough to be looked at");
    BOOST_TEST(starting() != "ok");
}

BOOST_AUTO_TEST_CASE(another_key_file_than_the_databases_is_noticed_at_start, *label("S12")) {
    BOOST_TEST(starting() == "ok");
    const auto before = folder.read("consentgate.key");
    std::filesystem::remove(folder.file("consentgate.key"));
    sys::create_key_file(folder.file("consentgate.key"), random);
    BOOST_TEST(holds(starting(), "restore the file from its backup"));
    folder.write(
        "consentgate.key", before.substr(0, before.rfind(' ')) + " " + std::string(43, 'A') +
                               "\n"); // the name of the old, the bytes of another
    BOOST_TEST(holds(starting(), "restore the file from its backup"));
    folder.write("consentgate.key", before + "k2 " + std::string(43, 'A') + "\n"); // a rotated one
    BOOST_TEST(starting() == "ok");
}

BOOST_AUTO_TEST_CASE(a_key_file_that_others_may_read_stops_the_start, *label("S12")) {
    std::filesystem::permissions(
        folder.file("consentgate.key"), static_cast<std::filesystem::perms>(0644));
    BOOST_TEST(holds(starting(), "chmod 600"));
}

BOOST_AUTO_TEST_CASE(bearer_keys_are_read_from_their_files, *label("S4")) {
    folder.write("hs.key", hmac_secret + "\n"); // as an editor leaves it
    folder.write("rs.pem", public_pem(rsa_pair()));
    configure("bearer_keys = HS256:hs.key RS256:rs.pem\n");
    const auto startup = lay();
    const auto claims = "{\"exp\":" + in_an_hour() + ",\"sub\":\"vk_1\"}";
    for (const auto* algorithm : {"HS256", "RS256"}) {
        BOOST_TEST_CONTEXT(algorithm)
        BOOST_TEST(
            code_of(startup.bearers.verify(sign(claims, algorithm), startup.config.policy, noon)) ==
            "ok");
    }
}

BOOST_AUTO_TEST_CASE(
    bearer_keys_that_cannot_serve_stop_the_start_and_are_not_quoted, *label("S4") * label("K47")) {
    folder.write("short.key", "sssss");
    folder.write("open.key", hmac_secret, 0644);
    for (const auto* bad :
         {"HS256:short.key", "HS256:open.key", "HS256:missing.key", "RS256:short.key",
          "EdDSA:short.key", "none:short.key"}) {
        configure(std::string("bearer_keys = ") + bad + "\n");
        const auto said = outcome([&] { lay(); });
        BOOST_TEST_CONTEXT(bad << ": " << said) {
            BOOST_TEST(said != "ok");
            BOOST_TEST(!holds(said, "sssss"));
            BOOST_TEST(!holds(said, hmac_secret));
        }
    }
}

BOOST_AUTO_TEST_CASE(
    the_configuration_file_is_the_argument_then_the_environment_then_the_installed_one) {
    std::vector<std::string> given{"key", "--config", "/a.conf", "list"}, bare{"key", "list"};
    std::vector<std::string> attached{"--config=/c.conf"};
    environment.unset("CONSENTGATE_CONFIG");
    BOOST_TEST(app::take_config_path(given) == "/a.conf");
    BOOST_TEST(given == bare);
    BOOST_TEST(app::take_config_path(bare) == "/etc/consentgate/consentgate.conf");
    environment.set("CONSENTGATE_CONFIG", "/b.conf");
    BOOST_TEST(app::take_config_path(attached) == "/c.conf");
    BOOST_TEST(attached.empty());
    BOOST_TEST(app::take_config_path(bare) == "/b.conf");
}

BOOST_AUTO_TEST_CASE(
    a_second_configuration_file_and_none_are_refused_and_words_behind_dashes_are_no_options,
    *label("XF4")) {
    const auto said_of = [](std::vector<std::string> line) {
        try {
            return app::take_config_path(line);
        } catch (const std::invalid_argument& error) {
            return std::string(error.what());
        }
    };
    const std::string twice = "--config was given more than once";
    BOOST_TEST(said_of({"--config", "/a", "key", "--config", "/a"}) == twice);
    BOOST_TEST(said_of({"--config=/a", "key", "--config=/b"}) == twice);
    const std::string none = "--config needs a value: --config FILE";
    BOOST_TEST(said_of({"key", "list", "--config"}) == none);
    BOOST_TEST(said_of({"key", "list", "--config="}) == none);
    BOOST_TEST(said_of({"--config", "/a", "key", "add", "--", "--config"}) == "/a");
}

BOOST_AUTO_TEST_SUITE_END()
