#include "consentgate/core/signin/provider_keys.h"

#include "jws.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/public_key.h"
#include "consentgate/core/base/text.h"

#include <algorithm>
#include <bit>

namespace consentgate::core {
namespace {

constexpr std::size_t max_set_bytes = 256 * 1024;
constexpr std::size_t max_keys = 64;
constexpr std::size_t min_rsa_bits = 2048, max_rsa_bits = 8192; // spec: RFC 7518 section 3.3
constexpr std::size_t max_exponent_bytes = 4;

std::string bytes_of(const JsonObject& key, std::string_view name) {
    return from_base64(key.text(name).value_or(""), Base64::url).value_or("");
}

// Some programs write the sign byte of their number in front of it.
std::string without_zeros(std::string number) {
    return number.erase(0, std::min(number.find_first_not_of('\0'), number.size()));
}

std::string rsa_pem(const JsonObject& key) {
    auto modulus = without_zeros(bytes_of(key, "n"));
    auto exponent = without_zeros(bytes_of(key, "e"));
    if (modulus.empty() || exponent.empty() || exponent.size() > max_exponent_bytes) return {};
    const auto bits =
        modulus.size() * 8 -
        static_cast<std::size_t>(std::countl_zero(static_cast<unsigned char>(modulus.front())));
    const bool odd = (exponent.back() & 1) != 0 && (modulus.back() & 1) != 0;
    const bool one = exponent == "\x01"; // with it, everybody can sign
    if (bits < min_rsa_bits || bits > max_rsa_bits || !odd || one) return {};
    return rsa_public_key(std::move(modulus), std::move(exponent));
}

std::string pem_of(const JsonObject& key, std::string_view kind, std::string_view curve) {
    if (kind == "RSA") return rsa_pem(key);
    if (kind == "EC") return ec_public_key(curve, bytes_of(key, "x"), bytes_of(key, "y"));
    if (kind == "OKP" && curve == "Ed25519") return ed25519_public_key(bytes_of(key, "x"));
    return {};
}

// Absent, or of another type: nothing forbids it. spec: RFC 7517 sections 4.2 and 4.3
bool may_verify(const JsonObject& key) {
    const auto operations = key.texts("key_ops");
    return key.text("use").value_or("sig") == "sig" &&
           (!operations ||
            std::find(operations->begin(), operations->end(), "verify") != operations->end());
}

std::optional<ProviderKey> read_key(const JsonObject& from) {
    // Whoever published a private key has published it to everybody.
    for (const auto* secret : {"d", "p", "q", "k"}) {
        if (from.contains(secret)) return std::nullopt;
    }
    ProviderKey key{
        .id = from.text("kid").value_or(""),
        .kind = from.text("kty").value_or(""),
        .curve = from.text("crv").value_or(""),
        .algorithm = from.text("alg").value_or(""),
        .issuer = from.text("issuer").value_or("")};
    if (key.kind == "RSA") key.curve.clear();
    const auto all = signature_algorithms();
    const bool signs = std::any_of(
        all.begin(), all.end(), [&](const std::string& algorithm) { return key.fits(algorithm); });
    if (!may_verify(from) || !signs) return std::nullopt;
    key.pem = pem_of(from, key.kind, key.curve);
    return key.pem.empty() ? std::nullopt : std::optional(std::move(key));
}

} // namespace

bool ProviderKey::fits(std::string_view algorithm_of_token) const {
    const auto* wanted = signature_algorithm(algorithm_of_token);
    return wanted != nullptr && kind == wanted->kind && curve == wanted->curve &&
           (algorithm.empty() || algorithm == algorithm_of_token);
}

Result<ProviderKeys> read_provider_keys(std::string_view jwks) {
    const auto unusable = [](const char* message) {
        return make_error(ErrorCode::server_error, PublicMessage{message}, LogDetail{message});
    };
    if (jwks.size() > max_set_bytes) return unusable("the key set is longer than 256 KiB");
    const auto set = parse_json_object(without_byte_order_mark(jwks));
    const auto* listed = set ? set->array("keys") : nullptr;
    if (listed == nullptr) return unusable("the key set is no object with an array of keys");
    ProviderKeys read;
    for (const auto& entry : *listed) {
        const auto* object = entry.object();
        auto key =
            object != nullptr && read.keys.size() < max_keys ? read_key(*object) : std::nullopt;
        if (key)
            read.keys.push_back(std::move(*key));
        else
            ++read.skipped;
    }
    return read;
}

bool needs_newer_keys(
    const std::string& token, const IdentityProvider& provider, const ProviderKeys& keys) {
    const auto read = jws::read(token, provider, {"jwt", "logout+jwt"});
    if (!read) return false;
    return read->key_id.empty() ? jws::signer(*read, keys) == nullptr
                                : jws::candidates(*read, keys).empty();
}

} // namespace consentgate::core
