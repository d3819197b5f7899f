#include "configured.h"

#include "tests/support/samples.h"

#include <boost/test/unit_test.hpp>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

struct Limits {
    const char* key;
    int least, limit;
};

const std::vector<Limits> numbers{
    {"service_timeout_ms", 100, 60000},
    {"body_timeout_ms", 100, 600000},
    {"database_timeout_ms", 0, 60000},
    {"workers", 1, 256},
    {"registrations_per_minute", 0, 1000000},
    {"failed_virtual_keys_per_minute", 1, 1000},
    {"unused_clients_per_address", 0, 1000000},
    {"client_document_fetches_per_address_per_minute", 1, 1000000},
    {"authorizations_per_minute", 0, 1000000},
    {"flow_lifetime_seconds", 1, 900},
    {"code_lifetime_seconds", 1, 300},
    {"session_lifetime_seconds", 1, 86400},
    {"unused_client_days", 1, 3650},
    {"client_document_fetches_per_minute", 1, 1000000},
    {"client_document_fetches_per_host_per_minute", 1, 1000000}};

} // namespace

BOOST_FIXTURE_TEST_SUITE(config, Configured)

BOOST_AUTO_TEST_CASE(
    an_issuer_and_a_resource_are_enough_and_the_rest_is_the_contracts, *label("S14")) {
    const auto config = read(required);
    BOOST_TEST(config.policy.issuer == "https://auth.example.org");
    BOOST_REQUIRE(config.policy.resources.size() == 1U);
    BOOST_TEST(config.policy.resources.front().url == "https://tools.example.org/mcp");
    BOOST_TEST(config.policy.flow_lifetime.count() == 900);
    BOOST_TEST(config.policy.code_lifetime.count() == 300);
    BOOST_TEST(config.policy.session_lifetime.count() == 86400);
    BOOST_TEST(!config.enforce_identity);
    BOOST_TEST(config.policy.identities.text() == "virtual_key verified_user");
    BOOST_TEST(config.policy.registration_enabled);
    BOOST_TEST(config.policy.virtual_key_claim == "virtual_key_id");
    BOOST_TEST(config.policy.admin_claim == "role");
    BOOST_TEST(config.policy.admin_value == "admin");
    BOOST_TEST(config.store.wait.count() == 5000);
    BOOST_TEST(config.workers == 8);
    BOOST_TEST(config.brand.name == "consentgate");
    BOOST_TEST(config.policy.default_scopes.text() == "mcp");
    BOOST_TEST(config.bearer_keys.empty());
}

BOOST_AUTO_TEST_CASE(
    every_number_is_accepted_at_its_limits_and_refused_beyond_them, *label("S14")) {
    for (const auto& [key, least, limit] : numbers) {
        const auto said = [&, name = std::string(key)](const std::string& value) {
            return problems_with(name + " = " + value);
        };
        BOOST_TEST_CONTEXT(key) {
            BOOST_TEST(said(std::to_string(least)) == "ok");
            BOOST_TEST(said(std::to_string(limit)) == "ok");
            for (const auto& bad :
                 {std::to_string(least - 1), std::to_string(limit + 1), std::string(),
                  std::string("x"), std::string("1x"), std::string("1.5"), std::string("0x10"),
                  std::string("99999999999999999999")}) {
                BOOST_TEST_CONTEXT(bad)
                BOOST_TEST(holds(said(bad), std::string(key) + " must be a number from"));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(numbers_reach_what_they_set) {
    BOOST_TEST(with("database_timeout_ms = 7").store.wait.count() == 7);
    BOOST_TEST(with("workers = 7").workers == 7);
    BOOST_TEST(with("registrations_per_minute = 7").limits.registrations_per_minute == 7);
    BOOST_TEST(with("authorizations_per_minute = 7").limits.authorizations_per_minute == 7);
    BOOST_TEST(with("flow_lifetime_seconds = 7").policy.flow_lifetime.count() == 7);
    BOOST_TEST(with("code_lifetime_seconds = 7").policy.code_lifetime.count() == 7);
    BOOST_TEST(with("session_lifetime_seconds = 7").policy.session_lifetime.count() == 7);
    BOOST_TEST(with("unused_client_days = 3650").client_lives.unused.count() == 3650 * 86400LL);
    BOOST_TEST(with("idle_client_days = 9").client_lives.idle.count() == 9 * 86400LL);
    BOOST_TEST(with("unused_clients_per_address = 9").policy.max_unused_clients == 9U);
    BOOST_TEST(
        with("failed_virtual_keys_per_minute = 9").limits.failed_virtual_keys_per_minute == 9);
}

BOOST_AUTO_TEST_CASE(yes_and_no_are_true_and_false_in_these_words) {
    BOOST_TEST(with("enforce_auth_on_inference = true").enforce_identity);
    BOOST_TEST(!with("registration_enabled = false").policy.registration_enabled);
    for (const auto* key : {"enforce_auth_on_inference", "registration_enabled"}) {
        for (const auto* bad : {"", "yes", "1", "True", "on", "truex"}) {
            BOOST_TEST_CONTEXT(key << " " << bad)
            BOOST_TEST(
                holds(problems_with(std::string(key) + " = " + bad), "must be true or false"));
        }
    }
}

BOOST_AUTO_TEST_CASE(
    an_issuer_is_an_https_origin_that_clients_can_compare, *label("D8") * label("D15")) {
    const auto said = [&](const std::string& issuer) {
        return problems("resources = https://h/mcp\nissuer = " + issuer + "\n");
    };
    for (const auto* good :
         {"https://auth.example.org", "https://auth.example.org:8443",
          "https://auth.example.org/t1", "http://127.0.0.1:8080", "http://localhost:8080",
          "http://[::1]:8080"}) {
        BOOST_TEST_CONTEXT(good) BOOST_TEST(said(good) == "ok");
    }
    for (const auto* bad :
         {"", "auth.example.org", "http://auth.example.org", "https://auth.example.org/",
          "https://auth.example.org/t1/", "https://auth.example.org?x",
          "https://auth.example.org#x", "https://u@auth.example.org", "https://",
          "ftp://auth.example.org", "https://auth.example.org/ x"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(holds(said(bad), "issuer "));
    }
}

// A browser's Origin is lower case and without the default port, and the cookie is secure by the
// issuer's scheme.
BOOST_AUTO_TEST_CASE(
    an_issuer_that_no_browser_would_spell_so_is_refused, *label("D15") * label("S6")) {
    for (const auto* bad :
         {"HTTPS://auth.example.org", "https://Auth.example.org", "https://auth.example.org:443",
          "http://127.0.0.1:80"}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(holds(
            problems("resources = https://h/mcp\nissuer = " + std::string(bad) + "\n"), "issuer "));
    }
}

BOOST_AUTO_TEST_CASE(resources_are_absolute, *label("D8") * label("A18")) {
    const auto said = [&](const std::string& list) {
        return problems("issuer = https://h\nresources = " + list + "\n");
    };
    BOOST_TEST(said("https://h/a  https://h/b http://127.0.0.1:8080/mcp") == "ok");
    for (const auto* bad : {"h/mcp", "https://h/mcp#x", "http://h/mcp", "https://h/a mcp"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(holds(said(bad), "resources "));
    }
}

BOOST_AUTO_TEST_CASE(
    scopes_have_a_name_and_words_and_defaults_are_some_of_them, *label("D6") * label("N5")) {
    const auto config =
        with("scopes = mcp=Use the tools; profile = See your name ;\ndefault_scopes = profile");
    BOOST_TEST(config.policy.catalogue().text() == "mcp profile");
    BOOST_TEST(config.policy.words("profile") == "See your name");
    BOOST_TEST(config.policy.default_scopes.text() == "profile");
    for (const auto* bad :
         {"scopes =", "scopes = mcp", "scopes = mcp=", "scopes = =words", "scopes = a b=words",
          "scopes = a\"=words", "scopes = mcp=a;;x", "scopes = mcp=a; offline_access=b",
          "default_scopes =", "default_scopes = other", "default_scopes = mcp other",
          "default_scopes = a\"b"}) {
        BOOST_TEST_CONTEXT(bad) BOOST_TEST(holds(problems_with(bad), "scopes "));
    }
}

BOOST_AUTO_TEST_CASE(a_colour_is_six_hexadecimal_digits_because_it_goes_into_the_stylesheet) {
    BOOST_TEST(with("brand_accent = #1A5fb4").brand.accent == "#1A5fb4");
    BOOST_TEST(with("brand_accent =").brand.accent == "");
    for (const auto* bad :
         {"1a5fb4", "#1a5fb", "#1a5fb44", "#1a5fbg", "red", "#fff", "#1a5fb4}", "#1a5f;}"}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(
            holds(problems_with("brand_accent = " + std::string(bad)), "brand_accent must be"));
    }
}

BOOST_AUTO_TEST_CASE(bearer_keys_are_an_algorithm_and_a_file, *label("S4")) {
    const auto config = with("bearer_keys = HS256:/etc/a.key  RS256:b:c.pem\nbearer_issuer = "
                             "https://idp.example\nbearer_audience = us");
    BOOST_REQUIRE(config.bearer_keys.size() == 2U);
    BOOST_TEST(config.bearer_keys[0].algorithm == "HS256");
    BOOST_TEST(config.bearer_keys[0].path == "/etc/a.key");
    BOOST_TEST(config.bearer_keys[1].path == folder.file("b:c.pem"));
    BOOST_TEST(config.bearer_issuer == "https://idp.example");
    BOOST_TEST(config.bearer_audience == "us");
    for (const auto* bad : {"HS256", "HS256:", "HS256:/a RS256"}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(
            holds(problems_with("bearer_keys = " + std::string(bad)), "bearer_keys must be"));
    }
}

BOOST_AUTO_TEST_CASE(admins_cannot_be_named_by_nothing, *label("S4")) {
    BOOST_TEST(
        with("admin_claim = grp\nadmin_value = ops\nvirtual_key_claim = k").policy.admin_value ==
        "ops");
    // Either refused, or harmless in core
    // (bearer/an_empty_admin_value_or_claim_makes_nobody_an_admin); never misread.
    const auto said = problems_with("admin_value =");
    BOOST_TEST((said == "ok" || holds(said, "admin_value ")));
}

BOOST_AUTO_TEST_CASE(an_unknown_key_is_an_error_not_a_surprise) {
    BOOST_TEST(holds(
        problems_with("enforce_auth_on_inferrence = true"),
        "enforce_auth_on_inferrence is not a key"));
    BOOST_TEST(holds(problems_with("Workers = 2"), "Workers is not a key"));
    BOOST_TEST(holds(problems_with("worker = 2"), "; did you mean workers?"));
    BOOST_TEST(holds(problems_with("workers.max = 2"), "workers"));
    BOOST_TEST(problems_with("# workers = nonsense\n! another comment\n\n") == "ok");
}

BOOST_AUTO_TEST_CASE(all_problems_are_said_at_once) {
    const auto said =
        problems("issuer = http://h\nresources = mcp\nworkers = 0\nnonsense = 1\nbrand_accent = "
                 "red\nregistration_enabled = maybe\n");
    for (const auto* part :
         {"issuer ", "resources ", "workers ", "nonsense ", "brand_accent ",
          "registration_enabled "}) {
        BOOST_TEST_CONTEXT(part << " in " << said) BOOST_TEST(holds(said, part));
    }
    BOOST_TEST(core::split(said, '\n').size() == 6U);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_is_said_with_the_rest) {
    BOOST_CHECK_EXCEPTION(
        app::read_config(folder.file("missing.conf")), app::ConfigError, [](const auto& error) {
            return holds(error.what(), "cannot be read") && holds(error.what(), "issuer ");
        });
}

BOOST_AUTO_TEST_CASE(every_key_can_be_given_in_the_environment_which_wins) {
    environment.set("CONSENTGATE_WORKERS", "9");
    environment.set("CONSENTGATE_ENFORCE_AUTH_ON_INFERENCE", "true");
    const auto config = with("workers = 2\nenforce_auth_on_inference = false");
    BOOST_TEST(config.workers == 9);
    BOOST_TEST(config.enforce_identity);
    environment.set("CONSENTGATE_WORKERS", "none");
    BOOST_TEST(holds(problems_with("workers = 2"), "workers must be a number"));
}

BOOST_AUTO_TEST_CASE(a_good_file_does_not_heal_a_bad_environment_key_by_key) {
    for (const auto& [key, least, limit] : numbers) {
        environment.set(
            "CONSENTGATE_" + Poco::toUpper(std::string(key)), std::to_string(limit + 1));
        BOOST_TEST_CONTEXT(key)
        BOOST_TEST(holds(
            problems_with(std::string(key) + " = " + std::to_string(least)),
            std::string(key) + " must be"));
        environment.unset("CONSENTGATE_" + Poco::toUpper(std::string(key)));
    }
}

BOOST_AUTO_TEST_CASE(the_environment_alone_is_enough) {
    environment.set("CONSENTGATE_ISSUER", "https://auth.example.org");
    environment.set("CONSENTGATE_RESOURCES", "https://tools.example.org/mcp");
    environment.set("CONSENTGATE_PAGES", "conf/pages");
    environment.set("CONSENTGATE_DATABASE", "/absolute.db");
    const auto config = app::read_config("");
    BOOST_TEST(config.policy.issuer == "https://auth.example.org");
    BOOST_TEST(config.store.path == "/absolute.db");
    const bool found = std::filesystem::exists(
        config
            .pages); // relative to the working directory: there is no file whose folder it could be
    BOOST_TEST(found, config.pages);
}

BOOST_AUTO_TEST_CASE(relative_files_are_beside_the_configuration_file) {
    const auto config = with("database = data/x.db\nkey_file = x.key\npages = /usr/share/pages");
    BOOST_TEST(config.store.path == folder.file("data/x.db"));
    BOOST_TEST(config.key_file == folder.file("x.key"));
    BOOST_TEST(config.pages == "/usr/share/pages");
}

BOOST_AUTO_TEST_CASE(
    documents_are_read_from_every_host_but_those_of_this_machine_unless_configured_otherwise,
    *label("D20") * label("R37")) {
    const auto defaults = read(required).policy.documents;
    BOOST_TEST(defaults.accepted);
    BOOST_TEST(
        (defaults.hosts.empty() && defaults.denied_hosts.empty() &&
         defaults.insecure_test_hosts.empty()));
    BOOST_TEST(!with("client_documents_enabled = false").policy.documents.accepted);
    BOOST_TEST(with("workers = 1").fetch.at_once == 1U);
    BOOST_TEST(with("workers = 9").fetch.at_once == 4U);
    const auto chosen = with("client_document_hosts = App.example *.b.example "
                             "c.example:8443\nclient_document_denied_hosts = x.b.example\n"
                             "client_document_insecure_test_hosts = localhost:8443 127.0.0.1:1 "
                             "[::1]:65535\nclient_document_insecure_test_ca = ca.pem");
    BOOST_TEST(
        core::join(chosen.policy.documents.hosts, " ") == "app.example *.b.example c.example:8443");
    BOOST_TEST(core::join(chosen.policy.documents.denied_hosts, " ") == "x.b.example");
    BOOST_TEST(chosen.policy.documents.insecure_test_hosts.size() == 3U);
    BOOST_TEST(chosen.document_http.ca == folder.file("ca.pem"));
    BOOST_TEST(holds(problems_with("client_documents_enabled = on"), "true or false"));
    for (const auto* bad :
         {"https://a.example", "a.example/x", "u@a.example", "a.example:0", "a.example:x", "*.",
          "[::1]", "a,b", "**.a"}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(
            holds(problems_with(std::string("client_document_hosts = ") + bad), "must be hosts"));
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(holds(
            problems_with(std::string("client_document_denied_hosts = ") + bad), "must be hosts"));
    }
    for (const auto* bad :
         {"localhost", "a.example:8443", "10.0.0.1:8443", "*.localhost:8443", "127.0.0.2:1",
          "localhost.:1"}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(holds(
            problems_with(std::string("client_document_insecure_test_hosts = ") + bad),
            "must be loopback hosts"));
    }
}

BOOST_AUTO_TEST_CASE(a_scope_can_hold_others_of_the_catalogue, *label("C7")) {
    const auto config = with(
        "scopes = mcp=Use; profile=See; admin=All\nscope_implies = admin: mcp profile; profile: "
        "mcp");
    BOOST_TEST(
        config.policy.with_implied(*core::ScopeSet::parse("admin")).text() == "admin mcp profile");
    for (const auto* bad :
         {"admin", "admin:", ": mcp", "admin: other", "other: mcp", "admin mcp: profile",
          "admin: m\"cp"}) {
        BOOST_TEST_CONTEXT(bad)
        BOOST_TEST(holds(
            problems_with(
                "scopes = mcp=Use; profile=See; admin=All\nscope_implies = " + std::string(bad)),
            "scope_implies "));
    }
}

BOOST_AUTO_TEST_CASE(the_web_server_s_word_is_taken_only_when_it_is_asked_for, *label("S8")) {
    BOOST_TEST((with("").policy.verified_user == core::VerifiedUser::off));
    BOOST_TEST(
        (with("verified_user = remote_user").policy.verified_user ==
         core::VerifiedUser::remote_user));
    for (const auto* bad : {"", "on", "REMOTE_USER", "http_remote_user"})
        BOOST_TEST(holds(
            problems_with(std::string("verified_user = ") + bad), "must be off or remote_user"));
}

BOOST_AUTO_TEST_CASE(every_key_has_a_default_that_is_accepted) {
    for (const auto& key : app::known_keys()) {
        if (key.name == "issuer" || key.name == "database_password") continue;
        BOOST_TEST_CONTEXT(key.name)
        BOOST_TEST(problems_with(key.name + " = " + key.standard) == "ok");
    }
    BOOST_TEST(app::known_keys().size() == 66U);
}

BOOST_FIXTURE_TEST_CASE(
    nobody_else_refreshes_a_token_while_its_service_may_still_answer, Configured, *label("S9")) {
    BOOST_TEST(
        (with("service_timeout_ms = 60000\ndatabase_timeout_ms = 60000").policy.upstream_lease >
         core::Span(120)));
    BOOST_TEST(
        (with("service_timeout_ms = 1001\ndatabase_timeout_ms = 0").policy.upstream_lease >=
         core::Span(2)));
}

BOOST_AUTO_TEST_SUITE_END()
