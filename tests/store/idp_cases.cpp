// Identity providers: every column, one row for an issuer, and who asks for keys.
#include "sample.h"

#include "tests/support/child.h"

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

namespace {

core::IdentityProvider sample_idp() {
    core::IdentityProvider idp;
    idp.id = core::IdpId("i-" + core::lower_ascii(core::to_hex(fresh_bytes(8))));
    idp.title = "S\xC3\xA4mple Corp";
    idp.issuer = "https://sso.example/realms/" + idp.id.text;
    idp.kind = core::ProviderKind::keycloak;
    idp.authorization_endpoint = idp.issuer + "/auth";
    idp.token_endpoint = idp.issuer + "/token";
    idp.jwks_uri = idp.issuer + "/certs";
    idp.client_id = "consentgate";
    idp.client_secret = std::string("\0cipher\xff", 8);
    idp.key_id = core::KeyId("k1");
    idp.scope = "openid email profile groups";
    idp.groups_claim = "/realm_access/roles";
    idp.signing_algorithms = {"RS256", "ES256"};
    idp.jwks = R"({"keys":[]})";
    idp.jwks_expires_at = noon + core::Span(3600);
    idp.created_at = noon;
    return idp;
}

core::IdentityProvider stored(store::Store& store, const core::IdpId& id) {
    const auto found = store.idps.find(id);
    BOOST_REQUIRE(found.has_value());
    return *found;
}

core::IdentityProvider put_sample(store::Store& store) {
    const auto idp = sample_idp();
    BOOST_REQUIRE((store.idps.put(idp) == Applied::yes));
    return idp;
}

} // namespace

STORE_CASE(an_idp_without_keys_comes_back_without_an_address_of_them, "SI16") {
    const auto store = database.open();
    auto idp = sample_idp();
    idp.kind = core::ProviderKind::github;
    idp.jwks_uri.clear();
    BOOST_REQUIRE((store->idps.put(idp) == Applied::yes));
    const auto back = stored(*store, idp.id);
    BOOST_TEST(back.jwks_uri.empty());
    BOOST_TEST(!back.has_id_tokens());
    BOOST_TEST(!back.graph_groups);
}

STORE_CASE(an_idp_comes_back_as_it_was_put, "SI1") {
    const auto store = database.open();
    auto idp = sample_idp();
    idp.userinfo_endpoint = idp.issuer + "/userinfo";
    idp.end_session_endpoint = idp.issuer + "/logout";
    idp.auth = core::ClientAuth::client_secret_post;
    idp.secret_expires_at = noon + core::Span(86400);
    idp.email_trust = core::EmailTrust::always;
    idp.kept_claims = {"hd", "https://example.org/level"};
    idp.logout = core::LogoutEffect::person;
    idp.userinfo = core::UserinfoUse::never;
    idp.authorize_parameters = {"access_type=offline"};
    idp.allowed_tenants = {"72f988bf-86f1-41af-91ab-2d7cd011db47"};
    idp.domains = {"example.org", "example.com"};
    idp.any_account = true;
    idp.graph_groups = true;
    idp.prompts = {"login", "select_account"};
    idp.sends_iss = true;
    BOOST_REQUIRE((store->idps.put(idp) == Applied::yes));
    const auto back = stored(*store, idp.id);
    BOOST_TEST(back.title == idp.title);
    BOOST_TEST(back.issuer == idp.issuer);
    BOOST_TEST((back.kind == idp.kind));
    BOOST_TEST(back.authorization_endpoint == idp.authorization_endpoint);
    BOOST_TEST(back.token_endpoint == idp.token_endpoint);
    BOOST_TEST(back.jwks_uri == idp.jwks_uri);
    BOOST_TEST(back.graph_groups);
    BOOST_TEST(back.userinfo_endpoint == idp.userinfo_endpoint);
    BOOST_TEST(back.end_session_endpoint == idp.end_session_endpoint);
    BOOST_TEST(back.client_id == idp.client_id);
    BOOST_TEST((back.auth == idp.auth));
    BOOST_TEST((back.client_secret == idp.client_secret));
    BOOST_TEST((back.key_id == idp.key_id));
    BOOST_TEST((back.secret_expires_at == idp.secret_expires_at));
    BOOST_TEST(back.scope == idp.scope);
    BOOST_TEST(back.groups_claim == idp.groups_claim);
    BOOST_TEST((back.email_trust == idp.email_trust));
    BOOST_TEST(back.kept_claims == idp.kept_claims);
    BOOST_TEST((back.logout == idp.logout));
    BOOST_TEST((back.userinfo == idp.userinfo));
    BOOST_TEST(back.authorize_parameters == idp.authorize_parameters);
    BOOST_TEST(back.allowed_tenants == idp.allowed_tenants);
    BOOST_TEST(back.domains == idp.domains);
    BOOST_TEST(back.any_account);
    BOOST_TEST(back.signing_algorithms == idp.signing_algorithms);
    BOOST_TEST(back.prompts == idp.prompts);
    BOOST_TEST(back.sends_iss);
    BOOST_TEST(back.jwks == idp.jwks);
    BOOST_TEST((back.jwks_expires_at == idp.jwks_expires_at));
    BOOST_TEST(!back.jwks_asked_at.has_value());
    BOOST_TEST(back.active);
    BOOST_TEST(back.version == 0);
    BOOST_TEST((back.created_at == noon));
    BOOST_TEST(store->idps.find_by_issuer(idp.issuer)->id.text == idp.id.text);
    BOOST_TEST(!store->idps.find_by_issuer(idp.issuer + "/").has_value());
    BOOST_TEST(!store->idps.find(core::IdpId(fresh_id())).has_value());
}

STORE_CASE(an_issuer_has_one_row, "SI1") {
    const auto store = database.open();
    const auto first = put_sample(*store);
    auto second = sample_idp();
    second.issuer = first.issuer;
    BOOST_TEST((store->idps.put(second) == Applied::no));
    BOOST_TEST(!store->idps.find(second.id).has_value());
    second.issuer += "/";
    BOOST_TEST((store->idps.put(second) == Applied::yes));
    second.issuer += "other";
    BOOST_TEST((store->idps.put(second) == Applied::no)); // its id is taken
}

STORE_CASE(a_change_of_an_idp_names_the_version_that_it_read, "SI14") {
    const auto store = database.open();
    auto idp = put_sample(*store);
    idp.title = "Other";
    BOOST_TEST((store->idps.update(idp) == Applied::yes));
    idp.title = "Late";
    BOOST_TEST((store->idps.update(idp) == Applied::no));
    const auto back = stored(*store, idp.id);
    BOOST_TEST(back.title == "Other");
    BOOST_TEST(back.version == 1);
    idp.version = 1;
    idp.active = false;
    BOOST_TEST((store->idps.update(idp) == Applied::yes));
    BOOST_TEST(!stored(*store, idp.id).active);
}

STORE_CASE(one_worker_in_a_minute_asks_for_the_keys_of_an_idp, "SI43") {
    const auto store = database.open(), other = database.open();
    const auto idp = put_sample(*store);
    const auto claim = [&](store::Store& of, core::Instant now) {
        return of.idps.claim_keys(idp.id, now - core::Span(60), now) == Applied::yes;
    };
    BOOST_TEST(claim(*store, noon));
    BOOST_TEST(!claim(*other, noon));
    BOOST_TEST(!claim(*other, noon + core::Span(59)));
    BOOST_TEST(claim(*other, noon + core::Span(60)));
    BOOST_TEST(!claim(*store, noon + core::Span(61)));
    BOOST_TEST(claim(*store, noon - core::Span(3600))); // the clock of the others had jumped ahead
    BOOST_TEST((store->idps.claim_keys(core::IdpId(fresh_id()), noon, noon) == Applied::no));
    BOOST_TEST(stored(*store, idp.id).version == 0);
}

STORE_CASE(keys_of_an_idp_are_replaced_without_a_new_version, "SI43 SI14") {
    const auto store = database.open();
    auto idp = put_sample(*store);
    idp.jwks = R"({"keys":[{"kid":"new"}]})";
    idp.jwks_expires_at = noon + core::Span(7200);
    BOOST_TEST((store->idps.keep_keys(idp) == Applied::yes));
    const auto back = stored(*store, idp.id);
    BOOST_TEST(back.jwks == idp.jwks);
    BOOST_TEST((back.jwks_expires_at == idp.jwks_expires_at));
    BOOST_TEST(back.version == 0);
    BOOST_TEST((store->idps.update(idp) == Applied::yes)); // the operator's change came in between
    BOOST_TEST((store->idps.keep_keys(idp) == Applied::no));
}

STORE_CASE(the_secret_of_an_idp_moves_to_another_server_key, "SI4") {
    const auto store = database.open();
    auto idp = sample_idp();
    idp.key_id = core::KeyId("k" + fresh_id());
    const auto before = idp.key_id;
    BOOST_REQUIRE((store->idps.put(idp) == Applied::yes));
    const auto rows_of = [&](const core::KeyId& key) {
        std::size_t rows = 0;
        for (const auto& use : store->server_keys.list_uses(noon))
            if (use.key == key) rows += use.idps;
        return rows;
    };
    BOOST_TEST(rows_of(before) == 1);
    idp.key_id = core::KeyId("k" + fresh_id());
    idp.client_secret = "anew";
    BOOST_TEST((store->server_keys.rekey_idp(idp, core::KeyId("k1")) == Applied::no));
    BOOST_TEST((store->server_keys.rekey_idp(idp, before) == Applied::yes));
    BOOST_TEST(rows_of(before) == 0);
    BOOST_TEST(rows_of(idp.key_id) == 1);
    const auto back = stored(*store, idp.id);
    BOOST_TEST((back.client_secret == "anew"));
    BOOST_TEST(back.version == 0); // sign-ins under way go on
}
