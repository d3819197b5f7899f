// An operator says how a service differs from the standard, and these rules use it: more parameters
// at the authorization endpoint, tokens inside of an object, a plain API key in place of OAuth.
// spec: docs/requirements.md XC9; docs/services.md
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/upstream/upstream.h"

#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

// The message of a refusal is for the operator.
// in: text  NAME=VALUE. Names that we send ourselves, and those that would replace what we send
//           (request, request_uri, response_mode), are refused.
Checked check_authorize_parameter(std::string_view text);
Checked check_token_path(std::string_view path); // names with dots between
// A header that an API key may go into: not one that has a meaning of its own for the web server,
// for MCP or for the gate.
Checked check_key_header(std::string_view name);

// The parameters after a change: one that is named again is replaced, one with an empty value goes.
std::vector<std::string> merge_authorize_parameters(
    std::vector<std::string> parameters, const std::vector<std::string>& changes);

// The reply with the object at the path in place of the whole body. It stays as it is when there is
// no such object, or no token in it: errors stand at the top, and some providers answer a refresh
// there. A token at the top that is a bot's is not the person's, and is taken out.
ServiceReply tokens_at_path(ServiceReply reply, const std::string& path);

// An API key goes into a header: 1 to 4096 visible ASCII characters, after blanks at its ends are
// taken off.
std::optional<Secret> read_api_key(std::string_view typed);
// As the header's value: with the word Bearer where the header is Authorization.
Secret key_header_value(const Service& service, const Secret& key);

// A service's answer to a request with a key.
enum class KeyTrial {
    good,
    refused, // 401 or 403
    unknown, // nothing can be said of the key
};
KeyTrial read_key_trial(const ServiceReply& reply);

} // namespace consentgate::core
