// The file knows what identity providers need beside their metadata. Private to this module.
// spec: docs/requirements_signin.md SI5, SI16
#pragma once

#include "consentgate/core/signin/identity_provider.h"

#include <string>
#include <string_view>
#include <vector>

namespace consentgate::app::admin {

struct IdpPreset {
    core::ProviderKind kind = core::ProviderKind::generic;
    std::string_view title{};
    std::string_view issuer{}; // of the provider that there is one of; empty: it is made of options
    std::string_view groups_claim = "groups"; // empty: it names no groups
    std::vector<std::string_view> kept_claims{};
    std::vector<std::string_view> prompts{}; // that it takes, and does not announce
    std::string_view groups_need{};          // to be done there, so that groups come
};

const std::vector<IdpPreset>& idp_presets();
const IdpPreset& idp_preset(core::ProviderKind kind);
std::string idp_preset_names(); // "keycloak, entra, ..."

// The issuer as the preset's options describe it.
// in:   url, realm, tenant  empty: not given
// out:  empty: the preset says nothing of it
// fail: the message is for the operator
core::Result<std::string> preset_issuer(
    const IdpPreset& preset, std::string url, const std::string& realm, const std::string& tenant);

// Somebody whom the organisation does not know can have an account at Google and at Microsoft; an
// operator says who is meant.
// fail: the message is for the operator
core::Checked check_fence(const core::IdentityProvider& idp);
// Everybody can have an account there: at github.com and gitlab.com.
bool is_open_to_all(const core::IdentityProvider& idp);
// A new provider of those has a fence, or the operator's word that it needs none.
core::Checked check_named_members(const core::IdentityProvider& idp);

} // namespace consentgate::app::admin
