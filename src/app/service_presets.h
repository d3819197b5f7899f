// The file knows providers that need more than their URL. Private to this module.
#pragma once

#include "consentgate/core/upstream/service.h"

#include <string>
#include <string_view>
#include <vector>

namespace consentgate::app::admin {

// Where a preset's service comes from.
enum class PresetWay {
    discovered, // from its URL; what stands here outweighs what it publishes
    by_hand,    // from here: it publishes nothing, or what is not for this use
};

// An empty text: the provider needs nothing of it, or each of its servers something else.
struct Preset {
    std::string_view id, name;
    PresetWay way = PresetWay::by_hand;
    std::string_view url; // empty: --url is needed
    std::string_view issuer{};
    std::string_view authorization_endpoint{}, token_endpoint{}, revocation_endpoint{};
    std::string_view scope{}; // to ask for; empty: what is published, or what the operator says
    std::vector<std::string_view> origins{};
    std::vector<std::string_view> authorize_parameters{};
    std::string_view token_path{};
    bool registers_us = false; // else a client is needed that the operator made there
    bool names_resource = true;
    std::string_view needs; // what to do there, for the operator
};

const std::vector<Preset>& presets();
const Preset* find_preset(std::string_view id); // null: there is none
std::string preset_names();                     // "atlassian, github, ..."

// Fills what the preset says; --url and its like come after.
void apply_preset(core::Service& service, const Preset& preset);

} // namespace consentgate::app::admin
