// The configuration file. The input is its content.
#include "require.h"

#include "tests/support/environment.h"
#include "tests/support/temp_folder.h"

#include "consentgate/app/config.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"

#include <optional>

using namespace consentgate;
using tests::require;

namespace {

const std::string password = "hunter2 and more";

// Absent when the file is refused.
std::optional<app::Config> read(const std::string& path) {
    try {
        return app::read_config(path);
    } catch (const app::ConfigError& error) {
        require(!core::trim(error.what()).empty(), "a refusal says why");
        require(
            std::string(error.what()).find(password) == std::string::npos,
            "a refusal repeats no password");
        return std::nullopt;
    }
}

void look_at(const app::Config& config) {
    const auto& policy = config.policy;
    require(
        core::check_resource_uri(policy.issuer) && !policy.issuer.ends_with('/') &&
            policy.issuer.find('?') == std::string::npos,
        "an issuer is an origin that clients can compare");
    require(
        core::lower_ascii(core::origin_of(policy.issuer)) == core::origin_of(policy.issuer),
        "an issuer is written as browsers write it");
    for (const auto& resource : policy.resources)
        require(core::check_resource_uri(resource.url).operator bool(), "a resource is a URI");
    require(
        !policy.default_scopes.empty() &&
            policy.default_scopes.within(policy.catalogue()) == policy.default_scopes,
        "default scopes are known scopes");
    for (const auto& implied : policy.implications)
        require(policy.catalogue().contains(implied.scope), "a scope that implies others is known");
    require(
        config.workers >= 1 && config.workers <= 256 && config.gate_workers >= 1 &&
            config.gate_workers <= 256,
        "there are some workers, and not too many");
    require(
        policy.flow_lifetime.count() > 0 && policy.code_lifetime.count() > 0 &&
            policy.session_lifetime.count() > 0,
        "whatever begins may last for a while");
    for (const auto& file : {config.key_file, config.pages, config.store.tls_ca})
        require(file.empty() || file.front() == '/', "a file's name does not depend on the folder");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static tests::Environment environment;
    static const bool cleared = [] {
        for (const auto& key : app::known_keys()) {
            auto name = "CONSENTGATE_" + key.name;
            std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
                return static_cast<char>(std::toupper(c));
            });
            environment.unset(name);
        }
        environment.set("TMPDIR", "/dev/shm");
        return true;
    }();
    require(cleared, "the file alone counts");
    static const tests::TempFolder folder;
    const std::string content(tests::text_of_input(data, size));
    const auto config = read(folder.write("consentgate.conf", content));
    if (config) {
        look_at(*config);
        const auto again = read(folder.file("consentgate.conf"));
        require(
            again && again->policy.issuer == config->policy.issuer &&
                again->key_file == config->key_file,
            "a file says the same each time");
    }
    require(
        !read(folder.write(
            "consentgate.conf", content + "\n\ndatabase_password = " + password + "\n")),
        "a password in this file is refused");
    return 0;
}
