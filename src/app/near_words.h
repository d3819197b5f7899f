// Suggestions for a word that was mistyped. Private to this module.
#pragma once

#include <string>
#include <vector>

namespace consentgate::app {

// The known words that differ from it by few letters or begin with it, the nearest first, at most
// three.
std::vector<std::string> near_words(const std::string& word, const std::vector<std::string>& known);

// "; did you mean notion or notion-2?"; empty when no word is near.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& known);

} // namespace consentgate::app
