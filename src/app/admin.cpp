#include "admin.h"

#include "consentgate/app/composition.h"
#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"

#include <Poco/DateTimeFormatter.h>
#include <Poco/LocalDateTime.h>
#include <Poco/String.h>

#include <algorithm>
#include <iostream>

namespace consentgate::app::admin {

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

Cell yes_no(bool value) { return {value ? "yes" : "no", value}; }

Cell when(std::optional<core::Instant> at) {
    if (!at) return {"never", core::Json()};
    const Poco::LocalDateTime local(
        Poco::DateTime(Poco::Timestamp::fromEpochTime(core::epoch(*at))));
    return {Poco::DateTimeFormatter::format(local, "%Y-%m-%d %H:%M"), core::epoch(*at)};
}

Cell list_of(const std::vector<std::string>& values, const std::string& none) {
    return {values.empty() ? none : core::join(values, " "), core::json_array(values)};
}

void print(const core::JsonObject& object) { std::cout << core::json_string(object) << "\n"; }

void print(const Table& table, bool json) {
    if (json) {
        core::JsonArray array;
        for (const auto& row : table.rows) {
            core::JsonObject object;
            for (std::size_t i = 0; i < row.size(); ++i) object.set(table.columns[i], row[i].value);
            array.push_back(std::move(object));
        }
        std::cout << core::json_string(array) << "\n";
        return;
    }
    std::vector<std::size_t> widths;
    for (const auto& column : table.columns) widths.push_back(column.size());
    for (const auto& row : table.rows) {
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], core::count_characters(row[i].shown));
    }
    const auto line = [&](const std::vector<std::string>& cells) {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            std::cout << cells[i];
            if (i + 1 < cells.size())
                std::cout << std::string(widths[i] + 2 - core::count_characters(cells[i]), ' ');
        }
        std::cout << "\n";
    };
    std::vector<std::string> heads;
    for (const auto& column : table.columns)
        heads.push_back(Poco::replace(Poco::toUpper(column), "_", " "));
    line(heads);
    for (const auto& row : table.rows) {
        std::vector<std::string> cells;
        for (const auto& cell : row) cells.push_back(cell.shown);
        line(cells);
    }
}

void print_one(const std::vector<std::pair<std::string, Cell>>& facts, bool json) {
    std::size_t width = 0;
    core::JsonObject object;
    for (const auto& [name, cell] : facts) {
        width = std::max(width, name.size());
        object.set(name, cell.value);
    }
    if (json) return print(object);
    for (const auto& [name, cell] : facts)
        std::cout << Poco::replace(name, "_", " ") << std::string(width + 2 - name.size(), ' ')
                  << cell.shown << "\n";
}

} // namespace consentgate::app::admin
