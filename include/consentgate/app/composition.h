// Puts the parts together. A Startup is made before the fork and shared by all workers, so it holds
// no connection; a Runtime is made in the worker.
#pragma once

#include "consentgate/app/config.h"
#include "consentgate/core/base/keyring.h"
#include "consentgate/core/oauth/admission.h"
#include "consentgate/usecase/assertions.h"
#include "consentgate/usecase/dependencies.h"
#include "consentgate/usecase/maintenance.h"

#include <memory>
#include <string>

namespace consentgate::app {

struct Startup {
    Config config;
    core::Keyring keyring;
    core::BearerVerifier bearers;
    core::Admission admission{}; // who can come in; check_database finds it
};

// Copies the database password from its file to config.store. fail: throws std::runtime_error
void read_database_password(Config& config);

// Reads the configuration, the key file and the bearer keys.
// fail: throws std::runtime_error, in words for the operator
Startup load_startup(const std::string& config_path);

// Opens the database once: its schema must be usable, and the key file its own. The
// resources that were added there join the configured ones, and its keys say who can come in.
// fail: throws std::runtime_error that says what to do
void check_database(Startup& startup, core::Instant now);

// The schema must be this program's, or one of a newer version that lets this program go on.
// out:  which of the two it is
// fail: throws std::runtime_error that names the database and says what to do
core::SchemaFit require_schema(usecase::Dependencies& deps, const store::StoreConfig& config);

// For what must know every table and column: moving to another database, changing server keys.
// fail: as above, and when the schema is newer
void require_own_schema(usecase::Dependencies& deps, const store::StoreConfig& config);

// "its schema is version 33, which a newer version of consentgate made; this program's is 29"
std::string newer_schema_words(const usecase::Health& health);

// The file in which the gate notes calls (sys::RecentCalls).
std::string recent_calls_file(const Config& config);

class Runtime {
public:
    Runtime(const Startup& startup, const sys::Log& log);
    usecase::Dependencies& deps() { return deps_; }

private:
    std::unique_ptr<store::Store> store_;
    sys::OsRandom random_;
    sys::SystemClock clock_;
    usecase::Assertions assertions_;
    usecase::Dependencies deps_;
};

// The configuration file of a program: --config FILE, else CONSENTGATE_CONFIG, else the installed
// one.
// in:   line  the words of a command line; the option is taken out of it
// fail: throws std::invalid_argument: it is there more than once, or names no file
std::string take_config_path(std::vector<std::string>& line);

} // namespace consentgate::app
