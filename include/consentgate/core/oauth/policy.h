// The operator's decisions, as values. Read once at start; the rules take them as a parameter.
#pragma once

#include "consentgate/core/base/time.h"
#include "consentgate/core/oauth/identity.h"
#include "consentgate/core/oauth/resource.h"
#include "consentgate/core/oauth/scope.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consentgate::core {

// The clients for which a person may go on as in an earlier consent: none, those with an https
// redirect URI, or all.
enum class RememberConsent { never, https, always };
// The source of a person's identity: their answer on a page (off), or the web server's REMOTE_USER
// and nothing else.
enum class VerifiedUser { off, remote_user };
// Whose Client ID Metadata Documents are read. A list entry is a host, `*.` and a domain for all
// hosts below it, or either with `:PORT`; lower case.
struct DocumentPolicy {
    bool accepted = false;
    std::vector<std::string> hosts; // the only ones; empty: every host that is not denied
    std::vector<std::string> denied_hosts;
    std::vector<std::string>
        insecure_test_hosts; // HOST:PORT on a loopback address of this machine; empty but in tests
};

// Where clients that nobody checked may have people sent back to: clients that register themselves
// or have a document. Absent: anywhere that check_redirect_uri accepts.
struct RedirectPolicy {
    // These hosts, as in DocumentPolicy, may stand in https addresses; `loopback` stands for all
    // addresses of the person's own computer.
    std::optional<std::vector<std::string>> hosts{};
    std::optional<std::vector<std::string>> schemes{}; // private-use ones, lower case: cursor
};

struct Policy {
    std::string issuer; // as published: no trailing slash, no query, no fragment
    std::vector<GuardedResource> resources; // at least one; the configured ones first
    std::vector<Scope> scopes;              // the catalogue; at least one
    ScopeSet default_scopes; // granted when a client names none; a subset of the catalogue
    std::vector<ScopeImplication> implications; // what broader scopes hold
    IdentityKinds identities{IdentityKind::virtual_key, IdentityKind::verified_user}; // come in
    VerifiedUser verified_user = VerifiedUser::off;
    bool registration_enabled = true;
    bool publish_resources = true; // the server's own metadata names the guarded ones
    RememberConsent remember_consent = RememberConsent::never;
    DocumentPolicy documents;
    RedirectPolicy redirects;
    // Clients that registered themselves from one caller and were never used; 0: no limit.
    std::size_t max_unused_clients = 50;

    Span flow_lifetime{900};
    Span code_lifetime{300};
    Span signin_lifetime{12 * 3600}; // of a browser's sign-in at an identity provider
    Span signin_max_age{30 * 86400}; // a refresh needs one that is at most so old
    bool signin_straight = false;    // to the provider, where it is the only way in
    Span assertion_lifetime{300};    // of a call's facts as a JWT
    std::string access_contact{};    // whom people ask who are not let in; empty: nobody
    Span session_lifetime{86400}; // of an access token, and of a session that cannot be refreshed
    Span refresh_idle{
        30 * 86400}; // a refresh token that is not used for so long is over; 0: none are issued
    Span refresh_lifetime{90 * 86400}; // of a session, however often it is refreshed
    Span upstream_lease{
        20}; // a worker may refresh a person's upstream token for so long before another may try
    Span refresh_grace{3600}; // a used refresh token may be answered again for so long

    std::string client_name = "consentgate"; // ours, as a client of upstream services

    std::string virtual_key_claim = "virtual_key_id"; // of a JWT; `sub` is read when it is absent
    std::string admin_claim = "role";
    std::string admin_value = "admin";

    bool refreshes() const { return refresh_idle > Span(0); }
    ScopeSet catalogue() const;
    std::string words(
        std::string_view scope) const; // the scope's own name when the catalogue lacks it
    std::string origin() const;        // the issuer's scheme, host and port
    std::string issuer_path() const;   // "" or "/t1"
    bool secure() const { return issuer.starts_with("https:"); }

    // The resource a client named, in its published spelling; absent when it is none of ours.
    std::optional<GuardedResource> known_resource(std::string_view named) const;
    // As known_resource, and else the only one that a client's spelling can mean: see
    // spells_resource, or the origin of one resource alone. spec: docs/requirements.md XE5
    std::optional<GuardedResource> meant_resource(std::string_view named) const;
    // The scopes that every request to the resource needs: its own, or the default ones.
    const ScopeSet& scopes_of(const GuardedResource& resource) const {
        return resource.scope.empty() ? default_scopes : resource.scope;
    }
    ScopeSet with_implied(const ScopeSet& granted) const; // and all that follows from what follows
};

// A client that holds a grant for a resource may name it in any spelling, or by its origin: the
// grant stays as narrow as it was.
bool names_session_resource(std::string_view named, const std::string& resource);

} // namespace consentgate::core
