// consentgate-admin: its commands, how a command line is read, how results are printed. Private to
// this module.
//
// Written by hand: the command line has two levels, options with and without values, and a help
// text from which the manual, the shell completion and the list of names are generated. Poco's
// OptionsProcessor knows neither commands nor JSON members, and would leave more code than it
// saves.
#pragma once

#include "consentgate/app/config.h"
#include "consentgate/app/doctor.h"
#include "consentgate/core/base/json.h"
#include "consentgate/core/base/keyring.h"
#include "consentgate/core/base/time.h"
#include "consentgate/core/oauth/scope.h"
#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/usecase/dependencies.h"

#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace consentgate::app::admin {

// The command line was wrong: exit status 2. Everything else that fails is 1.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct Option {
    std::string name;  // without the dashes
    std::string value; // what its value is called; empty: a switch; "ID...": it may be repeated
    std::string meaning;

    bool repeated() const { return value.ends_with("..."); }
};

struct Command;

struct Arguments {
    const Command* command = nullptr;
    std::vector<std::string> words{}; // after the command's own
    std::map<std::string, std::vector<std::string>>
        options{}; // as often as given; switches hold ""

    bool has(const std::string& name) const { return options.contains(name); }
    std::optional<std::string> one(const std::string& name) const;
    std::vector<std::string> all(const std::string& name) const;
};

// The configuration, database and clients of one command. Configuration, key file, database and
// HTTP client are opened when a command first asks, because most commands need only some of them.
class Context {
public:
    explicit Context(std::string config_path);
    ~Context();

    const Config& config();
    const std::string& config_path() const { return config_path_; }
    store::Store& store();
    const core::Keyring& keyring();
    // The key file was changed: reads it again, for what has the keyring already too.
    void reread_keyring();
    sys::Random& random() { return random_; }
    sys::HttpClient& http();
    // Without keys and without a way to services: works although the key file is lost.
    usecase::Dependencies& deps();
    // The same with the key file.
    usecase::Dependencies& key_deps();
    // The same with the HTTP client too, to register at services and to revoke there.
    usecase::Dependencies& service_deps();

    const sys::SystemClock clock{};
    sys::Log log{};
    const core::Instant now = clock.now(); // when the command began

private:
    std::string config_path_;
    std::optional<Config> config_;
    std::unique_ptr<store::Store> store_;
    std::optional<core::Keyring> keyring_;
    std::unique_ptr<sys::HttpClient> http_;
    sys::OsRandom random_;
    const core::Keyring no_keys_{{}};
    const core::BearerVerifier no_bearers_{{}, "", ""};
    usecase::Dependencies make_deps(const core::Keyring& keyring);

    std::optional<usecase::Dependencies> deps_, key_deps_, service_deps_;
};

struct Command {
    std::string name; // "key add"
    // The words that follow it, for example "NAME"; "[NAME]" when an operator may leave it out;
    // "WHO..." when there may be more; empty: none.
    std::string operand{};
    std::string summary;
    std::string example;
    std::vector<Option> options{};
    // The members that it prints with --json, in order; "left.id" is a member of the objects in
    // "left". Empty: it has no --json.
    std::vector<std::string> json{};
    // Whether its use is written into the log. A command that only reads says no, so that one which
    // forgets to say anything is recorded.
    bool audited = true;
    // Whether root runs it with root's rights. Every other command works as the user whom the key
    // file's folder belongs to, unless it takes a FILE, which may be root's.
    bool as_root = false;
    // Whether it ends something for good: it asks before, by confirm(), and has --yes.
    bool destroys = false;
    int (*run)(Context&, const Arguments&);
};

std::vector<Command> virtual_key_commands();
std::vector<Command> client_commands();
std::vector<Command> session_commands();
std::vector<Command> resource_commands();
std::vector<Command> service_commands();
std::vector<Command> idp_commands();
std::vector<Command> database_commands();
std::vector<Command> transfer_commands();
std::vector<Command> backup_commands();
std::vector<Command> server_key_commands();
std::vector<Command> access_commands();
std::vector<Command> team_commands();
std::vector<Command> user_commands();
std::vector<Command> call_log_commands();
std::vector<Command> doctor_commands();
std::vector<Command> setup_commands();
std::vector<Command> all_commands();

// The options of a command, with those that commands of its kind have (--json where it prints JSON,
// --yes where it destroys, --config).
std::vector<Option> options_of(const Command& command);

// in:   line  of words; the first may be an old name, which is replaced. notice: takes the notice
// out:  null when nothing stands there, or the first word of commands alone
// fail: throws UsageError: there is no such command; it names the near ones
const Command* find_command(
    const std::vector<Command>& commands, std::vector<std::string>& line, std::string& notice);

// in:   line  as find_command left it
// fail: throws UsageError
Arguments read_arguments(const Command& command, std::vector<std::string> line);

// in: noun  the first word of the commands to list; empty, or no such word: all
std::string overview(const std::string& noun);
std::string help(const Command& command);

// Asks the operator on a terminal; elsewhere --yes must be there.
// in:   question  like "Remove notion and all accounts linked there?"
//       loss      what the command does that cannot be undone, like "deletes all accounts"
//       word      that the operator types for a yes
// fail: throws UsageError without a terminal and --yes; std::runtime_error at another answer
void confirm(
    const Arguments& arguments, const std::string& question, const std::string& loss,
    const std::string& word = "yes");

// A use-case that fails by `not_found` throws its message, followed by the command that lists what
// there is.
template <class Result> void require_found(const Result& result, const std::string& list_command) {
    if (!result)
        throw std::runtime_error(
            result.error().message + "; see consentgate-admin " + list_command);
}

// Refuses a name that does not exist, and says which ones are near.
// in:   list_command  that shows the names; empty: none does
// fail: throws UsageError
void require_known(
    const std::string& what, const std::string& name, const std::vector<std::string>& known,
    const std::string& list_command);

// Names of scopes separated by blanks, as --scopes takes them.
// fail: throws UsageError: the configuration lacks one of them
core::ScopeSet read_scopes(Context& context, const std::string& text);

// A number from 1 to `most` that an option gives.
// fail: throws UsageError
std::optional<int> number_option(const Arguments& arguments, const std::string& name, int most);

// The secret that --client-secret-file names: of a file, or the standard input, because every user
// of the machine can read a command line. Empty: it is not given.
// fail: throws UsageError
core::Secret read_client_secret(const Arguments& arguments);
// "2027-11-28", as its beginning in UTC; absent: it is no day.
std::optional<core::Instant> read_day(const std::string& text);

// Whether the web server tells the gate what became of calls.
Finding find_call_log(Context& context, const std::vector<core::GuardedResource>& resources);
// Whether people can sign in at the identity providers. in: base  as the doctor asks the web server
std::vector<Finding> find_idps(Context& context, const std::string& base);
// Whether the servers behind get the keys that verify our assertions. fail: throws where the key
// file cannot be read
Finding find_key_set(Context& context, const std::string& base);
// Whether it names the groups that rules name. Empty: no rule does.
std::vector<Finding> find_groups(Context& context, const core::IdentityProvider& idp);

// One cell of a table: what a person reads, and what a program gets.
struct Cell {
    std::string shown;
    core::Json value;

    Cell(const char* text) : Cell(std::string(text)) {}
    Cell(std::string text) : shown(text), value(std::move(text)) {}
    Cell(std::string text, core::Json json) : shown(std::move(text)), value(std::move(json)) {}
};
Cell yes_no(bool value); // "yes"; true
Cell number(std::size_t count);
// "2026-11-23 14:05", local; seconds since the epoch. "never"; null
Cell when(std::optional<core::Instant> at);
// blanks between; an array
Cell list_of(const std::vector<std::string>& values, const std::string& none);

// The cells of one thing, in the order of the command's JSON members. An absent cell is left out.
using Row = std::vector<std::optional<Cell>>;

// A table with aligned columns on stdout; with --json the same rows as an array.
void print_rows(const Arguments& arguments, const std::vector<Row>& rows);
// A line for each cell; with --json one object.
void print_row(const Arguments& arguments, const Row& row);

} // namespace consentgate::app::admin
