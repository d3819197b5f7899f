// Clients that a document describes: what a document may change, and what it never may. spec:
// requirements R32-R37
#include "sample.h"

#include "tests/support/child.h"

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

namespace {

// As long as ids may be.
core::Client document_client() {
    auto client = sample_client();
    client.id = core::ClientId("https://app.example/" + fresh_id() + "/");
    client.id.text += std::string(190 - client.id.text.size(), 'x');
    return client;
}

constexpr core::Span hour{3600}, day{86400};

void sweep_all(store::Store& store, core::Instant at) {
    while (store.maintenance.sweep(at, at - core::Span(40 * 86400), 50).total() > 0) {}
}

} // namespace

STORE_CASE(a_document_is_saved_with_its_client_and_its_end_under_the_exact_url, "R32 K33") {
    const auto store = database.open();
    const auto client = document_client();
    BOOST_TEST(!store->clients.find_document(client.id).has_value());
    BOOST_TEST((store->clients.put_document(client, noon + hour) == Applied::yes));
    BOOST_TEST((store->clients.find_document(client.id) == noon + hour));
    const auto found = store->clients.find(client.id);
    BOOST_REQUIRE(found.has_value());
    BOOST_TEST(found->name == client.name);
    BOOST_TEST((found->redirect_uris == client.redirect_uris));
    auto other = client.id;
    other.text[8] = 'A'; // the case of the host
    BOOST_TEST(!store->clients.find_document(other).has_value());
    BOOST_TEST(!store->clients.find(other).has_value());
    other = core::ClientId(client.id.text + " ");
    BOOST_TEST(!store->clients.find_document(other).has_value());
}

STORE_CASE(a_document_read_again_changes_its_client_but_not_whether_it_is_active, "R36 K32") {
    const auto store = database.open();
    auto client = document_client();
    store->clients.put_document(client, noon + hour);
    store->clients.disable(client.id);
    client.name = "Another name";
    client.redirect_uris = {"https://new.example/cb"};
    client.scope = "";
    client.refresh = true;
    client.created_at = noon + hour;
    BOOST_TEST((store->clients.put_document(client, noon + day) == Applied::yes));
    const auto found = store->clients.find(client.id);
    BOOST_TEST(found->name == "Another name");
    BOOST_TEST(found->redirect_uris.size() == 1U);
    BOOST_TEST(found->redirect_uris.front() == "https://new.example/cb");
    BOOST_TEST(found->scope.empty());
    BOOST_TEST(found->refresh);
    BOOST_TEST(!found->active);
    BOOST_TEST((found->created_at == noon));
    BOOST_TEST((store->clients.find_document(client.id) == noon + day));
}

STORE_CASE(a_client_that_no_document_made_is_not_changed_by_one, "K31 R37") {
    const auto store = database.open();
    auto client = document_client();
    client.by_operator = true;
    store->clients.put(client);
    auto impostor = client;
    impostor.name = "Impostor";
    impostor.redirect_uris = {"https://evil.example/cb"};
    BOOST_TEST((store->clients.put_document(impostor, noon + hour) == Applied::no));
    BOOST_TEST(store->clients.find(client.id)->name == client.name);
    BOOST_TEST(!store->clients.find_document(client.id).has_value());
    // Nor the other way about: what a document made, registration cannot take over.
    const auto documented = document_client();
    store->clients.put_document(documented, noon + hour);
    BOOST_CHECK_THROW(store->clients.put(documented), store::StoreFailure);
}

STORE_CASE(a_long_client_id_goes_through_a_whole_consent, "R24 R39") {
    const auto store = database.open();
    const auto client = document_client();
    store->clients.put_document(client, noon + hour);
    const auto flow = sample_flow(client.id);
    store->flows.put(flow);
    BOOST_TEST((store->flows.find(flow.id)->flow.client_id == client.id));
    const auto finalization = finalization_of(flow);
    BOOST_TEST((store->flows.finalize(finalization) == Applied::yes));
    BOOST_TEST((store->codes.find(finalization.code.hash)->code.client_id == client.id));
    BOOST_TEST((store->sessions.find(finalization.session.token)->session.client_id == client.id));
}

STORE_CASE(
    a_client_id_of_1500_bytes_goes_through_a_whole_consent_and_one_byte_other_is_unknown,
    "N8 XE6") {
    const auto store = database.open();
    for (const std::size_t bytes : {191U, 1500U, 2048U}) {
        BOOST_TEST_CONTEXT(bytes) {
            auto client = document_client();
            client.id.text += std::string(bytes - client.id.text.size(), 'y');
            BOOST_TEST((store->clients.put_document(client, noon + hour) == Applied::yes));
            BOOST_TEST((store->clients.put_document(client, noon + day) == Applied::yes));
            BOOST_TEST((store->clients.find_document(client.id) == noon + day));
            BOOST_TEST((store->clients.find(client.id)->id == client.id));
            auto other = client.id;
            other.text.back() = 'Y';
            BOOST_TEST(!store->clients.find(other).has_value());
            BOOST_TEST(!store->clients.find_document(other).has_value());
            BOOST_TEST((store->clients.disable(other) == Applied::no));

            auto flow = sample_flow(client.id);
            store->flows.put(flow);
            BOOST_TEST((store->flows.find(flow.id)->flow.client_id == client.id));
            BOOST_TEST(store->flows.find(flow.id)->client_name == client.name);
            const auto finalization = finalization_of(flow);
            BOOST_TEST((store->flows.finalize(finalization) == Applied::yes));
            const auto& session = finalization.session;
            BOOST_TEST((store->codes.find(finalization.code.hash)->code.client_id == client.id));
            BOOST_TEST((store->codes.find(finalization.code.hash)->session.client_id == client.id));
            const auto view = store->sessions.find(session.token);
            BOOST_TEST((view->session.client_id == client.id));
            BOOST_TEST(view->client_name == client.name);
            BOOST_TEST(view->client_active);
            store->clients.record_use(client.id, noon + hour);
            BOOST_TEST((store->clients.find(client.id)->last_used_at == noon + hour));
            BOOST_TEST(store->sessions.list_consents(session.browser, client.id).size() == 1U);
            BOOST_TEST(store->sessions.list_consents(session.browser, other).empty());
            BOOST_TEST(store->sessions.list(noon, {.client = client.id}, 9).size() == 1U);
            BOOST_TEST(store->sessions.list(noon, {.client = other}, 9).empty());
            BOOST_TEST((store->clients.disable(client.id) == Applied::yes));
            BOOST_TEST(!store->sessions.find(session.token)->client_active);
            const auto ended = store->sessions.revoke_some({.client = client.id}, "", noon, 9);
            BOOST_TEST(ended.sessions.size() == 1U);
            BOOST_TEST((ended.sessions.front().client_id == client.id));
        }
    }
}

STORE_CASE(the_key_of_a_long_client_id_is_nobodys_id, "N8 XE6") {
    const auto store = database.open();
    auto client = document_client();
    client.id.text += 'x';
    store->clients.put_document(client, noon + hour);
    const core::ClientId key("cgd_" + core::to_base64url(core::sha256_bytes(client.id.text)));
    BOOST_TEST(!store->clients.find(key).has_value());
    BOOST_TEST(!store->clients.find_document(key).has_value());
    BOOST_TEST((store->clients.disable(key) == Applied::no));
    auto thief = client;
    thief.id = key;
    thief.name = "Thief";
    BOOST_TEST((store->clients.put_document(thief, noon + hour) == Applied::yes));
    BOOST_TEST(store->clients.find(client.id)->name == client.name);
    BOOST_TEST(store->clients.find(key)->name == "Thief");
}

STORE_CASE(what_a_registration_left_out_is_remembered, "XE6") {
    const auto store = database.open();
    auto client = sample_client();
    client.dropped_redirects = true;
    store->clients.put(client);
    BOOST_TEST(store->clients.find(client.id)->dropped_redirects);
    auto documented = document_client();
    for (const bool dropped : {false, true, false}) {
        documented.dropped_redirects = dropped;
        documented.metadata = dropped ? R"({"application_type":"web"})" : "{}";
        store->clients.put_document(documented, noon + hour);
        BOOST_TEST(store->clients.find(documented.id)->dropped_redirects == dropped);
        BOOST_TEST(store->clients.find(documented.id)->metadata == documented.metadata);
    }
}

STORE_CASE(of_eight_processes_that_save_one_document_none_fails, "R31 S3") {
    const auto watcher = database.open();
    std::vector<core::Client> clients;
    for (int i = 0; i < 30; ++i) clients.push_back(document_client());
    std::vector<pid_t> children;
    for (int child = 0; child < 8; ++child) {
        children.push_back(start_child([&, child] {
            const auto store =
                store::open_store(child % 2 == 0 ? database.config() : database.other_config());
            int kept = 0;
            for (const auto& client : clients)
                kept += store->clients.put_document(client, noon + hour) == Applied::yes ? 1 : 0;
            return kept;
        }));
    }
    for (const pid_t pid : children) BOOST_TEST(end_of(pid) == 30);
    for (const auto& client : clients)
        BOOST_TEST((watcher->clients.find_document(client.id) == noon + hour));
}

STORE_CASE(documents_that_led_to_no_sign_in_are_swept_and_the_others_are_not, "R32 R39") {
    const auto store = database.open();
    const auto unused = document_client(), used = document_client(), disabled = document_client(),
               in_flow = document_client(), recent = document_client();
    for (const auto& client : {unused, used, disabled, in_flow})
        store->clients.put_document(client, noon + hour);
    store->clients.put_document(recent, noon + day);
    store->clients.record_use(used.id, noon);
    store->clients.disable(disabled.id);
    auto flow = sample_flow(in_flow.id);
    flow.expires_at = noon + core::Span(30 * 86400);
    store->flows.put(flow);
    sweep_all(*store, noon + hour + day);
    BOOST_TEST(store->clients.find(unused.id).has_value(), "a code may still be out");
    sweep_all(*store, noon + hour + day + core::Span(1));
    BOOST_TEST(!store->clients.find(unused.id).has_value());
    BOOST_TEST(!store->clients.find_document(unused.id).has_value());
    for (const auto& client : {used, disabled, in_flow, recent}) {
        BOOST_TEST(store->clients.find(client.id).has_value());
        BOOST_TEST(store->clients.find_document(client.id).has_value());
    }
}
