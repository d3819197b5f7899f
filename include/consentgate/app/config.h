// The configuration file, read once; after that only this struct exists.
//
// `key = value` lines; every key can also be given in the environment as CONSENTGATE_<KEY IN
// CAPITALS>, which wins. Relative file names are relative to the folder of the configuration file.
// Unknown keys are errors, and all problems are reported together.
#pragma once

#include "consentgate/core/oauth/bearer.h"
#include "consentgate/core/oauth/policy.h"
#include "consentgate/core/signin/remote_groups.h"
#include "consentgate/store/open.h"
#include "consentgate/sys/document_fetcher.h"
#include "consentgate/sys/http_client.h"
#include "consentgate/sys/log.h"
#include "consentgate/usecase/maintenance.h"
#include "consentgate/web/context.h"
#include "consentgate/web/page.h"

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace consentgate::app {

struct BearerKeyFile {
    std::string algorithm;
    std::string path;
};

struct Config {
    core::Policy policy;
    bool enforce_identity = false; // enforce_auth_on_inference: takes `skipped` from identities
    store::StoreConfig store;
    std::string database_password_file; // read_database_password copies it to store.password
    std::string key_file;
    std::string pages;
    std::vector<BearerKeyFile> bearer_keys;
    std::string bearer_issuer, bearer_audience;
    web::Limits limits;
    std::optional<core::RemoteGroups> remote_groups{}; // of whom the web server signs in
    sys::FetchLimits fetch; // of client documents; at most half of the workers do it at a time
    sys::HttpLimits document_http{.total = sys::FetchLimits().total}; // with the test authority
    sys::HttpLimits service_http;                                     // to upstream services
    web::Brand brand;
    int workers = 8;
    int gate_workers = 8;        // of the gate, which is a program of its own
    std::string call_log_socket; // where the gate hears what became of calls; empty: nowhere
    std::chrono::milliseconds body_time{20000}; // how long a request's body may take to come
    usecase::ClientLives client_lives;
    sys::LogPlaces log;
    std::string metrics_file; // empty: nothing is counted
};

// Every problem found, one a line.
class ConfigError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// in:   path  of the file; empty reads the environment only
// fail: throws ConfigError
Config read_config(const std::string& path);

// Each key with its default, for the guard that holds conf/consentgate.conf against this list.
struct KnownKey {
    std::string name, standard;
};
std::vector<KnownKey> known_keys();

} // namespace consentgate::app
