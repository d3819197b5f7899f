#include "population.h"

#include "consentgate/core/oauth/consent.h"

#include <stdexcept>

namespace consentgate::bench {

core::Person make_person(const std::string& subject, int groups) {
    core::Person person;
    person.idp = core::IdpId("corp");
    person.issuer = "https://sso.example.org";
    person.subject = subject;
    person.id = core::person_id(person.issuer, subject);
    person.name = "Anna";
    person.email = subject + "@example.org";
    for (int i = 0; i < groups; ++i) person.groups.push_back("group-" + std::to_string(1000 + i));
    person.version = 1;
    return person;
}

namespace {

core::Rule allow_group(int number, const std::string& name, const std::string& resource) {
    return {
        .number = number,
        .who = {.kind = core::WhoKind::group, .realm = "corp", .name = name},
        .target = {.resource = resource}};
}

} // namespace

std::vector<core::Rule> rules_of(int count, const std::string& match, const std::string& resource) {
    std::vector<core::Rule> rules;
    for (int i = 1; i < count; ++i)
        rules.push_back(allow_group(i, "team-" + std::to_string(1000 + i), resource));
    rules.push_back(allow_group(count, match, resource));
    return rules;
}

std::string Population::token_for(const core::Identity& identity, const std::string& resource) {
    core::Flow flow;
    flow.id = core::FlowId(random_.id(16));
    flow.client_id = core::ClientId("bench-client");
    flow.browser = core::sha256(random_.secret());
    flow.redirect_uri = "http://127.0.0.1:53111/callback";
    flow.code_challenge = random_.id(32);
    flow.scope = policy_.default_scopes;
    flow.resource = resource;
    flow.identity = identity;
    flow.created_at = now_;
    flow.expires_at = now_ + std::chrono::hours(1);
    store_.flows.put(flow);
    const core::FreshSession fresh{core::SessionId(random_.id(16)), random_.secret()};
    auto token = keyring_.session_token(keyring_.newest(), fresh.code)->reveal();
    auto made = core::finalize(flow, identity, fresh, keyring_, policy_, now_);
    made.policy_version = store_.access.version();
    if (identity.is_person()) made.person = {anna.id, anna.version};
    if (store_.flows.finalize(made) != store::Applied::yes)
        throw std::runtime_error("a session was not made");
    return token;
}

void Population::put(const std::vector<std::string>& resources) {
    core::Client client;
    client.id = core::ClientId("bench-client");
    client.name = "Bench";
    client.metadata = "{}";
    client.created_at = now_;
    client.redirect_uris = {"http://127.0.0.1:53111/callback"};
    store_.clients.put(client);
    core::IdentityProvider idp;
    idp.id = anna.idp;
    idp.title = "Example Corp";
    idp.issuer = anna.issuer;
    idp.authorization_endpoint = idp.token_endpoint = idp.jwks_uri = idp.issuer;
    idp.client_id = "consentgate";
    idp.key_id = keyring_.newest();
    idp.created_at = now_;
    store_.idps.put(idp);
    store_.people.put(anna);
    store::AccessChange change;
    for (const auto& resource : resources) {
        for (auto rule : rules_of(20, "group-1025", resource)) change.added.push_back(rule);
        change.added.push_back(
            {.who = {.kind = core::WhoKind::unverified}, .target = {.resource = resource}});
    }
    std::int64_t number = 0;
    for (auto& rule : change.added) rule.number = ++number;
    if (store_.access.change(store_.access.read(), change, random_.id(16)) != store::Applied::yes)
        throw std::runtime_error("the rules were not written");
}

} // namespace consentgate::bench
