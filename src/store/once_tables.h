// The tables of things that are good for one use; private to this module.
#pragma once

#include "columns.h"

namespace consentgate::store {

struct ClientAssertion {
    core::Digest hash;
    std::string used_by; // a fresh id that tells the one use from others
    core::Instant expires_at{};
};
template <>
inline constexpr auto table_of<ClientAssertion> = table<ClientAssertion>(
    "client_assertion", column("assertion_hash", &ClientAssertion::hash),
    column("used_by", &ClientAssertion::used_by),
    column("expires_at", &ClientAssertion::expires_at));

// A link for connecting an account later.
struct UsedLink {
    core::Digest hash;
    std::string used_by;
    core::Instant expires_at{};
};
template <>
inline constexpr auto table_of<UsedLink> = table<UsedLink>(
    "used_link", column("link_hash", &UsedLink::hash), column("used_by", &UsedLink::used_by),
    column("expires_at", &UsedLink::expires_at));

// A provider's word that a person, or one of their sign-ins, is over.
struct UsedLogoutToken {
    core::Digest hash;
    std::string used_by;
    std::optional<core::Digest> sid{};      // sign-ins of this are over
    std::optional<core::PersonId> person{}; // those of this person that began before
    core::Instant issued_at{};
    core::Instant expires_at{};
};
template <>
inline constexpr auto table_of<UsedLogoutToken> = table<UsedLogoutToken>(
    "logout_token", column("use_hash", &UsedLogoutToken::hash),
    column("used_by", &UsedLogoutToken::used_by), column("sid_hash", &UsedLogoutToken::sid),
    column("person_id", &UsedLogoutToken::person), column("issued_at", &UsedLogoutToken::issued_at),
    column("expires_at", &UsedLogoutToken::expires_at));

// Inserts the row. no: another use inserted it before. The primary key makes the insert a
// compare-and-set: of any number of uses, one inserts the row.
template <class Use> Applied use_once(Database& db, const Use& use) {
    static constexpr auto used_statement =
        sql("SELECT 1 FROM ", table_name<Use>(), " WHERE ", key_name<Use>(), " = ?");
    static constexpr auto own_statement = sql(used_statement, " AND used_by = ?");
    const auto used = [&] { return db.has(used_statement, use.hash); };
    if (db.read(used)) return Applied::no;
    const auto own = [&] { return db.has(own_statement, use.hash, use.used_by); };
    try {
        return db.write(
            [&] {
                insert(db, use);
                return Applied::yes;
            },
            own);
    } catch (const StoreFailure&) { // another use was first
        if (!db.read(used)) throw;
        return db.read(own) ? Applied::yes : Applied::no;
    }
}

} // namespace consentgate::store
