#include "once.h"

namespace consentgate::store {

// The primary key makes the insert a compare-and-set: of any number of uses, one inserts the row.
Applied use_once(
    Database& db, const Once& sql, const core::Digest& thing, core::Instant expires_at,
    const std::string& use) {
    const auto used = [&] { return db.has(sql.used, thing); };
    if (db.read(used)) return Applied::no;
    const auto own = [&] { return db.has(sql.own, thing, use); };
    try {
        return db.write(
            [&] {
                db.run(sql.insert, thing, use, expires_at);
                return Applied::yes;
            },
            own);
    } catch (const StoreFailure&) { // another use was first
        if (!db.read(used)) throw;
        return db.read(own) ? Applied::yes : Applied::no;
    }
}

} // namespace consentgate::store
