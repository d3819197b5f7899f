// How the cause of a failure is stored. Private to this module.
#pragma once

#include "value.h"

#include "consentgate/core/base/failure_cause.h"

#include <optional>
#include <string>
#include <string_view>

namespace consentgate::store {

// NULL is that nothing failed.
inline std::optional<std::string_view> stored(core::FailureCause cause) {
    if (cause == core::FailureCause::none) return std::nullopt;
    return name_of(cause);
}

// A word that this version does not know is still a failure.
inline void restore(Row& row, core::FailureCause& cause) {
    std::string word;
    row.read_into(word);
    if (!word.empty())
        cause = core::failure_cause_of(word).value_or(core::FailureCause::unreachable);
}

} // namespace consentgate::store
