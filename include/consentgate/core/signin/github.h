// GitHub, which is no provider of OpenID Connect: its addresses are known, and it says who somebody
// is in answers of its API to an access token. The shapes are known from its documentation alone.
// spec: docs/requirements_signin.md SI16, SI46
#pragma once

#include "consentgate/core/base/secret.h"
#include "consentgate/core/signin/group_pages.h"
#include "consentgate/core/signin/id_token.h"
#include "consentgate/core/signin/provider_metadata.h"

#include <optional>
#include <string>
#include <string_view>

namespace consentgate::core {

// GitHub publishes no metadata; this stands in for them. Its addresses are those of github.com, of
// subdomains of ghe.com, and elsewhere of GitHub Enterprise Server.
ProviderMetadata github_metadata(const std::string& issuer);

struct GithubToken {
    Secret access_token;
    bool may_read_groups = true;           // false: the scope that it gave does not let us
    std::optional<Secret> refresh_token{}; // of an app whose tokens expire
};
// fail: as read_provider_tokens. Its errors come with status 200
Result<GithubToken> read_github_token(const ServiceReply& reply);

// Chooses what is kept to ask about the person later: the refresh token where there is one, else
// the access token, which is good until somebody takes it back.
Secret kept_github_token(const GithubToken& token);
// out: absent: what was kept is a refresh token
std::optional<GithubToken> github_token_of(const Secret& kept);

// GitHub's answer to a refresh token.
// fail: invalid_grant: it is over; service_unavailable: anything else that is no answer
Result<GithubToken> read_renewed_github_token(const ServiceReply& reply);
// fail: as read_renewed_github_token, from the answer of /user to a token that was kept
Checked check_github_token(const ServiceReply& reply);

// The claims that an ID token would hold, from /user. The subject is the number of the account,
// because its name can be changed, and taken by another.
// fail: service_unavailable, access_denied
Result<ProvedClaims> read_github_user(
    const ServiceReply& reply, const IdentityProvider& provider, Instant now);

// Adds the primary address, of /user/emails; an answer that is none adds nothing.
void add_github_email(ProvedClaims& proved, const ServiceReply& reply);

// One page of /user/orgs ("org") or of /user/teams ("org/team"), in lower case.
// in:   link  the Link header of the answer
//       asked  the address that was asked
// fail: service_unavailable, access_denied: the groups are unknown
// spec: RFC 8288
Result<GroupPage> read_github_groups(
    const ServiceReply& reply, const std::string& link, const std::string& asked);

} // namespace consentgate::core
