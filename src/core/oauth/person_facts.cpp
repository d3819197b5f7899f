#include "consentgate/core/oauth/person_facts.h"

#include "consentgate/core/base/text.h"

#include <algorithm>

namespace consentgate::core {
namespace {

// No functions, whose addresses the algorithms would call for each character.
constexpr auto is_plain = [](char c) {
    return c > 0x20 && c < 0x7F && c != '%' && c != '"' && c != '\\';
};
constexpr auto is_plain_in_list = [](char c) { return is_plain(c) && c != ','; };

template <class Plain> void append(std::string& out, std::string_view text, const Plain& plain) {
    if (std::all_of(text.begin(), text.end(), plain)) {
        out += text;
        return;
    }
    for (const char& c : text)
        out += plain(c) ? std::string(1, c) : percent_encode(std::string_view(&c, 1));
}

} // namespace

std::string group_list(const std::vector<std::string>& groups) {
    std::string list;
    for (const auto& group : groups) {
        if (!list.empty()) list += ',';
        append(list, group, is_plain_in_list);
    }
    return list;
}

std::string header_text(std::string text) {
    if (std::all_of(text.begin(), text.end(), is_plain)) return text;
    std::string out;
    append(out, text, is_plain);
    return out;
}

} // namespace consentgate::core
