// Tests src/app/config.cpp: the `database` keys, with addresses, passwords and TLS.
#include "consentgate/app/composition.h"

#include "configured.h"

#include <boost/test/unit_test.hpp>

#include <sys/stat.h>

using namespace consentgate;
using namespace consentgate::tests;
using boost::unit_test::label;

namespace {

struct DatabaseConfigured : Configured {
    std::string secret_file(const std::string& content, mode_t mode) {
        const auto path = folder.write("password", content);
        chmod(path.c_str(), mode);
        return path;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(database_config, DatabaseConfigured)

BOOST_AUTO_TEST_CASE(an_address_names_engine_user_hosts_and_database) {
    const auto config =
        with("database = postgresql://anna@db1.example,db2.example:5433,127.0.0.1/tools").store;
    BOOST_TEST((config.engine == store::Engine::postgresql));
    BOOST_TEST(config.user == "anna");
    BOOST_TEST(config.name == "tools");
    BOOST_REQUIRE(config.hosts.size() == 3U);
    BOOST_TEST(config.hosts[0].name == "db1.example");
    BOOST_TEST(config.hosts[0].port == 5432);
    BOOST_TEST(config.hosts[1].port == 5433);
    BOOST_TEST(config.hosts[2].name == "127.0.0.1");
    BOOST_TEST(
        store::address_of(config) ==
        "postgresql://anna@db1.example:5432,db2.example:5433,127.0.0.1:5432/tools");
    BOOST_TEST(with("database = mariadb://anna@db/tools").store.hosts[0].port == 3306);
}

BOOST_AUTO_TEST_CASE(a_host_can_be_a_socket) {
    const auto config = with("database = mariadb://anna@%2Frun%2Fmysqld%2Fmysqld.sock/tools").store;
    BOOST_TEST(config.hosts[0].name == "/run/mysqld/mysqld.sock");
    BOOST_TEST(
        store::address_of(config) == "mariadb://anna@%2Frun%2Fmysqld%2Fmysqld.sock:3306/tools");
}

BOOST_AUTO_TEST_CASE(an_ipv6_host_stands_in_brackets_and_is_written_so_again) {
    const auto config = with("database = postgresql://anna@[::1],[fe80::1]:5433/tools").store;
    BOOST_REQUIRE(config.hosts.size() == 2U);
    BOOST_TEST(config.hosts[0].name == "::1");
    BOOST_TEST(config.hosts[0].port == 5432);
    BOOST_TEST(config.hosts[1].name == "fe80::1");
    BOOST_TEST(config.hosts[1].port == 5433);
    BOOST_TEST(store::address_of(config) == "postgresql://anna@[::1]:5432,[fe80::1]:5433/tools");
    for (const auto* wrong : {"::1", "fe80::1:5432", "[::1", "[::1]x", "[::1]5432", "[]"})
        BOOST_TEST_CONTEXT(wrong)
    BOOST_TEST(problems_with(std::string("database = postgresql://a@") + wrong + "/n") != "ok");
}

BOOST_AUTO_TEST_CASE(a_path_is_sqlite_and_stays_beside_the_configuration_file) {
    const auto config = with("database = data/x.db").store;
    BOOST_TEST((config.engine == store::Engine::sqlite));
    BOOST_TEST(config.path == folder.file("data/x.db"));
    BOOST_TEST(store::address_of(config) == config.path);
}

BOOST_AUTO_TEST_CASE(an_address_that_means_nothing_is_refused_with_the_form_it_must_have) {
    for (const auto* wrong :
         {"postgres://a@h/n", "mysql://a@h/n", "postgresql://h/n", "postgresql://a@h",
          "postgresql://a@/n", "postgresql://a@h/", "postgresql://@h/n", "postgresql://a@h/n?x=1",
          "mariadb://a@h/n;DRIVER=x", "mariadb://a;PWD=x@h/n"}) {
        BOOST_TEST_CONTEXT(wrong)
        BOOST_TEST(holds(problems_with(std::string("database = ") + wrong), "database must be"));
    }
    for (const auto* wrong :
         {"postgresql://a@h:0/n", "postgresql://a@h:65536/n", "postgresql://a@h:x/n"}) {
        BOOST_TEST_CONTEXT(wrong)
        BOOST_TEST(
            holds(problems_with(std::string("database = ") + wrong), "a port that is no number"));
    }
    BOOST_TEST(problems_with("database = postgresql://a@h:1,h:65535/n") == "ok");
    BOOST_TEST(holds(problems_with("database = mariadb://a@h;PWD=x/n"), "a host that is"));
    BOOST_TEST(holds(problems_with("database = mariadb://a@%zz/n"), "a % that means nothing"));
    for (const auto* wrong : {"h%0A", "h%00x", "%FF"}) BOOST_TEST_CONTEXT(wrong)
    BOOST_TEST(
        holds(problems_with(std::string("database = mariadb://a@") + wrong + "/n"), "no name"));
    BOOST_TEST(holds(problems_with("database = mariadb://a\x01@h/n"), "database must be"));
}

BOOST_AUTO_TEST_CASE(
    a_password_is_not_accepted_where_others_read_and_never_repeated, *label("K47")) {
    const auto in_address = problems_with("database = postgresql://anna:hunter2@db/tools");
    BOOST_TEST(holds(in_address, "database_password_file"));
    BOOST_TEST(!holds(in_address, "hunter2"));
    const auto in_file = problems_with("database_password = hunter2");
    BOOST_TEST(holds(in_file, "put it into database_password_file"));
    BOOST_TEST(!holds(in_file, "hunter2"));
}

BOOST_AUTO_TEST_CASE(the_password_comes_from_the_environment) {
    environment.set("CONSENTGATE_DATABASE_PASSWORD", " with blanks; and {signs} ");
    BOOST_TEST((with("").store.password.reveal() == " with blanks; and {signs} "));
    BOOST_TEST(holds(problems_with("database_password_file = x"), "are both set"));
}

BOOST_AUTO_TEST_CASE(the_password_comes_from_a_file_that_is_nobody_elses) {
    auto config = with("database_password_file = " + secret_file(" a b;c}'\"= \r\n", 0600));
    app::read_database_password(config);
    BOOST_TEST(
        (config.store.password.reveal() ==
         " a b;c}'\"= ")); // blanks may be meant, the end of the line is not
    auto open = with("database_password_file = " + secret_file("x\n", 0644));
    BOOST_CHECK_THROW(app::read_database_password(open), std::runtime_error);
    auto empty = with("database_password_file = " + secret_file("\n", 0600));
    BOOST_CHECK_EXCEPTION(
        app::read_database_password(empty), std::runtime_error,
        [](const auto& error) { return holds(error.what(), "is empty"); });
}

BOOST_AUTO_TEST_CASE(tls_is_verified_encrypted_off_or_as_the_host_needs_it) {
    BOOST_TEST((with("").store.tls == store::Tls::here));
    BOOST_TEST((with("database_tls = verify").store.tls == store::Tls::verify));
    BOOST_TEST((with("database_tls = encrypt").store.tls == store::Tls::encrypt));
    BOOST_TEST((with("database_tls = off").store.tls == store::Tls::off));
    BOOST_TEST(
        holds(problems_with("database_tls = yes"), "database_tls must be verify, encrypt or off"));
    BOOST_TEST(with("database_tls_ca = ca.pem").store.tls_ca == folder.file("ca.pem"));
}

BOOST_AUTO_TEST_SUITE_END()
