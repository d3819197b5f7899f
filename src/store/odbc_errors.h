// What the errors of ODBC drivers mean, in codes and in our own words: theirs quote SQL, values
// and, when no connection was made, the password. Private to this module.
#pragma once

#include "db_session.h"

#include <string>
#include <string_view>

namespace consentgate::store {

// spec: SQLSTATE classes of ISO 9075; PostgreSQL's and MariaDB's lists of error codes
EngineErrorKind trouble_of(std::string_view state, long native);

// in: what  was being done
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
        trouble_of(state, native), std::string("the database failed at ") + what + ": SQLSTATE " +
                                       state + ", code " + std::to_string(native)};
}

// What a driver's words about a failed connection come down to; nothing of them is repeated.
std::string why_not_connected(std::string_view drivers_words);

} // namespace consentgate::store
