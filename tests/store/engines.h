// The engines, each set up once.
#pragma once

#include "case.h"

#include <memory>
#include <string>
#include <vector>

namespace consentgate::tests {

class Engine {
public:
    Engine(
        std::string name_, bool has_servers_, std::function<std::unique_ptr<TestDatabase>()> make)
        : name(std::move(name_)), has_servers(has_servers_), make_(std::move(make)) {}

    const std::string name;
    const bool has_servers;

    TestDatabase& database() {
        if (!database_) database_ = make_();
        return *database_;
    }

private:
    std::function<std::unique_ptr<TestDatabase>()> make_;
    std::shared_ptr<TestDatabase> database_;
};

std::vector<Engine>& engines();

} // namespace consentgate::tests
