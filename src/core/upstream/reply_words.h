// The meaning of what a service says in place of a token: the words of the RFCs, and those that
// providers made up. Private to this folder.
#pragma once

#include "consentgate/core/upstream/account_state.h"

#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

struct RefusedReply {
    int status = 0;
    bool silent = false;                   // there was no body
    const std::vector<std::string>& words; // in lower case
    bool names_resource = false;           // the error's description does
};
UpstreamError meaning_of(const RefusedReply& reply);

// The first of them that is known, so that it may stand in a log; empty: none is.
std::string_view known_word(const std::vector<std::string>& words);

// The service, or somebody between us, has too much to do or is out of order.
bool is_passing(int status);
// Whoever answers so may be somebody between us who knows nothing of the token.
bool is_doubtful(int status);

// A token that proves nothing beside itself, whatever the service calls it.
bool is_bearer_type(std::string_view token_type);

} // namespace consentgate::core
