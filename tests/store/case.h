// The store suite: one list of cases, run on every engine. STORE_CASE defines and registers a case,
// so that none is forgotten and none leaves an engine out. SERVER_CASE is for failures that only
// servers have: hosts, connections, sessions that end.
#pragma once

#include "servers.h"

#include "consentgate/store/open.h"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <string>
#include <vector>

namespace consentgate::tests {

// An engine with an empty, migrated database of its own for the length of the suite. Cases share it
// and draw fresh ids.
class TestDatabase {
public:
    // in: other  another way to the same database: through a second node, where there are nodes
    //     servers  that serve it; absent for an embedded one
    TestDatabase(
        store::StoreConfig config, store::StoreConfig other,
        std::shared_ptr<Servers> servers = nullptr)
        : config_(std::move(config)), other_(std::move(other)), servers_(std::move(servers)) {
        // Processes that race beside builds and other tests wait for each other longer than people.
        config_.wait = other_.wait = std::chrono::milliseconds(20000);
    }

    store::StoreConfig config() const { return config_; }
    store::StoreConfig other_config() const { return other_; }
    Servers* servers() const { return servers_.get(); }
    // A database of its own with nothing in it, by both ways.
    std::pair<store::StoreConfig, store::StoreConfig> empty_database() const;
    std::unique_ptr<store::Store> open() const { return store::open_store(config_); }
    // A store that calls `hook` before each of its statements.
    std::unique_ptr<store::Store> open(std::function<void(std::string_view)> hook) const {
        auto config = config_;
        config.before_statement = std::move(hook);
        return store::open_store(std::move(config));
    }

private:
    store::StoreConfig config_, other_;
    std::shared_ptr<Servers> servers_;
};

struct Case {
    const char* name;
    const char* labels; // requirement ids, separated by blanks
    void (*run)(TestDatabase&);
    bool servers_only;
};

inline std::vector<Case>& cases() {
    static std::vector<Case> all;
    return all;
}

#define STORE_CASE(name, labels) CASE_FOR(name, labels, false)
#define SERVER_CASE(name, labels) CASE_FOR(name, labels, true)
#define CASE_FOR(name, labels, servers_only)                                                       \
    static void name(consentgate::tests::TestDatabase& database);                                  \
    [[maybe_unused]] static const bool name##_registered =                                         \
        (consentgate::tests::cases().push_back({#name, labels, name, servers_only}), true);        \
    static void name([[maybe_unused]] consentgate::tests::TestDatabase& database)

} // namespace consentgate::tests
