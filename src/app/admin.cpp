#include "admin.h"

#include "near_words.h"

#include "consentgate/app/composition.h"
#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"
#include "consentgate/store/open.h"
#include "consentgate/sys/http_client.h"
#include "consentgate/sys/key_file.h"

#include <Poco/DateTimeFormatter.h>
#include <Poco/LocalDateTime.h>
#include <Poco/NumberParser.h>
#include <Poco/String.h>

#include <unistd.h>

#include <algorithm>
#include <iostream>

namespace consentgate::app::admin {
namespace {

// The members of a row; those of nested objects belong to a cell.
std::vector<std::string> columns_of(const Command& command, const std::size_t cells) {
    std::vector<std::string> columns;
    for (const auto& member : command.json) {
        if (member.find('.') == std::string::npos) columns.push_back(member);
    }
    if (columns.size() != cells)
        throw std::logic_error(command.name + " prints other members than it declares");
    return columns;
}

core::JsonObject object_of(const std::vector<std::string>& columns, const Row& row) {
    core::JsonObject object;
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (row[i]) object.set(columns[i], row[i]->value);
    }
    return object;
}

void print_lines(const std::vector<std::vector<std::string>>& lines) {
    std::vector<std::size_t> widths(lines.front().size());
    for (const auto& line : lines) {
        for (std::size_t i = 0; i < line.size(); ++i)
            widths[i] = std::max(widths[i], core::count_characters(line[i]));
    }
    for (const auto& line : lines) {
        for (std::size_t i = 0; i < line.size(); ++i) {
            std::cout << line[i];
            if (i + 1 < line.size())
                std::cout << std::string(widths[i] + 2 - core::count_characters(line[i]), ' ');
        }
        std::cout << "\n";
    }
}

} // namespace

std::optional<std::string> Arguments::one(const std::string& name) const {
    const auto found = options.find(name);
    if (found == options.end()) return std::nullopt;
    if (found->second.size() > 1) throw UsageError("--" + name + " was given more than once");
    return found->second.front();
}

std::vector<std::string> Arguments::all(const std::string& name) const {
    const auto found = options.find(name);
    return found == options.end() ? std::vector<std::string>{} : found->second;
}

Context::Context(std::string config_path) : config_path_(std::move(config_path)) {}

Context::~Context() = default;

const Config& Context::config() {
    if (!config_) {
        config_ = read_config(config_path_);
        read_database_password(*config_);
    }
    return *config_;
}

store::Store& Context::store() {
    if (!store_) store_ = store::open_store(config().store);
    return *store_;
}

const core::Keyring& Context::keyring() {
    if (!keyring_) keyring_.emplace(sys::read_key_file(config().key_file));
    return *keyring_;
}

void Context::reread_keyring() { keyring_.emplace(sys::read_key_file(config().key_file)); }

sys::HttpClient& Context::http() {
    if (!http_) http_ = std::make_unique<sys::PocoHttpClient>(config().service_http);
    return *http_;
}

usecase::Dependencies Context::make_deps(const core::Keyring& keyring) {
    return {
        .store = store(),
        .random = random_,
        .clock = clock,
        .log = log,
        .policy = config().policy,
        .keyring = keyring,
        .bearers = no_bearers_};
}

usecase::Dependencies& Context::deps() {
    if (!deps_) deps_.emplace(make_deps(no_keys_));
    return *deps_;
}

usecase::Dependencies& Context::key_deps() {
    if (!key_deps_) key_deps_.emplace(make_deps(keyring()));
    return *key_deps_;
}

usecase::Dependencies& Context::service_deps() {
    if (!service_deps_) {
        service_deps_.emplace(make_deps(keyring()));
        service_deps_->web = &http();
    }
    return *service_deps_;
}

void confirm(
    const Arguments& arguments, const std::string& question, const std::string& loss,
    const std::string& word) {
    if (arguments.has("yes")) return;
    if (::isatty(STDIN_FILENO) == 0)
        throw UsageError(arguments.command->name + " " + loss + "; say --yes");
    std::cerr << question << " Type " << word << ": ";
    std::string answer;
    std::getline(std::cin, answer);
    if (core::trim(answer) != word) throw std::runtime_error("nothing was done");
}

void require_known(
    const std::string& what, const std::string& name, const std::vector<std::string>& known,
    const std::string& list_command) {
    if (std::find(known.begin(), known.end(), name) != known.end()) return;
    throw UsageError(
        "there is no " + what + " '" + name + "'" + did_you_mean(name, known) +
        (list_command.empty() ? "" : "; see consentgate-admin " + list_command));
}

std::optional<int> number_option(const Arguments& arguments, const std::string& name, int most) {
    const auto text = arguments.one(name);
    if (!text) return std::nullopt;
    int number = 0;
    if (!Poco::NumberParser::tryParse(*text, number) || number < 1 || number > most)
        throw UsageError("--" + name + " takes a number from 1 to " + std::to_string(most));
    return number;
}

Cell yes_no(bool value) { return {value ? "yes" : "no", value}; }

Cell number(std::size_t count) { return {std::to_string(count), static_cast<std::int64_t>(count)}; }

Cell when(std::optional<core::Instant> at) {
    if (!at) return {"never", nullptr};
    const Poco::LocalDateTime local(
        Poco::DateTime(Poco::Timestamp::fromEpochTime(core::epoch(*at))));
    return {Poco::DateTimeFormatter::format(local, "%Y-%m-%d %H:%M"), core::epoch(*at)};
}

Cell list_of(const std::vector<std::string>& values, const std::string& none) {
    return {values.empty() ? none : core::join(values, " "), core::json_array(values)};
}

void print_rows(const Arguments& arguments, const std::vector<Row>& rows) {
    const auto columns = columns_of(
        *arguments.command, rows.empty() ? arguments.command->json.size() : rows.front().size());
    if (arguments.has("json")) {
        core::JsonArray array;
        for (const auto& row : rows) array.emplace_back(object_of(columns, row));
        std::cout << core::json_string(array) << "\n";
        return;
    }
    std::vector<std::vector<std::string>> lines(1);
    for (const auto& column : columns)
        lines.front().push_back(Poco::replace(Poco::toUpper(column), "_", " "));
    for (const auto& row : rows) {
        auto& line = lines.emplace_back();
        for (const auto& cell : row) line.push_back(cell ? cell->shown : "");
    }
    print_lines(lines);
    if (rows.empty()) std::cerr << "There are none.\n";
}

void print_row(const Arguments& arguments, const Row& row) {
    const auto columns = columns_of(*arguments.command, row.size());
    if (arguments.has("json")) {
        std::cout << core::json_string(object_of(columns, row)) << "\n";
        return;
    }
    std::size_t width = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (row[i]) width = std::max(width, columns[i].size());
    }
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (!row[i]) continue;
        std::cout << Poco::replace(columns[i], "_", " ")
                  << std::string(width + 2 - columns[i].size(), ' ') << row[i]->shown << "\n";
    }
}

} // namespace consentgate::app::admin
