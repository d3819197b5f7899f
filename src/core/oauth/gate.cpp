#include "consentgate/core/oauth/gate.h"

#include "consentgate/core/oauth/introspection.h"

namespace consentgate::core {
namespace {

constexpr std::size_t around_fact = 40; // its longest name, a colon, a blank and the end of a line

std::size_t size_of(const std::vector<GateFact>& facts) {
    std::size_t bytes = 0;
    for (const auto& fact : facts) bytes += fact.value.size() + around_fact;
    return bytes;
}

void add_person(std::vector<GateFact>& facts, const PersonFacts& person) {
    if (!person.email.empty()) facts.push_back({GateFactKind::email, header_text(person.email)});
    const auto groups = person.groups ? group_list(*person.groups) : std::string();
    const auto others = size_of(facts) + person.idp.text.size() + 2 * around_fact;
    const bool fits = groups.size() + others <= max_facts_bytes;
    if (fits && !groups.empty()) facts.push_back({GateFactKind::groups, groups});
    if (!fits || !person.groups) facts.push_back({GateFactKind::groups_omitted, "1"});
    facts.push_back({GateFactKind::provider, person.idp.text});
}

} // namespace

std::vector<GateFact> gate_facts(const SessionView& view, const PersonFacts* person) {
    const auto& session = view.session;
    std::vector<GateFact> facts;
    facts.reserve(person ? 9 : 6);
    const auto add = [&](GateFactKind kind, std::string value) {
        if (!value.empty()) facts.push_back({kind, std::move(value)});
    };
    add(GateFactKind::subject, header_text(subject_of(session)));
    add(GateFactKind::user, header_text(user_name(view)));
    add(GateFactKind::identity, std::string(name_of(session.identity.kind)));
    add(GateFactKind::client, header_text(session.client_id.text));
    add(GateFactKind::scope, session.scope.text());
    add(GateFactKind::session, session.id.text);
    if (person) add_person(facts, *person);
    return facts;
}

} // namespace consentgate::core
