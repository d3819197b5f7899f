// Random bytes that are the same in every run, and different at every call.
#pragma once

#include "consentgate/sys/random.h"

#include <string>

namespace consentgate::tests {

class CountingRandom final : public sys::Random {
public:
    std::string bytes(std::size_t count) override {
        std::string out;
        while (out.size() < count)
            out += core::sha256_bytes("counting random " + std::to_string(++calls_));
        out.resize(count);
        return out;
    }

    unsigned calls() const { return calls_; }

private:
    unsigned calls_ = 0;
};

} // namespace consentgate::tests
