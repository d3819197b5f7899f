#include "setup_texts.h"

#include "consentgate/core/base/text.h"

#include <algorithm>
#include <vector>

namespace consentgate::app {
namespace {

// A line that gives a value to the key, or would if it were no comment.
struct KeyLine {
    std::size_t begin, end; // end is before its newline
    std::string value;
    bool commented;
};

std::optional<KeyLine> key_line(
    const std::string& text, std::size_t begin, std::size_t end, const std::string& key) {
    auto line = core::trim(std::string_view(text).substr(begin, end - begin));
    const bool commented = line.starts_with('#');
    if (commented) line.remove_prefix(1);
    if (!line.starts_with(key)) return std::nullopt;
    line = core::trim(line.substr(key.size()));
    if (!line.starts_with('=') && !line.starts_with(':')) return std::nullopt;
    return KeyLine{begin, end, std::string(core::trim(line.substr(1))), commented};
}

// The last line counts, as for the program that reads it.
std::optional<KeyLine> find_key(const std::string& text, const std::string& key, bool commented) {
    std::optional<KeyLine> found;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        const auto line = key_line(text, begin, end, key);
        if (line && line->commented == commented && (!commented || !found)) found = line;
        begin = end + 1;
    }
    return found;
}

std::vector<std::string> lines_of(const std::string& text) {
    auto lines = core::split(text, '\n');
    if (!lines.empty() && lines.back().empty()) lines.pop_back();
    return lines;
}

} // namespace

std::optional<std::string> config_value(const std::string& text, const std::string& key) {
    const auto line = find_key(text, key, false);
    return line ? std::optional(line->value) : std::nullopt;
}

std::string with_config_value(
    const std::string& text, const std::string& key, const std::string& value) {
    auto line = find_key(text, key, false);
    if (!line) line = find_key(text, key, true);
    const auto written = key + " = " + value;
    if (line) return text.substr(0, line->begin) + written + text.substr(line->end);
    return text + (text.empty() || text.ends_with('\n') ? "" : "\n") + written + "\n";
}

std::string changed_lines(const std::string& before, const std::string& after) {
    const auto old = lines_of(before), now = lines_of(after);
    // same[i][j]: the most lines that the texts have in common from old[i] and now[j] on.
    std::vector same(old.size() + 1, std::vector<std::size_t>(now.size() + 1, 0));
    for (auto i = old.size(); i-- > 0;)
        for (auto j = now.size(); j-- > 0;)
            same[i][j] = old[i] == now[j] ? same[i + 1][j + 1] + 1
                                          : std::max(same[i + 1][j], same[i][j + 1]);
    std::string shown;
    for (std::size_t i = 0, j = 0; i < old.size() || j < now.size();) {
        const bool both = i < old.size() && j < now.size();
        if (both && old[i] == now[j]) {
            ++i, ++j;
        } else if (j == now.size() || (both && same[i + 1][j] >= same[i][j + 1])) {
            shown += "- " + old[i++] + "\n";
        } else {
            shown += "+ " + now[j++] + "\n";
        }
    }
    return shown;
}

} // namespace consentgate::app
