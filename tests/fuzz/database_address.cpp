// The address of a database, as an operator writes it.
#include "require.h"

#include "store/dialect.h"

#include "consentgate/core/base/text.h"
#include "consentgate/store/open.h"

using namespace consentgate;
using tests::require;

namespace {

bool same(const store::StoreConfig& left, const store::StoreConfig& right) {
    return left.engine == right.engine && left.path == right.path && left.name == right.name &&
           left.user == right.user &&
           std::equal(
               left.hosts.begin(), left.hosts.end(), right.hosts.begin(), right.hosts.end(),
               [](const store::Host& a, const store::Host& b) {
                   return a.name == b.name && a.port == b.port;
               });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(tests::text_of_input(data, size));
    store::StoreConfig config;
    if (const auto problem = store::read_address(text, config)) {
        require(!problem->empty() && problem->size() < 200, "a refusal says why, in few words");
        return 0;
    }
    const auto written = store::address_of(config);
    store::StoreConfig again;
    require(!store::read_address(written, again), "an address can be written and read again");
    require(same(config, again), "an address means the same when it is written again");
    if (config.engine == store::Engine::sqlite) {
        require(config.path == text && !text.empty(), "a path is taken as it is");
        return 0;
    }
    require(!config.hosts.empty(), "a server has a host");
    for (const auto& host : config.hosts) {
        require(host.port >= 1 && host.port <= 65535, "a port is a port");
        const auto string = store::connection_string(config, host).reveal();
        require(
            std::count(string.begin(), string.end(), ';') <= 20 && !core::has_control(string),
            "nothing of an address is an option of the driver");
        for (const auto& part : {host.name, config.name, config.user})
            require(
                part.find_first_of(";{}'\"=") == std::string::npos && core::valid_utf8(part) &&
                    !core::has_control(part),
                "a name in a connection string is plain");
    }
    return 0;
}
