// Every answer of a provider's endpoints is read like this at first. Private to this folder.
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/core/upstream/upstream.h"

#include <string>

namespace consentgate::core {

// The provider has answered, with success. fail: service_unavailable, access_denied
Checked check_answered(const ServiceReply& reply);

// in: wrong  the member that is missing or wrong
Error bad_answer(const char* wrong, std::string reason);

// The error holds the provider's own word, and of Microsoft's only a number: the rest names people.
// spec: docs/requirements_signin.md SI16
Error refused_answer(const ServiceReply& reply);

} // namespace consentgate::core
