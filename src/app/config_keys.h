// The keys of the configuration: name, default, and what each sets. Private to this module.
#pragma once

#include "consentgate/app/config.h"

#include <functional>
#include <string>
#include <vector>

namespace consentgate::app {

// The problem of a value, in words that follow the key's name; empty when it is good.
using Problem = std::string;

struct Key {
    std::string name;
    std::string standard;
    std::function<Problem(Config&, const std::string&)> set;
    bool in_environment_only = false;
};

// All keys, in the order in which they must be set: default_scopes and scope_implies need scopes.
// conf/consentgate.conf explains each.
const std::vector<Key>& keys();

// Those of signing in at identity providers, which are among them.
std::vector<Key> signin_keys();

} // namespace consentgate::app
