// The store suite: one list of cases, run on every engine. STORE_CASE defines a case and registers it in one act, so none
// can be forgotten; there is no way to leave an engine out of a case.
#pragma once

#include "consentgate/store/open.h"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <string>
#include <vector>

namespace consentgate::tests {

// An engine with an empty, migrated database of its own for the length of the suite. Cases share it and draw fresh ids.
class Ground {
public:
    explicit Ground(store::StoreConfig config) : config_(std::move(config)) {}

    store::StoreConfig config() const { return config_; }
    std::unique_ptr<store::Store> open() const { return store::open_store(config_); }
    // A store that calls `hook` before each of its statements.
    std::unique_ptr<store::Store> open(std::function<void(std::string_view)> hook) const {
        auto config = config_;
        config.before_statement = std::move(hook);
        return store::open_store(std::move(config));
    }

private:
    store::StoreConfig config_;
};

struct Case {
    const char* name;
    const char* labels; // requirement ids, separated by blanks
    void (*run)(Ground&);
};

inline std::vector<Case>& cases() {
    static std::vector<Case> all;
    return all;
}

#define STORE_CASE(name, labels)                                                                                       \
    static void name(consentgate::tests::Ground& ground);                                                              \
    [[maybe_unused]] static const bool name##_registered =                                                             \
        (consentgate::tests::cases().push_back({#name, labels, name}), true);                                          \
    static void name([[maybe_unused]] consentgate::tests::Ground& ground)

} // namespace consentgate::tests
