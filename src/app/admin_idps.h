// The commands about identity providers: what adding one shares with changing it. Private to this
// module.
#pragma once

#include "admin.h"

#include "consentgate/core/signin/identity_provider.h"
#include "consentgate/core/signin/provider_metadata.h"
#include "consentgate/usecase/identity_providers.h"

namespace consentgate::app::admin {

// fail: throws for an id that nobody added
core::IdentityProvider named_idp(Context& context, const Arguments& arguments);
// fail: throws in the words of what could not be asked
usecase::PublishedProvider published_by(Context& context, const core::IdentityProvider& idp);
// in: answer  of the provider to a question with our redirect address
std::string redirect_problem(
    Context& context, const core::IdentityProvider& idp, const std::string& answer);

Command idp_test_command();
Command idp_try_command();

std::vector<Option> idp_add_options();
std::vector<Option> idp_set_options();

// The row as the options of `idp add` describe it, before the provider is asked.
// fail: throws UsageError
core::IdentityProvider read_new_idp(Context& context, const Arguments& arguments);
// Takes what the options that `idp add` and `idp set` share say. fail: throws UsageError
void apply_idp_options(core::IdentityProvider& idp, const Arguments& arguments);
// Takes those of them that say who may sign in at all. fail: throws UsageError
void apply_idp_fence(core::IdentityProvider& idp, const Arguments& arguments);
// Takes from the metadata the scope to ask for, and how our client proves itself.
// fail: throws UsageError
void apply_idp_metadata(
    core::IdentityProvider& idp, const core::ProviderMetadata& metadata,
    const Arguments& arguments);
// Encrypts the secret that --client-secret-file names, if it is given.
void apply_idp_secret(
    usecase::Dependencies& deps, core::IdentityProvider& idp, const Arguments& arguments);

} // namespace consentgate::app::admin
