#include "stock.h"

#include "consentgate/sys/random.h"

namespace consentgate::bench {
namespace {

constexpr std::int64_t first_id = 1'000'000'000'000'000'000;
constexpr std::int64_t distance =
    300'000'000'000'000; // between neighbours; the largest id is still an int64
constexpr std::int64_t step = 7919;

const char* const columns =
    "client_id, browser_hash, redirect_uri, state, code_challenge, scope, resource, "
    "identity_kind, identity_value, revision, "
    "created_at, expires_at";

} // namespace

core::FlowId flow_id(std::size_t number) {
    return core::FlowId(std::to_string(
        first_id + static_cast<std::int64_t>(number) * step % static_cast<std::int64_t>(max_flows) *
                       distance));
}

std::string flow_id_of(const std::string& number) {
    return std::to_string(first_id) + " + " + number + " * " + std::to_string(step) + " % " +
           std::to_string(max_flows) + " * " + std::to_string(distance);
}

core::Flow make_flow(core::FlowId id, core::Instant now) {
    sys::OsRandom random;
    core::Flow flow;
    flow.id = std::move(id);
    flow.client_id = core::ClientId("bench-client");
    flow.browser = core::sha256(random.secret());
    flow.redirect_uri = "http://127.0.0.1:53111/callback";
    flow.state = random.id(24);
    flow.code_challenge = random.id(32);
    flow.scope = core::ScopeSet::parse("mcp").value();
    flow.resource = "http://127.0.0.1:8080/mcp";
    flow.identity = {core::IdentityKind::user_id, "anna@example.org"};
    flow.revision = 1;
    flow.created_at = now;
    flow.expires_at = now + std::chrono::hours(1);
    return flow;
}

void put_flows(const store::StoreConfig& config, std::size_t count, core::Instant now) {
    store::open_store(config)->flows.put(make_flow(core::FlowId("pattern"), now));
    Database database(config);
    database.run(
        "INSERT INTO flow (id, " + std::string(columns) + ") SELECT " + flow_id_of("n") + ", " +
        columns + " FROM flow, " + words_of(config.engine).numbers(0, count - 1) +
        " WHERE id = 'pattern'");
    database.run("DELETE FROM flow WHERE id = 'pattern'");
    analyze(database, config.engine);
}

std::vector<core::Finalization> use_flows(std::size_t count, core::Instant now) {
    sys::OsRandom random;
    core::Policy policy;
    policy.issuer = "http://127.0.0.1:8080";
    const core::Keyring keyring({{core::KeyId("bench-key"), core::Secret(random.bytes(32))}});
    std::vector<core::Finalization> finalizations;
    for (std::size_t number = 0; number < count; ++number) {
        const auto flow = make_flow(flow_id(number), now);
        finalizations.push_back(core::finalize(
            flow, flow.identity, {core::SessionId(random.id(16)), random.secret()}, keyring, policy,
            now));
    }
    return finalizations;
}

} // namespace consentgate::bench
