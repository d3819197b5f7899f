// A World on a real SQLite database, with a client, an open flow, and a person in front of it.
#pragma once

#include "consentgate/core/oauth/authorize.h"
#include "consentgate/store/open.h"
#include "consentgate/usecase/authorize.h"
#include "consentgate/usecase/consent.h"
#include "consentgate/usecase/token.h"
#include "tests/support/makers.h"
#include "tests/support/temp_folder.h"

#include <boost/test/unit_test.hpp>

namespace consentgate::tests {

struct DependenciesFixture {
    TempFolder folder;
    store::StoreConfig config{
        .path = folder.file("consentgate.db"), .wait = std::chrono::milliseconds(2000)};
    std::unique_ptr<store::Store> store = (store::migrate(config, noon), store::open_store(config));
    sys::OsRandom random;
    core::Policy policy = sample_policy();
    core::Keyring keyring = sample_keyring();
    core::BearerVerifier bearers{{{"HS256", core::Secret(std::string(32, 's'))}}, "", ""};
    usecase::Dependencies deps{*store, random, policy, keyring, bearers};

    usecase::BrowserContext person{core::sha256(sample_browser_secret()), std::nullopt};
    usecase::BrowserContext stranger{core::sha256("another browser"), std::nullopt};

    DependenciesFixture() { store->put_client(sample_client()); }

    core::FlowId begin() {
        const auto flow =
            usecase::begin_authorize(deps, sample_authorize().form(), *person.browser, noon);
        BOOST_REQUIRE_EQUAL(code_of(flow), "ok");
        return flow->id;
    }

    static core::Form about(const core::FlowId& flow, const std::string& more = "") {
        return form_of("flow_id=" + flow.text + more);
    }

    usecase::BrowserContext with_bearer(const std::string& credential, bool cookie = true) const {
        return {cookie ? person.browser : std::nullopt, "Bearer " + credential};
    }

    core::VirtualKey put_key(const std::string& clear, const std::string& id) {
        auto key = sample_virtual_key(clear);
        key.id = core::VirtualKeyId(id);
        store->put_virtual_key(key);
        return key;
    }

    // Finishes and gives the code out of the redirect.
    std::string finished_code() {
        const auto submitted = usecase::submit_consent(deps, about(begin()), person, noon);
        BOOST_REQUIRE_EQUAL(code_of(submitted), "ok");
        return query_value(submitted->location.reveal(), "code");
    }
};

} // namespace consentgate::tests
