// The configuration keys of signing in at identity providers.
#include "config_keys.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/signin/remote_groups.h"

#include <Poco/NumberParser.h>

namespace consentgate::app {
namespace {

using core::Span;

// A span of 1 to `limit` units.
std::function<Problem(Config&, const std::string&)> span(
    int limit, Span unit, Span core::Policy::*field) {
    return [=](Config& config, const std::string& value) -> Problem {
        int parsed = 0;
        if (!Poco::NumberParser::tryParse(value, parsed) || parsed < 1 || parsed > limit)
            return "must be a number from 1 to " + std::to_string(limit);
        config.policy.*field = parsed * unit;
        return {};
    };
}

Problem set_straight(Config& config, const std::string& value) {
    if (value != "yes" && value != "no") return "must be yes or no";
    config.policy.signin_straight = value == "yes";
    return {};
}

Problem set_contact(Config& config, const std::string& value) {
    if (!core::valid_utf8(value) || core::has_control(value) || core::count_characters(value) > 200)
        return "must be at most 200 characters on one line";
    config.policy.access_contact = value;
    return {};
}

Problem set_remote_groups(Config& config, const std::string& value) {
    if (value.empty()) return {};
    auto how = core::parse_remote_groups(value);
    if (!how) return how.error().message;
    config.remote_groups = std::move(*how);
    return {};
}

} // namespace

std::vector<Key> signin_keys() {
    return {
        {"signin_hours", "12", span(720, Span(3600), &core::Policy::signin_lifetime)},
        {"signin_max_age_days", "30", span(365, Span(86400), &core::Policy::signin_max_age)},
        {"signin_straight", "no", set_straight},
        {"assertion_seconds", "300", span(3600, Span(1), &core::Policy::assertion_lifetime)},
        {"access_contact", "", set_contact},
        {"remote_groups", "", set_remote_groups},
    };
}

} // namespace consentgate::app
