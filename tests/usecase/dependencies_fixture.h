// Dependencies on a real SQLite database, with a client, an open flow, and a person in front of it.
#pragma once

#include "consentgate/core/oauth/authorize.h"
#include "consentgate/store/open.h"
#include "consentgate/usecase/authorize.h"
#include "consentgate/usecase/consent.h"
#include "consentgate/usecase/token.h"
#include "tests/support/requests.h"
#include "tests/support/samples.h"
#include "tests/support/temp_folder.h"

#include <boost/test/unit_test.hpp>

#include <list>

namespace consentgate::tests {

struct DependenciesFixture {
    TempFolder folder;
    store::StoreConfig config{
        .path = folder.file("consentgate.db"), .wait = std::chrono::milliseconds(2000)};
    std::unique_ptr<store::Store> store = (store::migrate(config, noon), store::open_store(config));
    sys::OsRandom random;
    sys::SystemClock clock;
    sys::Log log;
    core::Policy policy = sample_policy();
    core::Keyring keyring = sample_keyring();
    core::BearerVerifier bearers{{{"HS256", core::Secret(std::string(32, 's'))}}, "", ""};
    std::list<usecase::Dependencies> others;
    usecase::Dependencies& deps = with(keyring);

    usecase::BrowserContext person{.browser = core::sha256(sample_browser_secret())};
    usecase::BrowserContext stranger{.browser = core::sha256("another browser")};

    DependenciesFixture() { store->clients.put(sample_client()); }

    // The same database with another key file.
    usecase::Dependencies& with(const core::Keyring& keys) { return with(*store, keys); }
    // Another way to a database.
    usecase::Dependencies& with(store::Store& other) { return with(other, keyring); }
    // Another time.
    usecase::Dependencies& with(sys::Clock& other) { return with(*store, keyring, other); }
    usecase::Dependencies& with(store::Store& other, const core::Keyring& keys) {
        return with(other, keys, clock);
    }
    usecase::Dependencies& with(
        store::Store& other, const core::Keyring& keys, sys::Clock& another) {
        return others.emplace_back(usecase::Dependencies{
            .store = other,
            .random = random,
            .clock = another,
            .log = log,
            .policy = policy,
            .keyring = keys,
            .bearers = bearers});
    }

    core::FlowId begin() {
        const auto flow = usecase::begin_authorize(
            deps, web::read_authorization_request(sample_authorize().form()), *person.browser,
            noon);
        BOOST_REQUIRE_EQUAL(code_of(flow), "ok");
        return flow->id;
    }

    // A token request, and the request of a client that authenticates itself in its form alone.
    core::Result<core::TokenGrant> grant(const Parameters& parameters, core::Instant now = noon) {
        return grant_with(deps, parameters, now);
    }
    static core::Result<core::TokenGrant> grant_with(
        usecase::Dependencies& deps, const Parameters& parameters, core::Instant now = noon) {
        const auto form = parameters.form();
        return usecase::grant_token(
            deps, web::read_credentials(form, std::nullopt), web::read_token_request(form), now);
    }

    core::VirtualKey put_key(const std::string& clear, const std::string& id) {
        auto key = sample_virtual_key(clear);
        key.id = core::VirtualKeyId(id);
        store->virtual_keys.put(key);
        return key;
    }

    // Finishes and gives the code out of the redirect.
    std::string finished_code() {
        const auto submitted = usecase::submit_consent(deps, {.flow = begin()}, person, noon);
        BOOST_REQUIRE_EQUAL(code_of(submitted), "ok");
        return query_value(submitted->location.reveal(), "code");
    }
};

} // namespace consentgate::tests
