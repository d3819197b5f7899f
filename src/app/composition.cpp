#include "consentgate/app/composition.h"

#include "consentgate/core/base/text.h"
#include "consentgate/sys/key_file.h"
#include "consentgate/usecase/admission.h"
#include "consentgate/usecase/identity_providers.h"
#include "consentgate/usecase/introspection.h"
#include "consentgate/usecase/maintenance.h"

#include <Poco/Environment.h>

#include <stdexcept>

namespace consentgate::app {
namespace {

core::BearerVerifier read_bearer_keys(const Config& config) {
    std::vector<core::BearerKey> keys;
    for (const auto& file : config.bearer_keys) {
        auto material = sys::read_secret_file(file.path);
        // An editor's last newline is not part of a shared secret.
        if (file.algorithm == "HS256")
            material = core::Secret(std::string(core::trim(material.reveal())));
        keys.push_back({file.algorithm, std::move(material)});
    }
    return core::BearerVerifier(std::move(keys), config.bearer_issuer, config.bearer_audience);
}

} // namespace

Startup load_startup(const std::string& path) {
    auto config = read_config(path);
    read_database_password(config);
    auto keyring = sys::read_key_file(config.key_file);
    auto bearers = read_bearer_keys(config);
    return Startup{std::move(config), std::move(keyring), std::move(bearers)};
}

void read_database_password(Config& config) {
    if (config.database_password_file.empty()) return;
    auto password = sys::read_secret_file(config.database_password_file).reveal();
    password.erase(
        password.find_last_not_of("\r\n") +
        1); // an editor's last newline is not part of it; a blank may be
    if (password.empty())
        throw std::runtime_error(
            config.database_password_file +
            ": is empty; it must hold the password of the database user");
    config.store.password = core::Secret(std::move(password));
}

std::string newer_schema_words(const usecase::Health& health) {
    return "its schema is version " + std::to_string(health.schema.version) +
           ", which a newer version of consentgate made; this program's is " +
           std::to_string(health.expected_version);
}

core::SchemaFit require_schema(usecase::Dependencies& deps, const store::StoreConfig& config) {
    const auto health = usecase::check_health(deps);
    const auto where = store::address_of(config) + ": ";
    if (!health.store_answers)
        throw std::runtime_error(
            where + "the database cannot be used (" + health.why_not +
            "); if it was never made, run: consentgate-admin migrate");
    if (health.ready()) return health.fit();
    if (health.fit() == core::SchemaFit::closed)
        throw std::runtime_error(
            where + newer_schema_words(health) +
            ", and may not write there any more; install the newer version here, too "
            "(docs/upgrade.md)");
    throw std::runtime_error(
        where + "its schema is version " + std::to_string(health.schema.version) +
        ", this program needs version " + std::to_string(health.expected_version) +
        "; run: consentgate-admin migrate");
}

void require_own_schema(usecase::Dependencies& deps, const store::StoreConfig& config) {
    if (require_schema(deps, config) == core::SchemaFit::same) return;
    throw std::runtime_error(
        store::address_of(config) + ": " + newer_schema_words(usecase::check_health(deps)) +
        " and does not know all that is there; use consentgate-admin of the newer version");
}

void check_database(Startup& startup, core::Instant now) {
    const sys::Log log;
    Runtime runtime(startup, log);
    auto& deps = runtime.deps();
    require_schema(deps, startup.config.store);
    usecase::check_server_keys(deps, now);
    usecase::require_one_proof(deps);
    auto& resources = startup.config.policy.resources;
    resources = usecase::guarded_resources(deps);
    if (resources.empty())
        throw std::runtime_error(
            "nothing is guarded yet: run consentgate-admin resource add URL, or name the URLs "
            "as `resources` in the configuration");
    startup.admission = usecase::who_can_come_in(deps, now);
}

std::string recent_calls_file(const Config& config) {
    return (config.store.path.empty() ? config.key_file : config.store.path) + "-calls";
}

Runtime::Runtime(const Startup& startup, const sys::Log& log)
    : store_(store::open_store(startup.config.store)),
      assertions_(startup.keyring),
      deps_{
          .store = *store_,
          .random = random_,
          .clock = clock_,
          .log = log,
          .policy = startup.config.policy,
          .keyring = startup.keyring,
          .bearers = startup.bearers,
          .assertions = &assertions_} {}

std::string take_config_path(std::vector<std::string>& line) {
    constexpr std::string_view option = "--config", attached = "--config=";
    std::optional<std::string> path;
    std::vector<std::string> rest;
    for (std::size_t at = 0; at < line.size(); ++at) {
        if (line[at] == "--") { // no option stands behind it
            rest.insert(rest.end(), line.begin() + static_cast<std::ptrdiff_t>(at), line.end());
            break;
        }
        if (line[at] != option && !line[at].starts_with(attached)) {
            rest.push_back(line[at]);
            continue;
        }
        if (path) throw std::invalid_argument("--config was given more than once");
        if (line[at] != option)
            path = line[at].substr(attached.size());
        else
            path = ++at < line.size() ? line[at] : std::string();
        if (path->empty()) throw std::invalid_argument("--config needs a value: --config FILE");
    }
    line = std::move(rest);
    if (path) return *path;
    return Poco::Environment::get("CONSENTGATE_CONFIG", "/etc/consentgate/consentgate.conf");
}

} // namespace consentgate::app
