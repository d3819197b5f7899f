// The engines there are, each set up once.
#pragma once

#include "case.h"

#include <memory>
#include <string>
#include <vector>

namespace consentgate::tests {

class Engine {
public:
    Engine(std::string name_, bool has_servers_, std::function<std::unique_ptr<Ground>()> make)
        : name(std::move(name_)), has_servers(has_servers_), make_(std::move(make)) {}

    const std::string name;
    const bool has_servers;

    Ground& ground() {
        if (!ground_) ground_ = make_();
        return *ground_;
    }

private:
    std::function<std::unique_ptr<Ground>()> make_;
    std::shared_ptr<Ground> ground_;
};

std::vector<Engine>& engines();

} // namespace consentgate::tests
