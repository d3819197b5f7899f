// The database's address, opening it, and bringing its schema up to date.
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

// How the connection to a database server is protected. here: as verify, except to a server on
// this machine, whose connection no network carries.
enum class Tls { here, off, encrypt, verify };

struct Host {
    std::string name; // or address, or the folder (PostgreSQL) or file (MariaDB) of a Unix socket
    int port;
};

// Why a unit of work was run again: another transaction was in the way (collision), the session to
// the server was lost, or the answer to the commit was lost and its outcome had to be looked up.
// failed: it was given up.
enum class RetryReason { collision, session_lost, unknown_outcome, failed };

struct StoreConfig {
    Engine engine = Engine::sqlite;
    std::string path{}; // of the SQLite database file

    std::vector<Host> hosts{};  // of a database server, tried in this order
    std::string name{}, user{}; // of the database, and our user there
    core::Secret password{};
    Tls tls = Tls::here;
    std::string tls_ca{}; // PEM file of the authorities that `verify` trusts; empty: the system's

    // How many sessions, accounts and introspection lookups, of each, a store keeps in memory while
    // nothing is committed; 0: none.
    std::size_t max_cached = 128;

    // How long a unit of work may wait for others before StoreFailure.
    std::chrono::milliseconds wait{5000};
    // The queue of the processes that write to one SQLite file; absent: the file's own lock orders
    // them.
    std::shared_ptr<WriterQueue> queue{};
    // Called with the text of every statement, BEGIN and COMMIT included, before it runs. Tests
    // throw or pause in it; empty otherwise.
    std::function<void(std::string_view)> before_statement{};
    std::function<void(RetryReason)> on_retry{}; // counts them; may be empty
};

// Reads the address of a database: the path of a SQLite file, or
// ENGINE://USER@HOST[:PORT][,HOST[:PORT]…]/NAME with the engines postgresql and mariadb. A host
// with slashes (a socket) is written with %2F.
// out: the problem with the text; absent when there is none, and config holds the address
std::optional<std::string> read_address(const std::string& text, StoreConfig& config);

// The address as an operator writes it, without the password, for messages.
std::string address_of(const StoreConfig& config);

// Does not touch the database: the first verb opens it, and so does the first verb after a failure.
std::unique_ptr<Store> open_store(StoreConfig config);

// The schema that this program was built for.
int expected_schema_version();

struct AppliedMigration {
    int version;
    std::string name;
};

// Applies the migrations that the schema lacks, each in one transaction; several machines may do so
// at once. Creates the file of a missing SQLite database.
// out:  the applied migrations, in order; empty when the schema was up to date
// fail: throws StoreFailure
std::vector<AppliedMigration> migrate(const StoreConfig& config, core::Instant now);

} // namespace consentgate::store
