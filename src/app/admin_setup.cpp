// `consentgate-admin setup`: from an installed package to a guarded MCP server behind the web
// server that is there. It shows what it would do, does it after a yes, and ends with the
// doctor.
#include "admin.h"
#include "machine.h"
#include "setup_plan.h"

#include "consentgate/core/base/text.h"
#include "consentgate/sys/http_client.h"
#include "consentgate/usecase/admission.h"

#include <Poco/Environment.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/RegularExpression.h>

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <set>
#include <thread>

namespace consentgate::app::admin {
namespace {

std::string read_who(const Arguments& arguments) {
    const auto words = core::split(arguments.one("who").value_or(""), ' ');
    for (const auto& word : words) {
        if (word == "verified_user")
            throw UsageError(
                "--who cannot make the web server sign people in; docs/operating.md says how you "
                "do it (Verified users)");
        require_known("kind of people", word, {"virtual_key", "user_id", "skipped", "any"}, "");
    }
    return core::join(words, " ");
}

Wish read_wish(const Arguments& arguments) {
    const auto& name = arguments.words.front();
    const auto server = web_server_of(name);
    if (!server) require_known("web server", name, {"apache", "lighttpd", "nginx"}, "");
    const auto host = arguments.one("host");
    if (!host)
        throw UsageError("setup needs --host, the name of your site, like tools.example.org");
    const Poco::RegularExpression shape("^[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*(:[0-9]{1,5})?$");
    if (!shape.match(*host))
        throw UsageError("--host takes a name like tools.example.org, and not '" + *host + "'");
    Wish wish{.server_name = name, .server = *server};
    wish.origin = "https://" + core::lower_ascii(*host);
    wish.host = core::lower_ascii(host->substr(0, host->find(':')));
    wish.who = read_who(arguments);
    try {
        for (const auto& text : arguments.all("protect"))
            wish.servers.push_back(read_protected(wish.server, text));
    } catch (const std::runtime_error& error) {
        throw UsageError(error.what());
    }
    std::set<std::string> paths;
    for (const auto& one : wish.servers)
        if (!paths.insert(one.path).second)
            throw UsageError("--protect names " + one.path + " more than once");
    if (wish.servers.empty())
        throw UsageError("setup needs --protect, like --protect /mcp=http://127.0.0.1:3001/mcp");
    return wish;
}

// fail: throws UsageError: nobody can be asked, and --yes was not said
bool is_agreed(const Arguments& arguments) {
    if (arguments.has("yes")) return true;
    if (::isatty(STDIN_FILENO) == 0)
        throw UsageError("nothing was changed: say --yes, or run setup at a terminal");
    std::cerr << "\nDo all of this? [y/N] ";
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

std::string own_program() { return std::filesystem::canonical("/proc/self/exe"); }

// fail: throws std::runtime_error with what the program said
std::string run_well(const std::vector<std::string>& words) {
    const auto ran = run_program(words);
    if (!ran.well()) throw std::runtime_error(core::join(words, " ") + " failed:\n" + ran.output);
    return ran.output;
}

std::string run_own(std::vector<std::string> words, const std::string& config_path) {
    words.insert(words.begin(), own_program());
    words.insert(words.end(), {"--config", config_path});
    return run_well(words);
}

// Our own side: it serves nobody before the web server passes something on.
void set_up_service(const Plan& plan, const std::string& config_path, ChangedFiles& files) {
    for (const auto& change : plan.configuration) files.change(change);
    if (plan.migrates) {
        for (const auto& line : core::split(run_own({"migrate"}, config_path), '\n'))
            if (!line.starts_with("applied ")) std::cerr << line << "\n";
    }
    // The secret that it prints is of use to a server which asks about tokens itself; `resource set
    // --rotate-secret` gives such a server another.
    for (const auto& url : plan.resources) run_own({"resource", "add", url}, config_path);
    if (!runs_systemd()) return;
    if (!plan.units.empty()) {
        std::vector<std::string> enable{"systemctl", "--quiet", "enable", "--now"};
        enable.insert(enable.end(), plan.units.begin(), plan.units.end());
        run_well(enable);
    }
    if (!plan.configuration.empty() || !plan.resources.empty())
        run_well(
            {"systemctl", "try-reload-or-restart", "consentgate.service",
             "consentgate-gate@*.service"});
}

std::vector<std::string> reload_of(const Front& front) {
    if (runs_systemd()) return {"systemctl", front.reload, front.service};
    return {"service", front.service, "restart"};
}

// in: reloaded  setup has reloaded the web server with the new files
// out: what has become of the web server, and where it says why
std::string take_front_back(
    const Plan& plan, const std::vector<FrontPart>& enabled, ChangedFiles& files, bool reloaded) {
    for (auto part = enabled.rbegin(); part != enabled.rend(); ++part) run_program(part->disable);
    files.take_back();
    std::string what = "The web server's files are as they were";
    if (!reloaded) return what + ".";
    const auto reload = reload_of(plan.front);
    what += run_program(reload).well()
                ? ", and it goes on with them."
                : ", but " + core::join(reload, " ") + " fails with them, too.";
    return what +
           (runs_systemd() ? " It says why: journalctl -n 20 -u " + plan.front.service
                           : " Its own log says why.") +
           "\nThen run setup again, which goes on from there.";
}

// The web server goes on with what it had unless it finds all of the new right.
void set_up_front(const Plan& plan, ChangedFiles& files) {
    std::vector<FrontPart> enabled;
    bool reloaded = false;
    try {
        for (const auto& change : plan.front_files) files.change(change);
        for (const auto& part : plan.parts) {
            run_well(part.enable);
            enabled.push_back(part);
        }
        run_well(plan.front.syntax);
        reloaded = true;
        run_well(reload_of(plan.front));
    } catch (const std::exception& error) {
        throw std::runtime_error(
            std::string(error.what()) + "\n" + take_front_back(plan, enabled, files, reloaded));
    }
}

// The findings that are to be looked at, and how many of them are broken. That nobody has been let
// in is no mistake yet.
int show_findings(const std::string& report, const std::string& entrance) {
    int broken = 0;
    bool shown = false; // the finding above
    for (const auto& line : core::split(report, '\n')) {
        if (!line.starts_with(' '))
            shown = (line.starts_with("broken: ") || line.starts_with("note: ")) &&
                    line.find(entrance) == std::string::npos;
        if (shown) std::cout << line << "\n";
        if (shown && line.starts_with("broken: ")) ++broken;
    }
    return broken;
}

// A web server that reloads answers as before for a moment, and one that restarts not at all.
void wait_for_gate(Context& context, const Wish& wish) {
    constexpr std::chrono::milliseconds pause{100}, patience{10000};
    const auto until = std::chrono::steady_clock::now() + patience;
    const auto is_guarded = [&](const ProtectedServer& server) {
        const auto url = wish.origin + server.path;
        const auto response =
            context.http().send({.purpose = sys::PlaceKind::discovery, .url = url});
        return response.status == Poco::Net::HTTPResponse::HTTP_UNAUTHORIZED;
    };
    for (const auto& server : wish.servers)
        while (!is_guarded(server) && std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(pause);
}

int finish(const Wish& wish, const std::string& config_path) {
    Context context(config_path);
    wait_for_gate(context, wish);
    const auto doctor =
        run_program({own_program(), "doctor", "--url", wish.origin, "--config", config_path});
    const auto admission = usecase::who_can_come_in(context.deps(), context.clock.now());
    const int broken = show_findings(doctor.output, admission.sentence);
    const auto url = wish.origin + wish.servers.front().path;
    const bool is_well = doctor.well() || admission.entrance == core::Entrance::nobody;
    if (broken == 0 && !is_well) std::cout << doctor.output;
    if (broken > 0 || !is_well) {
        std::cout << "\nCorrect what is broken, and run: consentgate-admin doctor\n";
        return 1;
    }
    std::cout << "The doctor finds nothing wrong. " << admission.sentence << "\n";
    if (admission.entrance == core::Entrance::nobody)
        std::cout << "Next, let somebody in: consentgate-admin key add NAME, or consentgate-admin "
                     "idp add for the accounts of your organisation.\n";
    std::cout << "Then add " << url << " to an MCP client.\n";
    return 0;
}

int setup(Context& context, const Arguments& arguments) {
    const auto wish = read_wish(arguments);
    const bool only_shows = arguments.has("dry-run");
    if (::geteuid() != 0)
        throw UsageError("setup reads and changes the web server's files: run it as root");
    Poco::Environment::set("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    const auto plan = make_plan(context, wish);
    std::cout << text_of(plan, wish) << std::flush;
    if (only_shows) return 0;
    if (!plan.empty() && !is_agreed(arguments)) {
        std::cerr << "Nothing was changed.\n";
        return 1;
    }
    const auto& config_path = context.config_path();
    const auto copies = std::filesystem::path(config_path).parent_path() / "before-setup";
    ChangedFiles ours(copies), theirs(copies);
    set_up_service(plan, config_path, ours);
    if (plan.changes_front()) set_up_front(plan, theirs);
    if (!plan.paste.empty()) {
        std::cerr << "\nThe lines above are for you to write; then: systemctl " << plan.front.reload
                  << " " << plan.front.service << "; consentgate-admin doctor\n";
        return 1;
    }
    return finish(wish, config_path);
}

} // namespace

std::vector<Command> setup_commands() {
    return {
        {.name = "setup",
         .operand = "SERVER",
         .summary = "protect MCP servers behind this machine's apache, lighttpd or nginx",
         .example = "consentgate-admin setup apache --host tools.example.org "
                    "--protect /mcp=http://127.0.0.1:3001/mcp",
         .options =
             {{"host", "NAME", "the virtual host; setup touches no other"},
              {"protect", "PATH=URL...",
               "the path for clients, and the MCP server's own address; more than once for more"},
              {"who", "WORDS",
               "who can come in, as identities of the configuration: virtual_key, user_id, skipped "
               "or any"},
              {"dry-run", "", "show what it would do"},
              {"yes", "", "do it without asking"}},
         .audited = false, // the commands that it runs are
         .as_root = true,
         .run = setup},
    };
}

} // namespace consentgate::app::admin
