// src/app/finding.cpp, doctor_machine.cpp, front_config.cpp: facts in, first cause out. The rules
// for this machine and for the web server's files find them, and their order is that of what is
// said.
#include "consentgate/app/doctor_machine.h"
#include "consentgate/app/front_config.h"

#include <boost/test/unit_test.hpp>

#include <map>

using namespace consentgate;
using app::Cause;
using app::Finding;
using app::FrontKind;
using app::Verdict;
using boost::unit_test::label;

namespace {

Finding broken(Cause cause, std::string path = {}) {
    return {Verdict::broken, "it is broken", {}, cause, std::move(path)};
}

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

using Files = std::map<std::string, std::string>;

app::FrontConfig understood(FrontKind kind, const Files& files) {
    const app::ConfigSource source{
        .read = [&](const std::string& file) -> std::optional<std::string> {
            const auto found = files.find(file);
            return found == files.end() ? std::nullopt : std::optional(found->second);
        },
        .list =
            [&](const std::string&) {
                std::vector<std::string> names;
                for (const auto& [name, text] : files)
                    if (name != files.begin()->first) names.push_back(name);
                return names;
            }};
    return app::understand(kind, app::read_front_config(kind, files.begin()->first, source));
}

const Files nginx_files{
    {"/etc/nginx/nginx.conf", "user www-data; # who\nhttp {\n  include sites/*;\n}\n"},
    {"/etc/nginx/sites/site",
     "server {\n"
     "  location ~ ^/(oauth/|api/oauth/) {\n"
     "    fastcgi_pass unix:/run/consentgate/consentgate.sock;\n  }\n"
     "  location = /_consentgate_gate { fastcgi_pass unix:/run/consentgate/gate.sock; }\n"
     "  location ^~ /mcp { auth_request /_consentgate_gate; proxy_pass http://127.0.0.1:3001; }\n"
     "  location ~* /mcp {\n    proxy_pass http://127.0.0.1:3001;\n  }\n"
     "  location /php { fastcgi_pass unix:/run/php.sock; }\n}\n"}};

} // namespace

BOOST_AUTO_TEST_SUITE(doctor_causes)

BOOST_AUTO_TEST_CASE(one_cause_is_said_first_and_what_follows_from_it_after, *label("XF3")) {
    // Causes that are found in any order, the first of them to be named, and their number.
    const struct {
        std::vector<Cause> found;
        Cause first;
        std::size_t causes;
    } table[] = {
        {{Cause::mount, Cause::gate_fails, Cause::pages_fail, Cause::programs}, Cause::programs, 1},
        {{Cause::pages_fail, Cause::pages_away}, Cause::pages_away, 1},
        {{Cause::gate_fails, Cause::refusal, Cause::gate_away}, Cause::gate_away, 1},
        {{Cause::gate_fails, Cause::pages_fail, Cause::database}, Cause::database, 1},
        {{Cause::open_server, Cause::names, Cause::modules, Cause::authorization},
         Cause::modules,
         1},
        {{Cause::web_server, Cause::modules}, Cause::modules, 1},
        {{Cause::web_server, Cause::certificate, Cause::mount}, Cause::web_server, 1},
        {{Cause::challenge, Cause::configuration, Cause::mount}, Cause::configuration, 1},
        {{Cause::challenge, Cause::open_server}, Cause::open_server, 1},
        {{Cause::body, Cause::preflight}, Cause::body, 2},
        {{Cause::mount, Cause::cached, Cause::authorization}, Cause::cached, 1},
        {{Cause::pages_fail, Cause::gate_away}, Cause::gate_away, 2},
        {{Cause::clock, Cause::modules}, Cause::modules, 1},
        {{Cause::nobody, Cause::pages_away}, Cause::pages_away, 2},
        {{Cause::other, Cause::other}, Cause::other, 2},
    };
    for (const auto& row : table) {
        std::vector<Finding> findings{{Verdict::ok, "this is well"}};
        for (const auto cause : row.found) findings.push_back(broken(cause));
        const auto ordered = app::put_in_order(findings);
        BOOST_TEST((ordered.front().cause == row.first), static_cast<int>(row.first));
        BOOST_TEST(app::count_causes(ordered) == row.causes, static_cast<int>(row.first));
        BOOST_TEST(ordered.size() == findings.size());
        BOOST_TEST((ordered.back().verdict == Verdict::ok));
    }
}

BOOST_AUTO_TEST_CASE(two_open_servers_are_two_causes_and_one_found_twice_is_one, *label("XF3")) {
    BOOST_TEST(
        app::count_causes(app::put_in_order(
            {broken(Cause::open_server, "https://h/a"), broken(Cause::open_server, "https://h/b"),
             broken(Cause::open_server, "https://h/a")})) == 2U);
    // A note that a broken thing explains is no advice of its own.
    auto note = broken(Cause::refusal);
    note.verdict = Verdict::note;
    const auto ordered = app::put_in_order({note, broken(Cause::gate_away)});
    BOOST_TEST(ordered.back().follows);
    BOOST_TEST(!app::put_in_order({note}).front().follows);
}

BOOST_AUTO_TEST_CASE(files_must_be_the_services_to_use_and_nobody_elses_to_read, *label("XF3")) {
    const sys::Account service{.name = "consentgate", .id = 900, .groups = {900}};
    const auto facts = [](unsigned mode, unsigned owner) {
        return sys::FileFacts{
            .path = "/var/lib/consentgate/db", .exists = true, .mode = mode, .owner = owner};
    };
    const auto verdict = [&](unsigned mode, unsigned owner, unsigned folder_mode, bool written) {
        auto folder = facts(folder_mode, 900);
        folder.path = "/var/lib/consentgate";
        return app::check_usable({"the database", facts(mode, owner), folder, written}, service);
    };
    BOOST_TEST((verdict(0600, 900, 0700, true).verdict == Verdict::ok));
    const auto root_made = verdict(0600, 0, 0700, true);
    BOOST_TEST((root_made.verdict == Verdict::broken));
    BOOST_TEST((root_made.cause == Cause::files));
    BOOST_TEST(root_made.fix == "chown consentgate: /var/lib/consentgate/db");
    // SQLite's files beside it are then another's, too.
    const auto family = app::check_usable(
        {.what = "the database",
         .file = facts(0600, 0),
         .folder = facts(0700, 900),
         .written = true,
         .family = "/var/lib/consentgate/db*"},
        service);
    BOOST_TEST(family.fix == "chown consentgate: /var/lib/consentgate/db*");
    BOOST_TEST((verdict(0400, 900, 0700, false).verdict == Verdict::ok));
    BOOST_TEST((verdict(0400, 900, 0700, true).verdict == Verdict::broken));
    const auto shut = verdict(0600, 900, 0500, true);
    BOOST_TEST(holds(shut.what, "may not write /var/lib/consentgate (mode 0500)"));
    BOOST_TEST((verdict(0600, 900, 0500, false).verdict == Verdict::ok));
    const auto open = app::check_mode({"the key file", facts(0640, 900), {}, false});
    BOOST_TEST((open.verdict == Verdict::broken));
    BOOST_TEST(open.fix == "chmod 600 /var/lib/consentgate/db");
}

BOOST_AUTO_TEST_CASE(doors_that_nobody_answers_or_that_are_shut_are_one_cause, *label("XF3")) {
    using sys::Listening;
    const auto door = [](bool gate, Listening listening) {
        return app::NamedDoor{
            .gate = gate, .address = "/run/x.sock", .where = "/etc/f:7", .listening = listening};
    };
    const auto first = [](const std::vector<app::NamedDoor>& doors) {
        return app::put_in_order(app::check_doors(doors)).front();
    };
    BOOST_TEST(
        (first({door(false, Listening::yes), door(true, Listening::yes)}).verdict == Verdict::ok));
    BOOST_TEST((first({door(false, Listening::unknown)}).verdict == Verdict::ok));
    const auto both = first({door(false, Listening::refused), door(true, Listening::missing)});
    BOOST_TEST((both.cause == Cause::programs));
    const auto gate = first({door(false, Listening::yes), door(true, Listening::refused)});
    BOOST_TEST((gate.cause == Cause::gate_away));
    BOOST_TEST(holds(gate.what, "/etc/f:7"));
    // systemd starts nothing by a pattern that it has not loaded, so the unit has its whole name.
    BOOST_TEST(gate.fix.starts_with("systemctl enable --now consentgate-gate@unix.socket;"));
    auto tcp = door(true, Listening::refused);
    tcp.address = "127.0.0.1:9008";
    BOOST_TEST(first({tcp}).fix.starts_with("systemctl enable --now consentgate-gate@tcp.socket;"));
    BOOST_TEST(both.fix.starts_with(
        "systemctl enable --now consentgate.socket consentgate-gate@unix.socket;"));
    auto shut = door(false, Listening::yes);
    shut.web_user = "www-data";
    shut.shut = {.path = "/run/x.sock", .exists = true, .mode = 0600};
    BOOST_TEST((first({shut}).cause == Cause::pages_away));
    BOOST_TEST(holds(first({shut}).what, "www-data may not use /run/x.sock (mode 0600)"));
    BOOST_TEST(holds(first({shut}).fix, "SocketGroup=www-data"));
    shut.shut.path = "/run/folder";
    BOOST_TEST(first({shut}).fix == "chmod o+x /run/folder");
}

BOOST_AUTO_TEST_CASE(a_server_behind_is_reached_by_way_of_the_web_server_alone, *label("XF3")) {
    const std::string loopback("\x7f\0\0\1", 4), everywhere(4, '\0'), inside("\x0a\0\0\1", 4),
        outside("\x08\x08\x08\x08", 4);
    const auto verdict = [&](const std::string& listens_at, const std::vector<std::string>& own,
                             const std::string& url = "http://127.0.0.1:3001/mcp") {
        return app::check_reachable_past(
                   {.url = url, .where = "/etc/f:1", .path = "/mcp"}, {{listens_at, 3001}}, own)
            .verdict;
    };
    BOOST_TEST((verdict(loopback, {outside}) == Verdict::ok));
    BOOST_TEST((verdict(everywhere, {loopback, inside}) == Verdict::note));
    BOOST_TEST((verdict(everywhere, {loopback, outside}) == Verdict::broken));
    BOOST_TEST((verdict(inside, {}) == Verdict::note));
    BOOST_TEST((verdict(outside, {}) == Verdict::broken));
    BOOST_TEST((verdict(everywhere, {outside}, "http://127.0.0.1:3002/") == Verdict::ok));
    BOOST_TEST((verdict(everywhere, {outside}, "https://mcp.notion.com:3001/") == Verdict::ok));
    const app::ServerBehind server{.url = "http://127.0.0.1:3001", .where = "f:1", .path = "/mcp"};
    BOOST_TEST(
        (app::check_server_listens(server, sys::Listening::refused).verdict == Verdict::broken));
    BOOST_TEST((app::check_server_listens(server, sys::Listening::unknown).verdict == Verdict::ok));
}

BOOST_AUTO_TEST_CASE(nginx_files_tell_sockets_servers_and_what_is_not_guarded, *label("XF3")) {
    const auto front = understood(FrontKind::nginx, nginx_files);
    const app::NamedSocket pages{"/run/consentgate/consentgate.sock", "/etc/nginx/sites/site:3"};
    const app::NamedSocket gate{"/run/consentgate/gate.sock", "/etc/nginx/sites/site:5"};
    BOOST_TEST((front.pages == std::vector{pages}));
    BOOST_TEST((front.gates == std::vector{gate}));
    BOOST_TEST(front.user == "www-data");
    BOOST_REQUIRE(front.passed.size() == 2U);
    BOOST_TEST(front.passed[0].guarded);
    BOOST_TEST(front.passed[0].path == "/mcp");
    BOOST_TEST(!front.passed[1].guarded);
    BOOST_TEST(
        app::suspect_line(broken(Cause::open_server, "https://h/mcp"), front) ==
        "/etc/nginx/sites/site:8: `proxy_pass http://127.0.0.1:3001`");
    BOOST_TEST(app::suspect_line(broken(Cause::names), front).empty());
    BOOST_TEST(app::check_modules(front).empty());
}

BOOST_AUTO_TEST_CASE(lighttpd_modules_count_at_the_top_level_and_in_their_order, *label("XF3")) {
    const std::string ours = "var.consentgate_socket = \"/run/c.sock\"\n"
                             "var.consentgate_gate = \"/run/g.sock\"\n";
    const auto found = [&](const std::string& text) {
        return app::check_modules(understood(FrontKind::lighttpd, {{"/etc/l.conf", ours + text}}));
    };
    BOOST_TEST(
        found("server.modules += ( \"mod_fastcgi\", \"mod_magnet\", \"mod_proxy\" )\n").empty());
    BOOST_TEST(
        found("global {\nserver.modules += ( \"mod_fastcgi\",\n \"mod_magnet\", \"mod_proxy\" "
              ")\n}\n")
            .empty());
    const auto late = found("server.modules = ( \"mod_proxy\" )\n"
                            "server.modules += ( \"mod_fastcgi\", \"mod_magnet\" )\n");
    BOOST_REQUIRE(late.size() == 1U);
    BOOST_TEST(holds(late[0].what, "mod_proxy before mod_fastcgi (/etc/l.conf:3)"));
    // As modules.conf has it: ours come before what the site has loaded.
    BOOST_TEST(found("server.modules = (\"mod_access\",\"mod_proxy\")\nglobal {\n"
                     "server.modules += ( \"mod_proxy\" )\n"
                     "server.modules := ( \"mod_fastcgi\", \"mod_magnet\" ) + server.modules\n}\n")
                   .empty());
    BOOST_TEST(
        found("server.modules = ( \"mod_proxy\" )\n"
              "server.modules := server.modules + ( \"mod_fastcgi\", \"mod_magnet\" )\n")
            .size() == 1U);
    BOOST_TEST(holds(
        found("server.modules = ( \"mod_proxy\" )\n"
              "server.modules := ( \"mod_fastcgi\", \"mod_magnet\" )\n")
            .at(0)
            .what,
        "does not load mod_proxy"));
    const auto ignored =
        found("$HTTP[\"host\"] == \"h\" {\n  server.modules += ( \"mod_fastcgi\", \"mod_magnet\", "
              "\"mod_proxy\" )\n}\n");
    BOOST_REQUIRE(ignored.size() == 1U);
    BOOST_TEST(holds(ignored[0].fix, "/etc/l.conf:4: load the modules at the top level"));
    BOOST_TEST(holds(
        found("server.modules += ( \"mod_fastcgi\", \"mod_proxy\" )\n").at(0).what, "mod_magnet"));
    BOOST_TEST(app::check_modules(understood(FrontKind::lighttpd, {{"/etc/l.conf", ""}})).empty());
}

BOOST_AUTO_TEST_CASE(lighttpd_blocks_tell_which_server_is_guarded, *label("XF3")) {
    const auto front = understood(
        FrontKind::lighttpd,
        {{"/etc/l.conf",
          "$HTTP[\"url\"] =~ \"^/mcp(/|$)\" {\n"
          "  fastcgi.server = ( \"/\" => (( \"socket\" => var.g, \"mode\" => \"authorizer\" )) )\n"
          "  proxy.server = ( \"/\" => (( \"host\" => \"127.0.0.1\", \"port\" => 3001 )) )\n}\n"
          "proxy.server = ( \"/open\" => (( \"host\" => \"127.0.0.1\", \"port\" => 3002 )) )\n"}});
    BOOST_REQUIRE(front.passed.size() == 2U);
    BOOST_TEST(front.passed[0].guarded);
    BOOST_TEST(front.passed[0].path == "/mcp");
    BOOST_TEST(front.passed[0].url == "http://127.0.0.1:3001");
    BOOST_TEST(!front.passed[1].guarded);
    BOOST_TEST(front.passed[1].path == "/open");
    BOOST_TEST(front.passed[1].where == "/etc/l.conf:5");
}

BOOST_AUTO_TEST_CASE(apache_files_tell_modules_and_a_pass_beside_the_guard, *label("XF3")) {
    Files files{
        {"/etc/apache2/apache2.conf",
         "User ${APACHE_RUN_USER}\nInclude site.conf\n"
         "LoadModule proxy_module m.so\nLoadModule proxy_fcgi_module m.so\n"
         "LoadModule proxy_http_module m.so\nLoadModule authnz_fcgi_module m.so\n"
         "LoadModule headers_module m.so\nLoadModule macro_module m.so\n"},
        {"/etc/apache2/site.conf",
         "Define consentgate_socket /run/c.sock\n"
         "<Macro ConsentgateProtect $path $server>\n  <Location \"$path\">\n"
         "    ProxyPass \"$server\"\n  </Location>\n</Macro>\n"
         "<VirtualHost *:443>\n"
         "  ProxyPass /oauth/ \"unix:${consentgate_socket}|fcgi://consentgate-pages/oauth/\"\n"
         "  AuthnzFcgiDefineProvider authn consentgate fcgi://127.0.0.1:9008/\n"
         "  Use ConsentgateProtect /mcp \\\n    http://127.0.0.1:3001/mcp\n"
         "  ProxyPass /other http://127.0.0.1:3002/other\n"
         "  # ProxyPass /mcp http://127.0.0.1:3001\n</VirtualHost>\n"}};
    auto front = understood(FrontKind::apache, files);
    BOOST_TEST(
        (front.pages == std::vector{app::NamedSocket{"/run/c.sock", "/etc/apache2/site.conf:1"}}));
    BOOST_TEST(front.gates.at(0).address == "127.0.0.1:9008");
    BOOST_TEST(front.user == "www-data");
    BOOST_REQUIRE(front.passed.size() == 2U);
    BOOST_TEST(front.passed[0].url == "http://127.0.0.1:3001/mcp");
    BOOST_TEST(front.passed[0].where == "/etc/apache2/site.conf:10");
    BOOST_TEST(
        app::suspect_line(broken(Cause::open_server, "https://h/other"), front) ==
        "/etc/apache2/site.conf:12: `ProxyPass /other http://127.0.0.1:3002/other`");
    BOOST_TEST(app::check_modules(front).empty());
    auto& text = files.begin()->second;
    text.erase(text.find("LoadModule headers_module m.so\n"), 31);
    const auto missing = app::check_modules(understood(FrontKind::apache, files));
    BOOST_REQUIRE(missing.size() == 1U);
    BOOST_TEST(missing[0].fix == "a2enmod headers && systemctl restart apache2");
}

BOOST_AUTO_TEST_CASE(a_remedy_is_for_the_web_server_that_is_there, *label("XF3")) {
    const std::string fix = "change it. Apache: `A`, or B; lighttpd: `L`; nginx: `N;`";
    BOOST_TEST(app::fix_for(fix, FrontKind::apache) == "change it. `A`, or B");
    BOOST_TEST(app::fix_for(fix, FrontKind::lighttpd) == "change it. `L`");
    BOOST_TEST(app::fix_for(fix, FrontKind::nginx) == "change it. `N;`");
    BOOST_TEST(app::fix_for(fix, FrontKind::unknown) == fix);
    BOOST_TEST(app::fix_for("for all", FrontKind::nginx) == "for all");
}

BOOST_AUTO_TEST_SUITE_END()
