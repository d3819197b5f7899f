// Which database, how to open it, and bringing its schema up to date.
#pragma once

#include "consentgate/core/base/secret.h"
#include "consentgate/store/store.h"
#include "consentgate/store/writer_queue.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::store {

enum class Engine { sqlite, postgresql, mariadb }; // mariadb: a Galera cluster too

// How the way to a database server is protected. here: verified, except on this machine, where
// nothing travels.
enum class Tls { here, off, encrypt, verify };

struct Host {
    std::string name; // or address, or the folder (PostgreSQL) or file (MariaDB) of a Unix socket
    int port;
};

// What went wrong with a unit of work: it was done again (another transaction in the way; the
// session to the server lost; nobody knows whether it took effect, so that was looked up), or given
// up.
enum class RetryReason { collision, session_lost, unknown_outcome, failed };

struct StoreConfig {
    Engine engine = Engine::sqlite;
    std::string path{}; // of the SQLite database file

    std::vector<Host> hosts{};  // of a database server, tried in this order
    std::string name{}, user{}; // of the database, and who we are there
    core::Secret password{};
    Tls tls = Tls::here;
    std::string tls_ca{}; // PEM file of the authorities that `verify` trusts; empty: the system's

    // How many sessions, accounts and introspection lookups, of each, a store keeps in memory while
    // nothing is committed; 0: none.
    std::size_t max_cached = 128;

    std::chrono::milliseconds wait{
        5000}; // how long a unit of work may wait for others before StoreFailure
    std::shared_ptr<WriterQueue>
        queue{}; // of the processes that write to one SQLite file; absent: its own lock alone
    // Called with the text of every statement, BEGIN and COMMIT included, before it runs. Tests
    // throw or pause in it; empty otherwise.
    std::function<void(std::string_view)> before_statement{};
    std::function<void(RetryReason)>
        on_retry{}; // called with each, for whoever counts them; may be empty
};

// Reads the address of a database: the path of a SQLite file, or
// ENGINE://USER@HOST[:PORT][,HOST[:PORT]…]/NAME with the engines postgresql and mariadb. A host
// with slashes (a socket) is written with %2F.
// out: what is wrong with it; absent when nothing is, and config has it
std::optional<std::string> read_address(const std::string& text, StoreConfig& config);

// The address as an operator knows it, for messages; without the password.
std::string address_of(const StoreConfig& config);

// Does not touch the database: the first verb does, and every verb after a failure opens it again.
std::unique_ptr<Store> open_store(StoreConfig config);

// The schema this program was built for.
int expected_schema_version();

struct AppliedMigration {
    int version;
    std::string name;
};

// Applies what the schema lacks, one transaction per migration, safe when started by several
// machines at once. Creates the file of a SQLite database that is missing. out: what was applied,
// in order; empty when it was up to date.
// fail: throws StoreFailure
std::vector<AppliedMigration> migrate(const StoreConfig& config, core::Instant now);

} // namespace consentgate::store
