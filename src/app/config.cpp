#include "consentgate/app/config.h"

#include "config_keys.h"
#include "near_words.h"

#include "consentgate/app/old_names.h"
#include "consentgate/core/base/text.h"

#include <Poco/AutoPtr.h>
#include <Poco/Environment.h>
#include <Poco/Exception.h>
#include <Poco/Path.h>
#include <Poco/String.h>
#include <Poco/Util/PropertyFileConfiguration.h>

#include <algorithm>
#include <map>

namespace consentgate::app {
namespace {

std::vector<std::string> key_names() {
    std::vector<std::string> names;
    for (const auto& key : keys()) names.push_back(key.name);
    return names;
}

std::map<std::string, std::string> read_file(
    const std::string& path, std::vector<std::string>& problems) {
    std::map<std::string, std::string> values;
    if (path.empty()) return values;
    try {
        const Poco::AutoPtr<Poco::Util::PropertyFileConfiguration> file(
            new Poco::Util::PropertyFileConfiguration(path));
        Poco::Util::AbstractConfiguration::Keys names;
        file->keys(names);
        for (const auto& name : names) values[name] = file->getRawString(name, "");
    } catch (const Poco::FileAccessDeniedException&) {
        // The program does not know what the file lacks, and says nothing else.
        throw ConfigError(
            "the configuration file " + path +
            " is not for this user to read: run the command as root, or as the services' user");
    } catch (const Poco::Exception& error) {
        problems.push_back("the configuration file cannot be read: " + error.displayText());
    }
    for (const auto& [name, value] : values) {
        const bool known =
            std::any_of(keys().begin(), keys().end(), [&given = name](const Key& key) {
                return key.name == given;
            });
        if (const auto* old = find_old_name(NameKind::config_key, "", name))
            problems.push_back(renamed_text(*old));
        else if (!known)
            problems.push_back(
                name + " is not a key that consentgate knows" + did_you_mean(name, key_names()));
    }
    return values;
}

std::string environment_name(std::string_view key) {
    return "CONSENTGATE_" + Poco::toUpper(std::string(key));
}

void find_old_keys_in_environment(std::vector<std::string>& problems) {
    for (const auto& old : old_names(NameKind::config_key)) {
        if (Poco::Environment::has(environment_name(old.before)))
            problems.push_back(
                environment_name(old.before) + " is now called " + environment_name(old.now));
    }
}

void make_absolute(std::string& file, const std::string& config_path) {
    if (file.empty() || file.front() == '/' || config_path.empty()) return;
    file = Poco::Path(config_path).makeAbsolute().makeParent().toString() + file;
}

} // namespace

Config read_config(const std::string& path) {
    std::vector<std::string> problems;
    const auto written = read_file(path, problems);
    find_old_keys_in_environment(problems);
    Config config;
    for (const auto& key : keys()) {
        const auto found = written.find(key.name);
        const auto in_file =
            found == written.end() ? key.standard : std::string(core::trim(found->second));
        if (key.in_environment_only && found != written.end()) {
            problems.push_back(
                key.name + " is not for a file that others may read; put it into " + key.name +
                "_file, or into the environment");
        }
        const auto value = Poco::Environment::get(environment_name(key.name), in_file);
        if (const auto problem = key.set(config, value); !problem.empty())
            problems.push_back(key.name + " " + problem);
    }
    for (auto* file :
         {&config.store.path, &config.store.tls_ca, &config.database_password_file,
          &config.key_file, &config.pages, &config.document_http.ca, &config.service_http.ca,
          &config.log.audit_file, &config.metrics_file, &config.call_log_socket})
        make_absolute(*file, path);
    config.policy.client_name = config.brand.name;
    auto& identities = config.policy.identities;
    if (config.enforce_identity) identities = identities.without(core::IdentityKind::skipped);
    // Longer than the service and the database may take together, because a second refresh with
    // the same token would end the linked account.
    config.policy.upstream_lease =
        std::chrono::ceil<core::Span>(config.service_http.total + config.store.wait) +
        core::Span(5);
    config.fetch.at_once = static_cast<std::size_t>(std::max(1, config.workers / 2));
    if (config.remote_groups && config.policy.verified_user != core::VerifiedUser::remote_user)
        problems.push_back(
            "remote_groups needs verified_user = remote_user: groups of whom the web "
            "server signs in");
    if (!config.store.password.empty() && !config.database_password_file.empty())
        problems.push_back("database_password and database_password_file are both set");
    for (auto& key : config.bearer_keys) make_absolute(key.path, path);
    // A name or value of the file may hold anything, and would cut the text or steer a terminal.
    for (auto& problem : problems)
        std::replace_if(
            problem.begin(), problem.end(),
            [](char c) {
                return core::has_control({&c, 1});
            },
            '?');
    if (!problems.empty()) throw ConfigError(core::join(problems, "\n"));
    return config;
}

std::vector<KnownKey> known_keys() {
    std::vector<KnownKey> known;
    for (const auto& key : keys()) known.push_back({key.name, key.standard});
    return known;
}

} // namespace consentgate::app
