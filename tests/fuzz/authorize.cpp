// Authorization requests: the query string against one client.
#include "require.h"

#include "tests/support/samples.h"

#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/authorize.h"
#include "consentgate/core/oauth/pkce.h"
#include "consentgate/web/requests.h"

using namespace consentgate;
using tests::require;

namespace {

const std::vector<std::string> registered{
    "http://127.0.0.1/callback", "https://c.example/cb?x=1", "cursor://x/cb"};

bool one_of_ours(const std::string& uri) {
    return std::any_of(registered.begin(), registered.end(), [&](const std::string& known) {
        return core::redirect_matches(known, uri);
    });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto policy = tests::sample_policy();
    static const auto client = tests::sample_client(registered);
    const auto query = core::Form::parse(tests::text_of_input(data, size));
    if (!query) return 0;
    const auto request = web::read_authorization_request(*query);
    const auto id = core::authorize_client_id(request);
    require(id || !id.error().back, "without a client nothing redirects");
    require(
        !id || id->text.size() <= (id->text.starts_with("https://") ? 2048 : 190),
        "an id is a key, or a URL of a bounded length");
    const auto flow = core::validate_authorization_request(
        request, client, policy, core::FlowId("fresh"), core::Digest{}, tests::noon);
    if (!flow) {
        require(
            core::plain_ascii(flow.error().message) == flow.error().message,
            "a refusal is plain ASCII");
        if (!flow.error().back) return 0;
        require(
            one_of_ours(flow.error().back->redirect_uri()),
            "errors go to registered addresses only");
        const auto location = core::error_location(
            *flow.error().back, "invalid_request", flow.error().message, policy);
        require(
            location.find_first_of("\r\n \"<>") == std::string::npos,
            "a location is one clean header value");
        return 0;
    }
    require(one_of_ours(flow->redirect_uri), "a flow leads to a registered address only");
    require(core::valid_challenge(flow->code_challenge), "a flow has a challenge");
    require(
        !flow->scope.empty() && flow->scope.within(policy.catalogue()) == flow->scope,
        "a flow has known scopes only");
    require(flow->resource == policy.resources.front().url, "a flow is for our resource");
    const auto finalized_flow = core::finalize(
        *flow, {core::IdentityKind::skipped, {}}, tests::sample_fresh(), tests::sample_keyring(),
        policy, tests::noon);
    require(
        finalized_flow.location.reveal().starts_with(flow->redirect_uri),
        "the redirect begins with the address");
    require(
        tests::query_value(finalized_flow.location.reveal(), "iss") != "(absent)",
        "the redirect names us");
    return 0;
}
