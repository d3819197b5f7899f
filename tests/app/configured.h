// Configuration files, read in an environment that says nothing.
#pragma once

#include "consentgate/app/config.h"

#include "tests/support/environment.h"
#include "tests/support/temp_folder.h"

#include <Poco/String.h>

#include <string>

namespace consentgate::tests {

inline const std::string required =
    "issuer = https://auth.example.org\nresources = https://tools.example.org/mcp\n";

struct Configured {
    TempFolder folder;
    Environment environment;

    Configured() {
        for (const auto& key : app::known_keys())
            environment.unset("CONSENTGATE_" + Poco::toUpper(key.name));
    }

    app::Config read(const std::string& text) {
        return app::read_config(folder.write("consentgate.conf", text));
    }
    app::Config with(const std::string& lines) { return read(required + lines + "\n"); }

    // The problems of a file, or "ok".
    std::string problems(const std::string& text) {
        try {
            read(text);
            return "ok";
        } catch (const app::ConfigError& error) {
            return error.what();
        }
    }
    std::string problems_with(const std::string& lines) {
        return problems(required + lines + "\n");
    }
};

inline bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace consentgate::tests
