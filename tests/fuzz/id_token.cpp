// The claims of an ID token in the first line and a userinfo answer in the rest. The claims are
// signed rightly, so that whatever is believed was let through by the rules; the bytes are tried
// as a token too.
#include "lines.h"
#include "require.h"

#include "tests/support/provider_signing.h"

#include "consentgate/core/signin/id_token.h"
#include "consentgate/core/signin/person_claims.h"

using namespace consentgate;
using tests::require;

namespace {

constexpr std::size_t max_groups = 2000, max_kept = 4096;

bool visible(const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

core::IdentityProvider provider_of(core::ProviderKind kind) {
    auto provider = tests::sample_signing_provider();
    provider.kind = kind;
    provider.kept_claims = {"dept", "/a/b"};
    provider.domains = {"example.org"};
    if (kind == core::ProviderKind::google) provider.issuer = "https://accounts.google.com";
    if (kind == core::ProviderKind::entra)
        provider.issuer = "https://login.microsoftonline.com/"
                          "11111111-2222-3333-4444-555555555555/v2.0";
    return provider;
}

void look_at_person(const core::PersonClaims& person) {
    require(!person.name.empty() && !core::has_control(person.name), "a person has a name to show");
    require(
        person.email.empty() || (std::count(person.email.begin(), person.email.end(), '@') == 1 &&
                                 visible(person.email)),
        "an address that counts is read in one way");
    require(person.groups_known || person.groups.empty(), "unknown groups are not named");
    require(
        person.groups.size() <= max_groups &&
            std::is_sorted(person.groups.begin(), person.groups.end()) &&
            std::adjacent_find(person.groups.begin(), person.groups.end()) == person.groups.end(),
        "groups are sorted, each once");
    for (const auto& group : person.groups)
        require(
            !group.empty() && group.size() <= 255 && !core::has_control(group),
            "a group has a name");
    std::size_t kept = 0;
    for (const auto& claim : person.claims) {
        kept += claim.first.size();
        for (const auto& value : claim.second) kept += value.size();
    }
    require(kept <= max_kept, "what is kept is bounded");
}

void look_at_claims(
    const core::JsonObject& claims, const std::string& userinfo,
    const core::IdentityProvider& provider, const core::ProviderKeys& keys) {
    const auto token = tests::provider_ec().sign(tests::token_header("ES256", "ec"), claims);
    const auto proved = core::validate_id_token(
        token, provider, keys, {.nonce_hash = core::sha256("a nonce")}, tests::noon);
    if (!proved) {
        require(
            proved.error().code == core::ErrorCode::access_denied && !proved.error().back,
            "what is not believed is denied, and sends nobody anywhere");
        return;
    }
    require(proved->issuer == provider.issuer, "the issuer is the row's");
    require(
        !proved->subject.empty() && proved->subject.size() <= 255 && visible(proved->subject),
        "a subject is plain");
    require(claims.text("nonce") == "a nonce", "a token belongs to its sign-in");
    require(proved->issued_at <= tests::noon + core::Span(120), "a token is not from the future");
    core::ServiceReply reply{.answered = true, .status = 200};
    reply.body = core::Secret(userinfo);
    const auto more = core::read_userinfo(reply, *proved, provider, keys);
    require(!more || more->text("sub") == proved->subject, "userinfo is about the same person");
    const auto alone = core::person_claims(*proved, std::nullopt, provider);
    look_at_person(alone);
    if (!more) return;
    const auto both = core::person_claims(*proved, *more, provider);
    look_at_person(both);
    require(alone.email.empty() || alone.email == both.email, "userinfo replaces no address");
    require(
        alone.groups.empty() || !both.groups_known || alone.groups == both.groups,
        "userinfo replaces no groups");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto keys = tests::keys_of({tests::provider_ec().jwk("ec")});
    auto text = tests::text_of_input(data, size);
    const auto line = std::string(tests::take_line(text));
    const auto provider = provider_of(core::ProviderKind::generic);
    require(
        !core::validate_id_token(
            line, provider, keys, {.nonce_hash = core::sha256("a nonce")}, tests::noon),
        "nobody guesses a signature");
    static_cast<void>(core::needs_newer_keys(line, provider, keys));
    const auto claims = core::parse_json_object(line);
    if (!claims) return 0;
    for (const auto kind :
         {core::ProviderKind::generic, core::ProviderKind::entra, core::ProviderKind::google,
          core::ProviderKind::okta})
        look_at_claims(*claims, std::string(text), provider_of(kind), keys);
    return 0;
}
