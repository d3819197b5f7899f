#include "consentgate/core/access/shared_facts.h"

namespace consentgate::core {

PersonFacts shared_facts(const Person& person, SharedGroups groups, const AccessRules& rules) {
    PersonFacts facts{.name = person.name, .email = person.email, .groups = {}, .idp = person.idp};
    if (!person.groups_known || groups == SharedGroups::none) return facts;
    facts.groups = groups == SharedGroups::all ? person.groups : rules.named_groups(person);
    if (group_list(*facts.groups).size() > max_group_list_bytes) facts.groups.reset();
    return facts;
}

} // namespace consentgate::core
