#include "engines.h"

#include "sample.h"

#include <filesystem>

namespace consentgate::tests {
namespace {

// A folder that goes when the test program ends.
const std::string& scratch() {
    struct Folder {
        std::string path =
            (std::filesystem::temp_directory_path() / ("consentgate-store-" + fresh_id())).string();
        Folder() { std::filesystem::create_directories(path); }
        ~Folder() {
            std::error_code ignored;
            std::filesystem::remove_all(path, ignored);
        }
    };
    static const Folder folder;
    return folder.path;
}

std::unique_ptr<TestDatabase> make_sqlite() {
    store::StoreConfig config;
    config.queue = std::make_shared<store::WriterQueue>();
    config.path =
        scratch() +
        "/a folder with a blank/consent?gate#%41.db"; // characters that mean something in a URI
    std::filesystem::create_directories(std::filesystem::path(config.path).parent_path());
    store::migrate(config, noon);
    return std::make_unique<TestDatabase>(config, config);
}

// Migrated through one node; what the other node does not know yet, it waits for.
std::unique_ptr<TestDatabase> make_server(const std::string& kind, int other) {
    auto servers = std::make_shared<Servers>(kind, scratch() + "/" + kind);
    store::migrate(servers->config({1}), noon);
    return std::make_unique<TestDatabase>(servers->config({1}), servers->config({other}), servers);
}

} // namespace

std::vector<Engine>& engines() {
    static std::vector<Engine> all{
        {"sqlite", false, make_sqlite},
        {"postgresql", true, [] { return make_server("postgresql", 1); }},
        {"mariadb", true, [] { return make_server("mariadb", 1); }},
        {"galera", true, [] { return make_server("galera", 2); }},
    };
    return all;
}

} // namespace consentgate::tests
