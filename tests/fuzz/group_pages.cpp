// Answers of GitHub and of Microsoft Graph: who somebody is, and pages of their groups. The first
// line is a Link header, the rest the body.
#include "require.h"

#include "tests/support/samples.h"

#include "consentgate/core/base/uri.h"
#include "consentgate/core/signin/github.h"
#include "consentgate/core/signin/graph.h"
#include "consentgate/core/signin/identity_provider.h"

#include <algorithm>

using namespace consentgate;
using tests::require;

namespace {

void check_page(const core::Result<core::GroupPage>& page, const std::string& asked) {
    if (!page) return;
    for (const auto& name : page->names) require(!name.empty(), "a group has a name");
    require(
        page->next.empty() || core::origin_of(page->next) == core::origin_of(asked),
        "a person's token goes to one origin");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(tests::text_of_input(data, size));
    const auto end = std::min(text.find('\n'), text.size());
    const core::ServiceReply reply{
        .answered = true,
        .status = 200,
        .body = core::Secret(text.substr(std::min(end + 1, text.size())))};
    const std::string github = "https://api.github.com/user/orgs";
    const std::string graph = core::graph_groups_url("https://login.microsoftonline.com/x/v2.0");
    check_page(core::read_github_groups(reply, text.substr(0, end), github), github);
    check_page(core::read_graph_groups(reply, graph), graph);
    if (const auto token = core::read_github_token(reply))
        require(!token->access_token.empty(), "a token is there");
    core::IdentityProvider provider;
    provider.kind = core::ProviderKind::github;
    provider.issuer = "https://github.com";
    if (auto user = core::read_github_user(reply, provider, core::from_epoch(1))) {
        require(
            std::all_of(
                user->subject.begin(), user->subject.end(),
                [](char c) { return c >= '0' && c <= '9'; }),
            "a subject is a number");
        core::add_github_email(*user, reply);
        const auto claims = core::person_claims(*user, std::nullopt, provider);
        require(claims.email.empty(), "no address comes of a profile");
    }
    return 0;
}
