#include "odbc_errors.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace consentgate::store {
namespace {

template <class T> bool one_of(T code, std::initializer_list<T> codes) {
    return std::find(codes.begin(), codes.end(), code) != codes.end();
}

struct Phrase {
    std::string_view of_driver, ours;
};

// The first that occurs in the driver's text counts.
constexpr std::array phrases{
    Phrase{
        "Can't open lib",
        "the ODBC driver is not installed (Debian: odbc-postgresql, odbc-mariadb)"},
    Phrase{
        "Data source name not found",
        "the ODBC driver is not installed (Debian: odbc-postgresql, odbc-mariadb)"},
    Phrase{"pg_hba.conf", "the server lets this user not in from here (pg_hba.conf)"},
    Phrase{
        "certificate",
        "the server's certificate is not trusted, or not for this host (database_tls, "
        "database_tls_ca)"},
    Phrase{"SSL", "TLS could not be agreed on (database_tls)"},
    Phrase{"TLS", "TLS could not be agreed on (database_tls)"},
    Phrase{"' to database '", "there is no such database, or the user may not use it"},
    Phrase{"does not exist", "there is no such database or user"},
    Phrase{"Unknown database", "there is no such database"},
    Phrase{"password authentication failed", "the server refuses the user or the password"},
    Phrase{"Access denied", "the server refuses the user or the password"},
    Phrase{"no password supplied", "the server wants a password (database_password_file)"},
    Phrase{"translate host name", "the host's name is not known"},
    Phrase{"Unknown server host", "the host's name is not known"},
    Phrase{"read-only", "it is a standby, which takes no writes"},
    Phrase{"starting up", "it is starting"},
    Phrase{"recovery", "it is starting, or a standby"},
    Phrase{"shutting down", "it is being shut down"},
    Phrase{"too many", "it has no connection left"},
    Phrase{"Too many", "it has no connection left"},
    Phrase{"remaining connection slots", "it has no connection left"},
    Phrase{"imeout", "it did not answer in time"},
    Phrase{"timed out", "it did not answer in time"},
    Phrase{"refused", "nothing answers there"},
    Phrase{"Can't connect", "nothing answers there"},
};

// The code after a label of Poco's text, as far as it is one.
std::string code_after(std::string_view text, std::string_view label) {
    const auto at = text.find(label);
    if (at == std::string_view::npos) return "unknown";
    const auto code = text.substr(at + label.size());
    return std::string(code.substr(
        0,
        std::min<std::size_t>(6, code.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))));
}

} // namespace

EngineErrorKind kind_of_error(std::string_view state, long native) {
    // Serialization failure, deadlock, lock not available; MariaDB's deadlock, lock wait, changed
    // table, re-preparation.
    if (one_of<std::string_view>(state, {"40001", "40P01", "55P03"}) ||
        one_of(native, {1213L, 1205L, 1412L, 1615L}))
        return EngineErrorKind::again;
    if (state == "23505" || native == 1062) return EngineErrorKind::taken;
    // The server ended or lost the session, no longer takes writes, or forgot our statements.
    if (state.starts_with("08") ||
        one_of<std::string_view>(
            state, {"57P01", "57P02", "57P03", "57P05", "25006", "25P03", "26000", "0A000"}))
        return EngineErrorKind::lost;
    // PostgreSQL's driver, whose own codes are small, reports this when its session ends while it
    // prepares a statement.
    if (state == "HY000" && native < 1000) return EngineErrorKind::lost;
    // MariaDB: no server, no answer, killed, read-only; a node of a cluster without quorum, that
    // could not finish a commit, or that dropped a statement because tables were changed through
    // another node.
    if (one_of(
            native, {2002L, 2003L, 2006L, 2013L, 2055L, 1927L, 1290L, 1836L, 1047L, 1180L, 1317L}))
        return EngineErrorKind::lost;
    return EngineErrorKind::refused;
}

std::string connection_problem(std::string_view driver_text) {
    for (const auto& phrase : phrases) {
        if (driver_text.find(phrase.of_driver) != std::string_view::npos)
            return std::string(phrase.ours);
    }
    return "no connection: SQLSTATE " + code_after(driver_text, "SQLSTATE = ") + ", code " +
           code_after(driver_text, "Native Error Code = ");
}

} // namespace consentgate::store
