// A cache of values that were read and cannot have changed since; private to this module.
//
// A client calls its MCP server again and again with one token, and each call reads the same from
// the database. Where the last commit can be seen without asking the engine (SQLite), the value
// comes from memory for as long as nothing at all was committed since it was read. It is never
// stale, not even when another process has just revoked a session.
#pragma once

#include "db_session.h"

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace consentgate::store {

template <class Value> class Recent {
public:
    explicit Recent(std::size_t limit) : limit_(limit) {}

    // in:  last  the last commit; absent where it is not known
    // out: null when the value has to be read
    const Value* find(const std::optional<Commit>& last, const std::string& key) const {
        if (!last || last != as_of_) return nullptr;
        const auto found = values_.find(key);
        return found == values_.end() ? nullptr : &found->second;
    }

    // Keeps a value whose key is asked for a second time: copying values that are asked for once
    // would make each reading dearer.
    // in: before, after  the last commit before the reading and after it; when they differ, the
    //                    value may belong to either and is not kept
    void keep(
        const std::optional<Commit>& before, const std::optional<Commit>& after,
        const std::string& key, const Value& value) {
        if (limit_ == 0 || !before || before != after || !asked_before(key)) return;
        if (as_of_ != before || values_.size() >= limit_) values_.clear();
        as_of_ = before;
        values_.insert_or_assign(key, value);
    }

private:
    bool asked_before(const std::string& key) {
        const auto hash = std::hash<std::string>{}(key);
        return std::exchange(asked_[hash % asked_.size()], hash) == hash;
    }

    std::size_t limit_;
    std::array<std::size_t, 256> asked_{}; // hashes of keys, each until another takes its place
    std::optional<Commit> as_of_;          // the commit that all values were read after
    std::unordered_map<std::string, Value> values_;
};

} // namespace consentgate::store
