// Random values from the operating system's generator, through OpenSSL, which reseeds itself after
// a fork.
#pragma once

#include "consentgate/core/base/ids.h"
#include "consentgate/core/base/secret.h"

#include <cstddef>
#include <string>

namespace consentgate::sys {

class Random {
public:
    virtual ~Random() = default;
    // `count` random bytes. fail: throws std::runtime_error; there is no weaker fallback
    virtual std::string bytes(std::size_t count) = 0;

    core::Secret secret();             // 32 random bytes as 43 base64url characters
    std::string id(std::size_t bytes); // as base64url characters: 16 bytes give 22
};

class OsRandom final : public Random {
public:
    std::string bytes(std::size_t count) override;
};

} // namespace consentgate::sys
