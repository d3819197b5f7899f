// A browser's question before a request of another origin. It carries no token, and its answer
// needs none (C13).
// spec: Fetch, "CORS-preflight fetch"; docs/requirements.md XE6
#pragma once

#include "consentgate/web/http.h"

#include <string_view>

namespace consentgate::web {

// The answer for an address of ours. It names the headers that we know and those that were asked
// for: what a program sends besides harms nothing here, and would keep it from sending the rest.
// in:  method  that the address takes
Reply answer_preflight(const Request& request, std::string_view method);

// The same for a guarded MCP server, whose headers we do not know.
Reply answer_mcp_preflight(const Request& request);

} // namespace consentgate::web
