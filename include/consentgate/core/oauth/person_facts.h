// The facts about a person who signed in at an identity provider, for servers behind the gate.
// spec: docs/requirements_signin.md SI73, SI74
#pragma once

#include "consentgate/core/base/ids.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

struct PersonFacts {
    std::string name;
    std::string email{}; // empty unless it counts
    // Absent: unknown, too many, or not for this server. A part of them would be taken for the
    // whole.
    std::optional<std::vector<std::string>> groups{};
    IdpId idp;
};

// Longer lists of groups are left out, because web servers take headers of a few KiB.
inline constexpr std::size_t max_group_list_bytes = 2048;

// The groups in one header: percent-encoded names with commas between.
std::string group_list(const std::vector<std::string>& groups);

// A text in a header: visible ASCII without quotation marks and backslashes, the rest
// percent-encoded.
std::string header_text(std::string text);

} // namespace consentgate::core
