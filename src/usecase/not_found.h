// The error of an operator's use-case about something that is not there. Private to this module.
#pragma once

#include "consentgate/core/base/error.h"

#include <string>
#include <utility>

namespace consentgate::usecase {

inline core::Error not_found(std::string message) {
    return core::make_error(core::ErrorCode::not_found, core::PublicMessage{std::move(message)});
}

} // namespace consentgate::usecase
