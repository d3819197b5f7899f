#include "jws.h"

#include "consentgate/core/base/text.h"

#include <algorithm>
#include <cmath>

namespace consentgate::core::jws {
namespace {

constexpr std::size_t max_candidates = 8;
constexpr std::size_t max_subject_bytes = 255;
constexpr double year_9999 = 253402300800;
// Anybody can have an account in this tenant of Microsoft's.
constexpr std::string_view consumer_tenant = "9188040d-6c67-4c5b-b112-36a304b66dad";
constexpr std::string_view google = "https://accounts.google.com";

bool holds(const std::vector<std::string>& list, std::string_view text) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

bool is_guid(std::string_view text) {
    constexpr std::string_view form = "00000000-0000-0000-0000-000000000000";
    const auto fits = [](char c, char place) {
        const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        return place == '-' ? c == '-' : hex;
    };
    return text.size() == form.size() && std::equal(text.begin(), text.end(), form.begin(), fits);
}

std::string with_tenant(std::string issuer, std::string_view tenant) {
    const auto at = issuer.find(tenant_place);
    return at == std::string::npos ? issuer : issuer.replace(at, tenant_place.size(), tenant);
}

bool is_consumer(std::string_view tenant) { return same_ignoring_case(tenant, consumer_tenant); }

// A tenant's token names that tenant twice. Where a provider has many, the operator listed those
// whose people may come.
Checked check_tenant(
    const std::string& issuer, const JsonObject& claims, const IdentityProvider& provider) {
    const auto tenant = claims.text("tid").value_or("");
    if (!is_guid(tenant)) return not_believed("tid", "tid is no tenant");
    if (is_consumer(tenant) && !provider.any_account)
        return not_believed("tid", "the tenant is the one of private accounts");
    if (issuer != with_tenant(provider.issuer, tenant) ||
        issuer.find("/" + tenant + "/") == std::string::npos)
        return not_believed("iss", "iss is not the issuer of the tenant in tid");
    const bool many = provider.has_many_tenants();
    if (many && !holds(provider.allowed_tenants, lower_ascii(tenant)))
        return not_believed("tid", "the tenant is not one of those that may come");
    return Nothing{};
}

// spec: docs/requirements_signin.md SI39
Checked check_key_issuer(
    const std::string& issuer, const JsonObject& claims, const IdentityProvider& provider,
    const ProviderKey& key) {
    const bool many = provider.has_many_tenants();
    if (key.issuer.empty() && !many) return Nothing{};
    if (with_tenant(key.issuer, claims.text("tid").value_or("")) != issuer)
        return not_believed("kid", "the key is another issuer's");
    return Nothing{};
}

} // namespace

Error not_believed(const char* wrong, std::string reason) {
    return make_error(
        ErrorCode::access_denied, PublicMessage{"the sign-in did not work"},
        LogDetail{std::move(reason)}, wrong);
}

Result<Unproved> read(
    const std::string& token, const IdentityProvider& provider,
    std::initializer_list<std::string_view> types) {
    if (token.size() > max_token_bytes) return not_believed("token", "it is too long");
    const auto first = token.find('.');
    const auto last = token.rfind('.');
    const auto dots = std::count(token.begin(), token.end(), '.');
    if (dots == 4)
        return not_believed("token", "it is encrypted: turn encryption off at the provider");
    if (dots != 2) return not_believed("token", "it is no signed JWT");
    const auto header = from_base64(token.substr(0, first), Base64::url);
    const auto payload = from_base64(token.substr(first + 1, last - first - 1), Base64::url);
    auto signature = from_base64(token.substr(last + 1), Base64::url);
    auto members = header ? parse_json_object(*header) : std::nullopt;
    auto claims = payload ? parse_json_object(*payload) : std::nullopt;
    if (!members || !claims || !signature || signature->empty())
        return not_believed("token", "a part of it cannot be read");
    const auto name = members->text("alg").value_or("");
    const auto* algorithm = signature_algorithm(name);
    if (algorithm == nullptr || !holds(provider.signing_algorithms, name))
        return not_believed("alg", "alg is " + plain_ascii(display_text(name, 20)));
    if (members->contains("crit")) return not_believed("crit", "it asks for an extension");
    const auto type = lower_ascii(members->text("typ").value_or(""));
    if (members->contains("typ") && std::find(types.begin(), types.end(), type) == types.end())
        return not_believed("typ", "it is a token of another type");
    auto kid = members->text("kid").value_or("");
    return Unproved{
        .header = std::move(*members),
        .claims = std::move(*claims),
        .signed_text = token.substr(0, last),
        .signature = std::move(*signature),
        .algorithm = algorithm,
        .key_id = std::move(kid)};
}

std::vector<const ProviderKey*> candidates(const Unproved& token, const ProviderKeys& keys) {
    std::vector<const ProviderKey*> found;
    for (const auto& key : keys.keys) {
        const bool named = token.key_id.empty() || key.id == token.key_id;
        if (named && key.fits(token.algorithm->name) && found.size() < max_candidates)
            found.push_back(&key);
    }
    return found;
}

const ProviderKey* signer(const Unproved& token, const ProviderKeys& keys) {
    for (const auto* key : candidates(token, keys)) {
        if (verify_signature(*token.algorithm, key->pem, token.signed_text, token.signature))
            return key;
    }
    return nullptr;
}

Result<std::string> check_issuer(
    const JsonObject& claims, const IdentityProvider& provider, const ProviderKey& key) {
    auto issuer = claims.text("iss").value_or("");
    if (provider.kind == ProviderKind::google && issuer == google.substr(8)) issuer = google;
    if (provider.kind == ProviderKind::entra) {
        if (auto valid = check_tenant(issuer, claims, provider); !valid)
            return std::move(valid).error();
    } else if (issuer != provider.issuer) {
        return not_believed("iss", "iss is another issuer");
    }
    if (auto valid = check_key_issuer(issuer, claims, provider, key); !valid)
        return std::move(valid).error();
    return issuer;
}

Checked check_audience(const JsonObject& claims, const IdentityProvider& provider) {
    const auto one = claims.text("aud");
    const auto named =
        one ? std::vector{*one} : claims.texts("aud").value_or(std::vector<std::string>());
    if (!holds(named, provider.client_id) || provider.client_id.empty())
        return not_believed("aud", "aud does not name us");
    const auto* party = claims.find("azp");
    if (party == nullptr && named.size() > 1)
        return not_believed("azp", "aud names others too, and azp nobody");
    if (party != nullptr && claims.text("azp") != provider.client_id)
        return not_believed("azp", "azp is another client");
    return Nothing{};
}

bool is_subject(std::string_view text) {
    return !text.empty() && text.size() <= max_subject_bytes &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::optional<std::int64_t> date(const JsonObject& claims, std::string_view name) {
    const auto* value = claims.find(name);
    if (value == nullptr) return std::nullopt;
    const auto* whole = value->integer();
    const auto* number = value->number();
    if (whole == nullptr && number == nullptr) return std::nullopt;
    const double seconds = whole != nullptr ? static_cast<double>(*whole) : *number;
    if (!(seconds >= 0 && seconds < year_9999)) return std::nullopt; // NaN too
    return static_cast<std::int64_t>(std::floor(seconds));
}

Checked check_begun(const JsonObject& claims, Instant now) {
    for (const auto* name : {"iat", "nbf"}) {
        if (name == std::string_view("nbf") && !claims.contains(name)) continue;
        const auto from = date(claims, name);
        if (!from) return not_believed(name, std::string(name) + " is missing or no date");
        if (const auto ahead = *from - epoch(now); ahead > clock_skew)
            return not_believed(
                name,
                std::string(name) + " is " + std::to_string(ahead) + " seconds ahead of our clock");
    }
    return Nothing{};
}

} // namespace consentgate::core::jws
