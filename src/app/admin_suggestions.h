// Guesses the command that an operator meant by one that does not exist. Private to this module.
#pragma once

#include "admin.h"

namespace consentgate::app::admin {

// Whether commands of two words begin with it.
bool is_noun(const std::vector<Command>& commands, const std::string& word);

// "there is no command 'kye lst'; did you mean key list?; see consentgate-admin --help"
// in: second  the word after the first; empty: none
std::string unknown_command(
    const std::vector<Command>& commands, const std::string& first, const std::string& second);

} // namespace consentgate::app::admin
