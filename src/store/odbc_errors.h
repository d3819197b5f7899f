// Errors of ODBC drivers, as codes and in our own words, because the drivers' words quote SQL,
// values and, when no connection was made, the password. Private to this module.
#pragma once

#include "db_session.h"

#include <string>
#include <string_view>

namespace consentgate::store {

// spec: SQLSTATE classes of ISO 9075; PostgreSQL's and MariaDB's lists of error codes
EngineErrorKind kind_of_error(std::string_view state, long native);

// in: what         the step that failed
//     diagnostics  Poco's, of any handle
template <class Diagnostics>
EngineError error_of(const char* what, const Diagnostics& diagnostics) {
    if (diagnostics.count() == 0)
        return {
            EngineErrorKind::lost,
            std::string("the database failed at ") + what + " and did not say why"};
    const auto state = diagnostics.sqlState(0);
    const auto native = diagnostics.nativeError(0);
    return {
        kind_of_error(state, native), std::string("the database failed at ") + what +
                                          ": SQLSTATE " + state + ", code " +
                                          std::to_string(native)};
}

// The reason for a failed connection in our own words; nothing of the driver's is repeated.
std::string connection_problem(std::string_view driver_text);

} // namespace consentgate::store
