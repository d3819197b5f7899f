#include "consentgate/core/oauth/gate.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/introspection.h"
#include "consentgate/core/oauth/metadata.h"

#include <algorithm>

namespace consentgate::core {
namespace {

// A name may hold anything; a header may not.
std::string header_text(std::string text) {
    const auto plain = [](char c) {
        return c > 0x20 && c < 0x7F && c != '%' && c != '"' && c != '\\';
    };
    if (std::all_of(text.begin(), text.end(), plain)) return text;
    std::string out;
    for (const char& c : text)
        out += plain(c) ? std::string(1, c) : percent_encode(std::string_view(&c, 1));
    return out;
}

// A person who has to connect a service first does so in a new sign-in, which every client can
// begin.
const ErrorTraits& shown_as(const Error& error) {
    return traits(
        error.code == ErrorCode::interaction_required ? ErrorCode::invalid_bearer : error.code);
}

} // namespace

std::string bearer_challenge(
    const std::string& resource, const ScopeSet& scope, const Error* error) {
    std::string value = "Bearer resource_metadata=\"" + resource_metadata_url(resource) +
                        "\", scope=\"" + scope.text() + "\"";
    if (!error) return value;
    return value + ", error=\"" + std::string(shown_as(*error).oauth_error) +
           "\", error_description=\"" + plain_ascii(error->message) + "\"";
}

int gate_status(const Error& error) { return shown_as(error).status; }

std::vector<GateFact> gate_facts(const SessionView& view) {
    const auto& session = view.session;
    std::vector<GateFact> facts;
    facts.reserve(6);
    const auto add = [&](GateFactKind kind, std::string value) {
        if (!value.empty()) facts.push_back({kind, std::move(value)});
    };
    add(GateFactKind::subject, header_text(subject_of(session)));
    add(GateFactKind::user, header_text(user_name(view)));
    add(GateFactKind::identity, std::string(name_of(session.identity.kind)));
    add(GateFactKind::client, header_text(session.client_id.text));
    add(GateFactKind::scope, session.scope.text());
    add(GateFactKind::session, session.id.text);
    return facts;
}

} // namespace consentgate::core
