// Somebody whom rules are asked about.
#pragma once

#include "consentgate/core/access/rules.h"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace consentgate::tests {

// An identity with the person behind it.
struct Somebody {
    core::Identity identity;
    std::optional<core::Person> person{};

    core::Subject subject() const { return {identity, person ? &*person : nullptr}; }
};

inline Somebody key_holder(const std::string& id = "vk_anna") {
    return {{core::IdentityKind::virtual_key, id}};
}
inline Somebody typed(const std::string& name) { return {{core::IdentityKind::user_id, name}}; }
inline Somebody skipped() { return {{core::IdentityKind::skipped, ""}}; }
inline Somebody remote(const std::string& name) {
    return {{core::IdentityKind::verified_user, name}};
}
inline Somebody person(
    const std::string& idp, const std::string& subject, std::vector<std::string> groups = {},
    const std::string& email = "") {
    core::Person one;
    one.issuer = "https://" + idp + ".example.org";
    one.subject = subject;
    one.id = core::person_id(one.issuer, subject);
    one.idp = core::IdpId(idp);
    one.name = subject;
    one.email = email;
    one.groups = std::move(groups);
    return {core::identity_of(one), one};
}

inline core::Who who(const std::string& text) {
    auto parsed = core::Who::parse(text);
    BOOST_REQUIRE_MESSAGE(static_cast<bool>(parsed), text);
    return *parsed;
}

inline core::Rule rule(
    core::Effect effect, const std::string& text, core::Target target = {},
    std::int64_t number = 1) {
    return {.number = number, .effect = effect, .who = who(text), .target = std::move(target)};
}

inline core::Rule proof(
    core::Effect effect, const std::string& text, core::Target target, std::int64_t number = 1) {
    return {.number = number, .effect = effect, .proof = text, .target = std::move(target)};
}

} // namespace consentgate::tests
