// The groups of a person whom the web server signs in, as it names them in a variable of its own.
// spec: docs/requirements_signin.md SI12
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/signin/person.h"

#include <optional>
#include <string>
#include <string_view>

namespace consentgate::core {

// In place of an identity provider's id; rules know it as a realm.
inline constexpr std::string_view remote_idp = "remote";

struct RemoteGroups {
    std::string variable; // of FastCGI: the web server sets it, and no client can
    std::string separator = ",";
};

// Where the word of an identity provider or of the web server about an identity is kept; absent
// unless the identity is verified.
std::optional<PersonId> snapshot_of(const Identity& identity);

// in:   text  VARIABLE or VARIABLE:SEPARATOR
// fail: invalid_request, in words for the operator: also for a variable that holds what the client
//       sent
Result<RemoteGroups> parse_remote_groups(std::string_view text);

// The person with the groups that the web server names.
// in:  user    whom it signs in
//      listed  the variable; absent: the web server said nothing, so the groups are unknown
Person remote_person(
    const Identity& user, const std::optional<std::string>& listed, const RemoteGroups& how,
    Instant now);

// Whether what the web server says now is worth a write.
bool is_news(const Person& known, const Person& now_said);

} // namespace consentgate::core
