// A flow in which the person chooses the resource. spec: docs/requirements.md XE5
#include "sample.h"

#include "tests/support/child.h"

using namespace consentgate;
using namespace consentgate::tests;
using store::Applied;

namespace {

core::Flow put_open_flow(store::Store& store, const std::string& asked = "mcp") {
    const auto client = sample_client();
    store.clients.put(client);
    auto flow = sample_flow(client.id);
    flow.resource.clear();
    flow.resource_by_person = true;
    flow.asked_scope = flow.scope = *core::ScopeSet::parse(asked);
    store.flows.put(flow);
    return flow;
}

core::Flow with_choice(core::Flow flow, const std::string& resource, const std::string& scope) {
    flow.resource = resource;
    flow.scope = *core::ScopeSet::parse(scope);
    return flow;
}

} // namespace

STORE_CASE(a_flow_without_a_resource_comes_back_without, "XE5") {
    const auto store = database.open();
    for (const auto* asked : {"mcp profile", ""}) {
        const auto found = store->flows.find(put_open_flow(*store, asked).id);
        BOOST_REQUIRE(found.has_value());
        BOOST_TEST(found->flow.resource == "");
        BOOST_TEST(found->flow.scope.text() == asked);
        BOOST_TEST(found->flow.asked_scope.text() == asked);
        BOOST_TEST(found->flow.resource_by_person);
    }
    const auto named = store->flows.find(put_sample_flow(*store).id)->flow;
    BOOST_TEST(named.resource == "https://tools.example.org/mcp");
    BOOST_TEST(!named.resource_by_person);
    BOOST_TEST(named.asked_scope.empty());
}

STORE_CASE(a_resource_is_chosen_at_the_revision_that_was_read, "XE5") {
    const auto store = database.open();
    const auto flow = put_open_flow(*store);
    const auto chosen = with_choice(flow, "https://tools.example.org/notes", "notes");
    auto late = chosen;
    late.revision += 1;
    BOOST_TEST((store->flows.choose_resource(late, noon) == Applied::no));
    BOOST_TEST((store->flows.choose_resource(chosen, flow.expires_at) == Applied::no));
    BOOST_TEST((store->flows.choose_resource(chosen, noon) == Applied::yes));
    BOOST_TEST((store->flows.choose_resource(chosen, noon) == Applied::no));
    const auto found = store->flows.find(flow.id)->flow;
    BOOST_TEST(found.resource == chosen.resource);
    BOOST_TEST(found.scope.text() == "notes");
    BOOST_TEST(found.asked_scope.text() == "mcp");
    BOOST_TEST(found.revision == flow.revision + 1);
    // The same once more is a change too, and so is another choice.
    BOOST_TEST((store->flows.choose_resource(found, noon) == Applied::yes));
    BOOST_TEST(
        (store->flows.choose_resource(
             with_choice(store->flows.find(flow.id)->flow, "https://x.example/", "mcp"), noon) ==
         Applied::yes));
    BOOST_TEST(store->flows.find(flow.id)->flow.resource == "https://x.example/");
}

STORE_CASE(a_flow_whose_resource_changed_since_it_was_read_is_not_finalized, "XE5 S1") {
    const auto store = database.open();
    const auto open = put_open_flow(*store);
    const auto first = with_choice(open, "https://tools.example.org/a", "mcp");
    BOOST_TEST((store->flows.choose_resource(first, noon) == Applied::yes));
    const auto read = store->flows.find(open.id)->flow;
    BOOST_TEST(
        (store->flows.choose_resource(
             with_choice(read, "https://tools.example.org/b", "mcp"), noon) == Applied::yes));
    BOOST_TEST((finalize(*store, finalization_of(read)) == Applied::no));
    const auto finalization = finalization_of(store->flows.find(open.id)->flow);
    BOOST_TEST((finalize(*store, finalization) == Applied::yes));
    BOOST_TEST(
        store->sessions.find(finalization.session.token)->session.resource ==
        "https://tools.example.org/b");
    BOOST_TEST((store->flows.choose_resource(read, noon) == Applied::no));
    BOOST_TEST(!store->flows.find(open.id).has_value());
}

// Each process is a tab with a choice of its own: of those that read one revision, one writes.
STORE_CASE(of_eight_processes_that_choose_at_one_revision_one_wins, "XE5") {
    const auto watcher = database.open();
    std::vector<core::Flow> flows;
    for (int i = 0; i < 20; ++i) flows.push_back(put_open_flow(*watcher));
    const auto seen = race(8, [&](int child, const auto& tell) {
        const auto store = database.open();
        const auto resource = "https://tools.example.org/" + std::to_string(child);
        for (const auto& flow : flows)
            tell(
                store->flows.choose_resource(with_choice(flow, resource, "mcp"), noon) ==
                Applied::yes);
    });
    BOOST_TEST(seen.failed_processes == 0);
    BOOST_TEST(seen.attempts == 160);
    BOOST_TEST(seen.won == 20);
    for (const auto& flow : flows)
        BOOST_TEST(watcher->flows.find(flow.id)->flow.revision == flow.revision + 1);
}
