#include "case.h"

#include "sample.h"

#include <filesystem>

namespace consentgate::tests {

std::pair<store::StoreConfig, store::StoreConfig> TestDatabase::empty_database() const {
    auto one = config_, other = other_;
    if (servers_ == nullptr) {
        one.path =
            (std::filesystem::path(config_.path).parent_path() / (fresh_id() + ".db")).string();
        return {one, one};
    }
    one.name = "g" + fresh_digest().hex.substr(0, 16);
    other.name = one.name;
    if (one.engine == store::Engine::postgresql) {
        servers_->sql(1, "CREATE DATABASE " + one.name + " OWNER consentgate");
    } else {
        servers_->sql(1, "CREATE DATABASE " + one.name);
        servers_->sql(1, "GRANT ALL ON " + one.name + ".* TO consentgate@'%'");
    }
    return {one, other};
}

} // namespace consentgate::tests
