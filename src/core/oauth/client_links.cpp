#include "consentgate/core/oauth/client_links.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/client_document.h"

namespace consentgate::core {
namespace {

std::string host_of(std::string_view uri) {
    return lower_ascii(split_uri(uri).value_or(UriParts{}).host);
}

// Absent: the text is no address that a browser should be led to.
std::string web_host_of(std::string_view uri) {
    const auto parts = split_uri(uri);
    if (!parts || !parts->hierarchical || parts->has_userinfo) return {};
    const auto scheme = lower_ascii(parts->scheme);
    return scheme == "https" || scheme == "http" ? lower_ascii(parts->host) : std::string();
}

bool is_its_own(const std::string& host, const ClientSelf& client) {
    if (client.by_operator) return true;
    if (names_document(client.id) && host == host_of(client.id.text)) return true;
    return describe_redirect(client.redirect_uri).kind == RedirectKind::https &&
           host == host_of(client.redirect_uri);
}

} // namespace

ClientLinks client_links(const ClientSelf& client) {
    const auto metadata = parse_json_object(client.metadata);
    if (!metadata) return {};
    const auto link = [&](const char* member) {
        auto address = metadata->text(member).value_or("");
        const auto host = web_host_of(address);
        return !host.empty() && is_its_own(host, client) ? std::move(address) : std::string();
    };
    return {.about = link("client_uri"), .terms = link("tos_uri"), .privacy = link("policy_uri")};
}

} // namespace consentgate::core
