// A sign-in as a stranger walks it, as far as the server lets them: registration, page 1, and all
// that follows where page 1 asks for nothing that a stranger lacks.
#pragma once

#include "consentgate/app/doctor.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace consentgate::app {

// Sends a request to the server that is examined.
// in: body  empty: there is none; type  of the body
using AskServer = std::function<sys::HttpResponse(
    const std::string& method, const std::string& url,
    std::vector<std::pair<std::string, std::string>> headers, const std::string& body,
    const std::string& type)>;

struct Stranger {
    std::string client_id; // of an earlier walk; empty: they register
    std::string verifier;  // for PKCE: 43 unreserved characters, fresh
};

inline constexpr const char* stranger_name = "consentgate doctor"; // of their client
inline constexpr const char* stranger_redirect = "http://127.0.0.1:9/doctor";

// Walks, and gives back the session if there is one.
StrangerWalk walk_as_stranger(
    const AskServer& ask, const Stranger& stranger, const core::GuardedResource& resource,
    const core::Policy& policy);

} // namespace consentgate::app
