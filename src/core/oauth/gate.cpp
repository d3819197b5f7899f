#include "consentgate/core/oauth/gate.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/introspection.h"

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

} // namespace

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
