// Environment variables that are as before when a case is over.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace consentgate::tests {

class Environment {
public:
    Environment() = default;
    ~Environment() {
        for (const auto& [name, value] : before_) {
            if (value)
                ::setenv(name.c_str(), value->c_str(), 1);
            else
                ::unsetenv(name.c_str());
        }
    }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

    void set(const std::string& name, const std::string& value) {
        remember(name);
        ::setenv(name.c_str(), value.c_str(), 1);
    }
    void unset(const std::string& name) {
        remember(name);
        ::unsetenv(name.c_str());
    }

private:
    void remember(const std::string& name) {
        const char* value = std::getenv(name.c_str());
        before_.insert(
            before_.begin(),
            {name, value != nullptr ? std::optional<std::string>(value) : std::nullopt});
    }
    std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

} // namespace consentgate::tests
