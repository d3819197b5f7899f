// The rules of who may use what, and teams. in, out, fail, threads: as store.h says for all stores.
#pragma once

#include "consentgate/core/access/rules.h"
#include "consentgate/core/oauth/access.h"
#include "consentgate/store/failure.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace consentgate::store {

class Database;

// All rules and teams, of one version.
struct AccessRecords {
    std::int64_t version = 0;      // 0: nothing was ever written
    std::int64_t next_rule = 1;    // the number of the next rule
    bool open = true;              // what a target without rules answers
    std::vector<core::Rule> rules; // in the order of their numbers
    std::vector<core::TeamMember> members;
};

// One command makes these changes, all of them or none.
struct AccessChange {
    std::vector<core::Rule> added{};
    std::vector<std::int64_t> removed{}; // numbers
    std::vector<core::TeamMember> joined{}, left{};
    std::optional<bool> open{};

    bool empty() const {
        return added.empty() && removed.empty() && joined.empty() && left.empty() && !open;
    }
};

class AccessStore {
public:
    explicit AccessStore(Database& db) : db_(db) {}

    AccessRecords read();
    // The version of now.
    std::int64_t version();
    // The rules of that version or a later one, read only when they are not those of the last call.
    // in: version  as a statement of this store returned it
    std::shared_ptr<const core::AccessRules> rules(std::int64_t version);
    // The version of the rules, and the person's standing when there is one.
    core::AccessStanding standing(const std::optional<core::PersonId>& person);
    // The person as of that version or a later one, read only when this store does not remember it.
    // out: null: there is none
    // in:  version  as a statement of this store returned it
    std::shared_ptr<const core::Person> person(const core::PersonId& id, std::int64_t version);
    // Every person, in the order of their ids.
    void for_each_person(const std::function<void(const core::Person&)>& meet);
    // no: they are not of `of.version` any more.
    // in: change_id  fresh, by which the writer recognises its own write
    Applied change(
        const AccessRecords& of, const AccessChange& change, const std::string& change_id);

private:
    Database& db_;
    std::int64_t remembered_ = -1; // the version of rules_
    std::shared_ptr<const core::AccessRules> rules_;
    std::unordered_map<std::string, std::shared_ptr<const core::Person>> people_; // by id
    std::size_t people_bytes_ = 0;
};

} // namespace consentgate::store
