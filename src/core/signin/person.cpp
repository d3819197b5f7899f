#include "consentgate/core/signin/person.h"

#include "consentgate/core/signin/remote_groups.h"

namespace consentgate::core {

Identity person_identity(const std::string& issuer, const std::string& subject) {
    return {IdentityKind::verified_user, issuer + "\n" + subject};
}

PersonId person_id(const std::string& issuer, const std::string& subject) {
    return PersonId(person_identity(issuer, subject).owner(SessionId()).id());
}

Identity identity_of(const Person& person) {
    if (person.idp.text == remote_idp) return {IdentityKind::verified_user, person.subject};
    return person_identity(person.issuer, person.subject);
}

std::string short_name_of(const PersonId& person) {
    return Owner::parse("user:" + person.text).short_text();
}

std::optional<PersonId> person_of(const Identity& identity) {
    if (!identity.is_person()) return std::nullopt;
    return PersonId(identity.owner(SessionId()).id());
}

} // namespace consentgate::core
