#include "consentgate/core/signin/graph.h"

#include "provider_reply.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/signin/identity_provider.h"

#include <array>

namespace consentgate::core {
namespace {

constexpr const char* groups_path = "/v1.0/me/transitiveMemberOf?$select=id&$top=999";

constexpr const char* group_type = "#microsoft.graph.group";

// Each cloud with the Graph that belongs to it.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> clouds{
    {{"https://login.microsoftonline.com", "https://graph.microsoft.com"},
     {"https://login.microsoftonline.us", "https://graph.microsoft.us"},
     {"https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"}}};

} // namespace

std::string graph_groups_url(const std::string& issuer) {
    // A template's place of a tenant is no part of a URI.
    const auto origin = origin_of(issuer.substr(0, issuer.find('{')));
    for (const auto& [cloud, graph] : clouds) {
        if (origin == cloud) return std::string(graph) + groups_path;
    }
    const auto parts = split_uri(origin);
    return parts && is_loopback_host(parts->host) ? origin + groups_path : std::string();
}

bool needs_graph(const PersonClaims& claims, const IdentityProvider& provider) {
    return provider.graph_groups && provider.kind == ProviderKind::entra &&
           provider.groups_claim == "groups" && !claims.groups_known;
}

Result<GroupPage> read_graph_groups(const ServiceReply& reply, const std::string& asked) {
    if (auto answered = check_answered(reply); !answered) return std::move(answered).error();
    const auto body = parse_json_object(without_byte_order_mark(reply.body.reveal()));
    const auto* list = body ? body->array("value") : nullptr;
    if (list == nullptr) return bad_answer("value", "the answer names no list of groups");
    GroupPage page;
    for (const auto& entry : *list) {
        const auto* member_of = entry.object();
        if (member_of == nullptr) return bad_answer("value", "an entry is no object");
        // The list has roles of the directory besides.
        const auto type = member_of->text("@odata.type").value_or(group_type);
        if (type != group_type) continue;
        auto id = member_of->text("id");
        if (!id || id->empty()) return bad_answer("id", "a group has no id");
        page.names.push_back(*std::move(id));
    }
    auto next = following_page(asked, body->text("@odata.nextLink").value_or(""));
    if (!next) return std::move(next).error();
    page.next = *std::move(next);
    return page;
}

} // namespace consentgate::core
