// A preset must be usable as it stands.
#include "app/service_presets.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/scope.h"
#include "consentgate/core/upstream/service_discovery.h"
#include "consentgate/core/upstream/service_options.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace consentgate;
using namespace consentgate::app::admin;

BOOST_AUTO_TEST_SUITE(service_presets, *boost::unit_test::label("XC9"))

BOOST_AUTO_TEST_CASE(each_provider_is_known_and_their_names_are_in_order) {
    BOOST_TEST(
        preset_names() == "atlassian, github, gitlab, google, hubspot, linear, microsoft, notion, "
                          "salesforce, slack");
    BOOST_TEST(find_preset("slack")->name == "Slack");
    for (const auto* nothing : {"", "Slack", "slac", "slack "})
        BOOST_TEST(find_preset(nothing) == nullptr, nothing);
}

BOOST_AUTO_TEST_CASE(what_a_preset_says_is_what_the_commands_take) {
    for (const auto& preset : presets()) {
        BOOST_TEST_CONTEXT(preset.id) {
            const bool by_hand = preset.way == PresetWay::by_hand;
            BOOST_TEST(by_hand == !preset.authorization_endpoint.empty());
            BOOST_TEST(by_hand == !preset.token_endpoint.empty());
            for (const auto url :
                 {preset.url, preset.issuer, preset.authorization_endpoint, preset.token_endpoint,
                  preset.revocation_endpoint})
                BOOST_TEST(
                    (url.empty() || (core::check_endpoint(url) && url.starts_with("https:"))));
            BOOST_TEST((preset.scope.empty() || core::ScopeSet::parse(std::string(preset.scope))));
            for (const auto parameter : preset.authorize_parameters)
                BOOST_TEST(static_cast<bool>(core::check_authorize_parameter(parameter)));
            BOOST_TEST((preset.token_path.empty() || core::check_token_path(preset.token_path)));
            BOOST_TEST(core::count_characters(preset.needs) > 20U, "in words");
            BOOST_TEST(!preset.needs.ends_with('.'), "the command goes on after it");
        }
    }
}

BOOST_AUTO_TEST_CASE(a_preset_by_hand_passes_the_rule_about_origins) {
    for (const auto& preset : presets()) {
        core::Service service;
        service.id = core::ServiceId(std::string(preset.id));
        apply_preset(service, preset);
        BOOST_TEST(service.name == preset.name);
        if (preset.way == PresetWay::discovered) continue;
        BOOST_TEST(static_cast<bool>(core::check_origins(service, {})), preset.id);
    }
}

BOOST_AUTO_TEST_SUITE_END()
