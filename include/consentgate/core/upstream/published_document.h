// The metadata that an authorization server publishes about itself, as services and identity
// providers do. spec: RFC 8414 section 2; OpenID Connect Discovery section 3
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/base/json.h"

#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

bool holds(const std::vector<std::string>& list, std::string_view word);

// The texts in it. Empty when it is missing or no list: a member that says nothing is none.
std::vector<std::string> read_list(const JsonObject& document, std::string_view name);

// An endpoint that we can do without: empty when it is missing or cannot be used.
std::string read_endpoint(const JsonObject& document, std::string_view name);

// The server gives authorization codes, and knows PKCE with S256 if it names any method. A list
// that is missing leaves the question open.
// in:   who  "the server"
// fail: the message is for the operator, and names the list
Checked check_code_grant(const JsonObject& document, const std::string& who);

} // namespace consentgate::core
