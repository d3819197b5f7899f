// The engines there are, each set up once.
#pragma once

#include "case.h"

#include <memory>
#include <string>
#include <vector>

namespace consentgate::tests {

class Engine {
public:
    Engine(std::string name_, std::function<std::unique_ptr<Ground>()> make) : name(std::move(name_)), make_(std::move(make)) {}

    const std::string name;

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
