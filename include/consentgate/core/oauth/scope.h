// Sets of scopes. spec: RFC 6749 section 3.3
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

struct Scope {
    std::string name;  // scope-token characters
    std::string words; // what it lets a client do, in plain words, for the consent page
};

class ScopeSet {
public:
    // Names separated by single spaces; repeated names count once. Absent when a name has a
    // character that RFC 6749 forbids.
    static std::optional<ScopeSet> parse(std::string_view text);

    bool contains(std::string_view name) const;
    bool empty() const { return names_.empty(); }
    const std::vector<std::string>& names() const& { return names_; }
    // By value: a loop over the names of a temporary would walk what is gone.
    std::vector<std::string> names() && { return std::move(names_); }
    bool covers(const ScopeSet& other) const; // has all of its names
    ScopeSet within(const ScopeSet& other)
        const; // those of this set that are in the other, in this set's order
    ScopeSet with(const ScopeSet& other) const; // this set's names, then those that it lacks
    ScopeSet without(const ScopeSet& other) const;
    std::string text() const; // names joined by a space
    bool operator==(const ScopeSet&) const = default;

private:
    std::vector<std::string> names_;
};

// A token with one scope may do what the implied scopes allow.
struct ScopeImplication {
    std::string scope;
    ScopeSet implied;
};

} // namespace consentgate::core
