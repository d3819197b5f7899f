// The words by which commands name people who signed in at an identity provider.
#pragma once

#include "admin.h"

#include "consentgate/usecase/people.h"

namespace consentgate::app::admin {

// How an operator meets a person in a list of several: name or address, provider, short id.
std::string shown_person(const core::Person& person);

// The person whom the word means.
// fail: throws UsageError for a word that is none of a person; throws when nobody or several people
//       are meant
core::Person read_person(Context& context, const std::string& word);
// The same; absent when the word means nobody, or is none of a person.
std::optional<core::Person> find_person(Context& context, const std::string& word);

Command user_adopt_command();

} // namespace consentgate::app::admin
