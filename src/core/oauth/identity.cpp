#include "consentgate/core/oauth/identity.h"

namespace consentgate::core {
namespace {

// All that differs between kinds stands here: a kind that is added and forgotten does not compile.
struct KindTraits {
    std::string_view name;
    bool chosen = true;
    bool typed = false;
    bool verified = false; // by the web server
    bool lasting = false;
};

std::optional<KindTraits> find_traits(IdentityKind kind) {
    switch (kind) {
    case IdentityKind::none: return KindTraits{.name = "none", .chosen = false};
    case IdentityKind::skipped: return KindTraits{.name = "skipped"};
    case IdentityKind::user_id: return KindTraits{.name = "user_id", .typed = true};
    case IdentityKind::verified_user:
        return KindTraits{.name = "verified_user", .verified = true, .lasting = true};
    case IdentityKind::virtual_key: return KindTraits{.name = "virtual_key", .lasting = true};
    }
    return std::nullopt; // past the last kind
}

KindTraits traits_of(IdentityKind kind) { return find_traits(kind).value(); }

unsigned bit_of(IdentityKind kind) {
    return traits_of(kind).chosen ? 1U << static_cast<unsigned>(kind) : 0U;
}

} // namespace

bool Identity::is_chosen() const { return traits_of(kind).chosen; }
bool Identity::is_skipped() const { return kind == IdentityKind::skipped; }
bool Identity::is_typed() const { return traits_of(kind).typed; }
bool Identity::is_verified() const { return traits_of(kind).verified; }
bool Identity::is_person() const {
    return is_verified() && value.find('\n') != std::string::npos; // no REMOTE_USER holds one
}
bool Identity::is_lasting() const { return traits_of(kind).lasting; }

std::optional<VirtualKeyId> Identity::virtual_key() const {
    if (kind != IdentityKind::virtual_key) return std::nullopt;
    return VirtualKeyId(value);
}

Owner Identity::owner(const SessionId& session) const {
    switch (kind) {
    case IdentityKind::none:
    case IdentityKind::skipped:
    case IdentityKind::user_id: return Owner::of(session);
    case IdentityKind::verified_user: return Owner::verified_user(value);
    case IdentityKind::virtual_key: return Owner::of(VirtualKeyId(value));
    }
    return Owner::of(session);
}

std::string_view name_of(IdentityKind kind) { return traits_of(kind).name; }

std::vector<IdentityKind> identity_kinds() {
    std::vector<IdentityKind> kinds;
    for (int i = 0; find_traits(static_cast<IdentityKind>(i)); ++i)
        kinds.push_back(static_cast<IdentityKind>(i));
    return kinds;
}

std::optional<IdentityKind> identity_kind(std::string_view name) {
    for (int i = 0;; ++i) {
        const auto kind = static_cast<IdentityKind>(i);
        const auto traits = find_traits(kind);
        if (!traits) return std::nullopt;
        if (traits->name == name) return kind;
    }
}

IdentityKinds::IdentityKinds(std::initializer_list<IdentityKind> kinds) {
    for (const auto kind : kinds) bits_ |= bit_of(kind);
}

IdentityKinds IdentityKinds::any() {
    IdentityKinds all;
    for (int i = 0; find_traits(static_cast<IdentityKind>(i)); ++i)
        all.bits_ |= bit_of(static_cast<IdentityKind>(i));
    return all;
}

bool IdentityKinds::contains(IdentityKind kind) const { return (bits_ & bit_of(kind)) != 0; }

IdentityKinds IdentityKinds::with(IdentityKind kind) const {
    auto more = *this;
    more.bits_ |= bit_of(kind);
    return more;
}

IdentityKinds IdentityKinds::without(IdentityKind kind) const {
    auto fewer = *this;
    fewer.bits_ &= ~bit_of(kind);
    return fewer;
}

std::string IdentityKinds::text() const {
    if (*this == any()) return "any";
    std::string names;
    int last = 0;
    while (find_traits(static_cast<IdentityKind>(last))) ++last;
    for (int i = last - 1; i >= 0; --i) {
        const auto kind = static_cast<IdentityKind>(i);
        if (contains(kind)) names += (names.empty() ? "" : " ") + std::string(name_of(kind));
    }
    return names;
}

} // namespace consentgate::core
