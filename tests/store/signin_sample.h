// Rows of people and their sign-ins, each with ids of its own.
#pragma once

#include "sample.h"

#include "consentgate/core/signin/browser_signin.h"

namespace consentgate::tests {

inline core::IdpId put_sample_idp(store::Store& store) {
    core::IdentityProvider idp;
    idp.id = core::IdpId("i-" + core::lower_ascii(core::to_hex(fresh_bytes(8))));
    idp.title = "Example Corp";
    idp.issuer = "https://sso.example/" + idp.id.text;
    idp.authorization_endpoint = idp.token_endpoint = idp.jwks_uri = idp.issuer;
    idp.client_id = "consentgate";
    idp.key_id = core::KeyId("k1");
    idp.created_at = noon;
    BOOST_REQUIRE((store.idps.put(idp) == store::Applied::yes));
    return idp.id;
}

inline core::Person sample_person(const core::IdpId& idp) {
    core::Person person;
    person.idp = idp;
    person.issuer = "https://sso.example/" + idp.text;
    person.subject = fresh_id();
    person.id = core::person_id(person.issuer, person.subject);
    person.name = "Änna";
    person.email = "anna@example.org";
    person.groups = {"a,admin", "eng"};
    person.claims = {{"hd", {"example.org"}}, {"teams", {"one\ntwo", "\"three\""}}};
    person.first_signin = person.last_signin = person.checked_at = noon;
    person.snapshot_at = noon;
    person.version = 1;
    return person;
}

inline store::FinishedSignin sample_signin(const core::Person& person) {
    core::BrowserSignin signin;
    signin.id = core::SigninId(fresh_id());
    signin.cookie = fresh_digest();
    signin.person = person.id;
    signin.idp = person.idp;
    signin.provider_session = "s\xC3\xA4ssion";
    signin.auth_time = noon - core::Span(5);
    signin.signed_in_at = noon;
    signin.expires_at = noon + core::Span(3600);
    return {.person = person, .signin = signin};
}

} // namespace consentgate::tests
