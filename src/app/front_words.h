// The words of a web server's statements. Private to this module.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace consentgate::app {

inline bool holds(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

// Quoted ones in one piece, without their quotation marks.
inline std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    std::string word;
    char quote = 0;
    for (const char c : text) {
        if (quote != 0) {
            if (c == quote)
                quote = 0;
            else
                word += c;
        } else if (c == '"' || c == '\'')
            quote = c;
        else if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            word += c;
        else if (!word.empty())
            words.push_back(std::exchange(word, {}));
    }
    if (!word.empty()) words.push_back(word);
    return words;
}

inline std::string word_at(const std::vector<std::string>& words, std::size_t at) {
    return at < words.size() ? words[at] : std::string();
}

} // namespace consentgate::app
