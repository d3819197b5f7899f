// Registrations of ours at services that newer ones replaced, and the address that people come back
// to. spec: docs/requirements.md XC1
#include "sample.h"

#include <algorithm>

using namespace consentgate;
using namespace consentgate::tests;
using core::CallbackAddress;
using core::RegistrationId;
using store::Applied;

namespace {

core::Service put_service(store::Store& store) {
    auto service = sample_service();
    service.registration_id = RegistrationId(fresh_id());
    store.services.put(service);
    return service;
}

core::Service registered_anew(const core::Service& service) {
    auto anew = service;
    anew.registration_id = RegistrationId(fresh_id());
    anew.client_id = "another client";
    anew.client_secret = std::string("another\0secret", 14);
    anew.key_id = core::KeyId("k2");
    anew.callback = CallbackAddress::own;
    return anew;
}

core::LinkedAccount account_of(
    store::Store& store, const core::Service& service, const RegistrationId& registration) {
    const auto flow = put_sample_flow(store);
    auto account = sample_token(service.id.text);
    account.registration = registration;
    BOOST_REQUIRE((store.accounts.connect_in_flow(flow.id, account, noon) == Applied::yes));
    account.owner = core::Owner::of(flow.id);
    return account;
}

// Everything that can be swept at that time.
void sweep(store::Store& store, core::Instant now) {
    while (store.maintenance.sweep(now, noon - core::Span(86400), 100).total() > 0) {}
}

} // namespace

STORE_CASE(a_service_and_a_sign_in_there_know_their_callback_and_registration, "XC1") {
    const auto store = database.open();
    auto service = sample_service();
    service.registration_id = RegistrationId(fresh_id());
    service.callback = CallbackAddress::shared;
    service.authorization_origins = {"https://a.example", "https://b.example:8443"};
    store->services.put(service);
    auto back = *store->services.find(service.id);
    BOOST_TEST((back.callback == CallbackAddress::shared));
    BOOST_TEST((back.registration_id == service.registration_id));
    BOOST_TEST(back.authorization_origins == service.authorization_origins);
    back.callback = CallbackAddress::own;
    back.authorization_origins.clear();
    BOOST_TEST((store->services.update(back) == Applied::yes));
    BOOST_TEST((store->services.find(service.id)->callback == CallbackAddress::own));
    BOOST_TEST(store->services.find(service.id)->authorization_origins.empty());

    for (const auto address : {CallbackAddress::shared, CallbackAddress::own}) {
        core::UpstreamState state;
        state.state = fresh_digest();
        state.browser = fresh_digest();
        state.service = service.id;
        state.flow = core::FlowId(fresh_id());
        state.verifier = "verifier";
        state.key_id = core::KeyId("k1");
        state.expires_at = noon + core::Span(900);
        state.callback = address;
        state.registration = RegistrationId(fresh_id());
        store->upstream_states.put(state);
        const auto found = store->upstream_states.find(state.state);
        BOOST_REQUIRE(found.has_value());
        BOOST_TEST((found->callback == address));
        BOOST_TEST((found->registration == state.registration));
    }
    store->services.remove(service.id, true);
}

STORE_CASE(a_registration_that_is_replaced_is_kept_with_its_secret, "XC1") {
    const auto store = database.open();
    const auto service = put_service(*store);
    const auto anew = registered_anew(service);
    const auto former = core::former_registration_of(service, noon);
    BOOST_TEST((store->services.change_registration(anew, former) == Applied::yes));
    const auto now = *store->services.find(service.id);
    BOOST_TEST(now.client_id == anew.client_id);
    BOOST_TEST((now.registration_id == anew.registration_id));
    BOOST_TEST(now.version == service.version + 1);
    const auto kept = store->services.find_former(service.id, service.registration_id);
    BOOST_REQUIRE(kept.has_value());
    const auto before = core::as_registered(now, *kept);
    BOOST_TEST(before.client_id == service.client_id);
    BOOST_TEST((before.auth == service.auth));
    BOOST_TEST((before.client_secret == service.client_secret));
    BOOST_TEST((before.key_id == service.key_id));
    BOOST_TEST((before.registration_id == service.registration_id));
    BOOST_TEST(before.client_secret_aad() == kept->client_secret_aad());
    BOOST_TEST(!store->services.find_former(service.id, anew.registration_id).has_value());
    BOOST_TEST(!store->services.find_former(core::ServiceId("other"), kept->registration));

    // One of two that register anew over one version is kept; the other leaves nothing.
    const auto late = registered_anew(service);
    auto twice = former;
    twice.id += "x";
    BOOST_TEST((store->services.change_registration(late, twice) == Applied::no));
    const auto all = store->services.list_former();
    BOOST_TEST(std::count_if(all.begin(), all.end(), [&](const auto& one) {
                   return one.service == service.id;
               }) == 1);
    store->services.remove(service.id, true);
    BOOST_TEST(!store->services.find_former(service.id, service.registration_id).has_value());
}

STORE_CASE(a_former_registration_goes_with_the_last_token_that_was_given_to_it, "XC1") {
    const auto store = database.open();
    for (const bool from_before : {false, true}) {
        auto service = sample_service();
        if (!from_before) service.registration_id = RegistrationId(fresh_id());
        store->services.put(service);
        const auto account = account_of(*store, service, service.registration_id);
        const auto anew = registered_anew(service);
        BOOST_REQUIRE(
            (store->services.change_registration(
                 anew, core::former_registration_of(service, noon)) == Applied::yes));
        const auto kept = [&] {
            return store->services.find_former(service.id, service.registration_id).has_value();
        };
        BOOST_TEST(
            (store->accounts.find(account.owner, service.id)->registration ==
             service.registration_id));
        sweep(*store, noon + core::Span(4000));
        BOOST_TEST(kept()); // an account is there
        store->accounts.mark_ended(account.id, noon);
        sweep(*store, noon + core::Span(4000));
        BOOST_TEST(kept()); // it ended, and must be revoked with this registration
        store->accounts.remove(account.id);
        account_of(*store, service, anew.registration_id);
        sweep(*store, noon + core::Span(3600));
        BOOST_TEST(kept()); // a person may be under way with it
        sweep(*store, noon + core::Span(3601));
        BOOST_TEST(!kept());
        store->services.remove(service.id, true);
    }
}

STORE_CASE(a_former_registration_moves_to_another_server_key, "XC1 S13") {
    const auto store = database.open();
    auto service = sample_service();
    service.key_id = core::KeyId("k" + fresh_id());
    service.registration_id = RegistrationId(fresh_id());
    store->services.put(service);
    store->services.change_registration(
        registered_anew(service), core::former_registration_of(service, noon));
    const auto uses = [&](const core::KeyId& key) {
        for (const auto& use : store->server_keys.list_uses(noon)) {
            if (use.key == key) return use.services;
        }
        return std::size_t{0};
    };
    BOOST_TEST(uses(service.key_id) == 1U);
    auto former = *store->services.find_former(service.id, service.registration_id);
    former.client_secret = "sealed anew";
    former.key_id = core::KeyId("k" + fresh_id());
    BOOST_TEST((store->server_keys.rekey_registration(former, service.key_id) == Applied::yes));
    BOOST_TEST((store->server_keys.rekey_registration(former, service.key_id) == Applied::no));
    BOOST_TEST(uses(service.key_id) == 0U);
    BOOST_TEST(uses(former.key_id) == 1U);
    BOOST_TEST(
        store->services.find_former(service.id, service.registration_id)->client_secret ==
        "sealed anew");
    store->services.remove(service.id, true);
}

STORE_CASE(what_a_service_said_of_us_is_kept_with_it, "XC5 XC10") {
    const auto store = database.open();
    const auto service = put_service(*store);
    auto back = *store->services.find(service.id);
    BOOST_TEST(!back.client_refused_at.has_value());
    BOOST_TEST(!back.register_after.has_value());
    BOOST_TEST(!back.resource_refused);
    back.client_refused_at = noon;
    back.register_after = noon + core::Span(3600);
    back.resource_refused = true;
    BOOST_TEST((store->services.update(back) == Applied::yes));
    BOOST_TEST((store->services.update(back) == Applied::no)); // of two, one writes
    const auto noted = *store->services.find(service.id);
    BOOST_TEST((noted.client_refused_at == noon));
    BOOST_TEST((noted.register_after == noon + core::Span(3600)));
    BOOST_TEST(noted.resource_refused);
    auto former = core::former_registration_of(noted, noon);
    former.refused_at = noon + core::Span(60);
    auto anew = registered_anew(noted);
    anew.client_refused_at.reset();
    BOOST_TEST((store->services.change_registration(anew, former) == Applied::yes));
    BOOST_TEST(!store->services.find(service.id)->client_refused_at.has_value());
    const auto kept = store->services.find_former(service.id, service.registration_id);
    BOOST_TEST((kept.value().refused_at == noon + core::Span(60)));
    store->services.remove(service.id, true);
}
