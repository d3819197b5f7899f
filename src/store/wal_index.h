// The last commit to a SQLite database, read from its wal-index; private to this module.
#pragma once

#include "db_session.h"

struct sqlite3;
struct sqlite3_file;

namespace consentgate::store {

// The wal-index is memory that all connections to a database in WAL mode share; every commit
// changes its header before the committing process goes on. Reading it takes no lock and no system
// call. The header is there twice, so that a reader notices one that is being written.
// spec: sqlite.org/walformat.html, section 2.1
class WalIndex {
public:
    // in: handle  open, and in WAL mode; it must outlive this
    explicit WalIndex(sqlite3* handle);

    // Absent while a commit is being written, and when the header has a format that this program
    // does not know.
    std::optional<Commit> last_commit() const;

private:
    sqlite3_file* file_ = nullptr;
};

} // namespace consentgate::store
