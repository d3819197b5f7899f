// consentgate-admin: its commands, how they are read, how they print. Private to this module.
#pragma once

#include "consentgate/app/config.h"
#include "consentgate/core/base/time.h"
#include "consentgate/store/store.h"

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
    std::string value; // what its value is called; empty: a switch
    std::string meaning;
};

struct Arguments {
    std::vector<std::string> words;                          // after the command's own
    std::map<std::string, std::vector<std::string>> options; // as often as given; switches hold ""

    bool has(const std::string& name) const { return options.contains(name); }
    std::optional<std::string> one(const std::string& name) const;
    std::vector<std::string> all(const std::string& name) const;
};

// What a command works with. The configuration is read, and the database opened, when a command
// first asks.
class Context {
public:
    Context(std::string config_path, core::Instant at)
        : now(at), config_path_(std::move(config_path)) {}

    const Config& config();
    store::Store& store();
    const core::Instant now;

private:
    std::string config_path_;
    std::optional<Config> config_;
    std::unique_ptr<store::Store> store_;
};

struct Command {
    std::string name;    // "key add"
    std::string operand; // what follows it, e.g. "NAME"; empty: nothing
    std::string summary;
    std::string example;
    std::vector<Option> options;
    int (*run)(Context&, const Arguments&);
};

std::vector<Command> key_commands();
std::vector<Command> client_commands();
std::vector<Command> resource_commands();
std::vector<Command> service_commands();
std::vector<Command> database_commands();
std::vector<Command> transfer_commands();
std::vector<Command> server_key_commands();
std::vector<Command> doctor_commands();

// One cell of a table: what a person reads, and what a program gets.
struct Cell {
    std::string shown;
    core::Json value;

    Cell(const char* text) : Cell(std::string(text)) {}
    Cell(std::string text) : shown(text), value(std::move(text)) {}
    Cell(std::string text, core::Json json) : shown(std::move(text)), value(std::move(json)) {}
};
Cell yes_no(bool value); // "yes"; true
Cell when(std::optional<core::Instant>
              at); // "2026-11-23 14:05", local; seconds since the epoch. "never"; null
Cell list_of(
    const std::vector<std::string>& values, const std::string& none); // blanks between; an array

// A table with aligned columns on stdout, or the same rows as a JSON array. Cells of one row in the
// order of `columns`.
struct Table {
    std::vector<std::string> columns; // JSON member names; printed in capitals
    std::vector<std::vector<Cell>> rows;
};
void print(const Table& table, bool json);
void print_one(
    const std::vector<std::pair<std::string, Cell>>& facts,
    bool json);                             // one thing: a line for each fact
void print(const core::JsonObject& object); // one line of JSON

} // namespace consentgate::app::admin
