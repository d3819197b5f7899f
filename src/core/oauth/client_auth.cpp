#include "consentgate/core/oauth/client_auth.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/metadata.h"

#include "jwk.h"
#include "jwt.h"

#include <algorithm>

namespace consentgate::core {
namespace {

using Kind = ClientCredentials::Kind;

constexpr const char* jwt_bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
constexpr double max_assertion_lifetime = 600; // seconds; libraries give them one to five minutes
constexpr double clock_skew = 60;
constexpr std::size_t max_assertion_bytes = 8192;

Error two_ways() {
    return make_error(
        ErrorCode::invalid_request, PublicMessage{"use one way of client authentication"});
}

// The id form-decoded, where that gives text: what does not is an id that was sent as it is.
std::string read_id(const std::string& sent) {
    auto decoded = percent_decode(sent, true);
    const bool text = decoded && valid_utf8(*decoded) && !has_control(*decoded);
    return text ? std::move(*decoded) : sent;
}

// spec: RFC 7617 section 2; RFC 6749 section 2.3.1
Result<ClientCredentials> read_basic(std::string_view header) {
    const auto text = from_base64(trim(header.substr(5)), Base64::standard);
    const auto colon = text ? text->find(':') : std::string::npos;
    if (colon == std::string::npos || !valid_utf8(*text) || has_control(*text))
        return client_not_authenticated("malformed Basic header");
    const auto id = text->substr(0, colon);
    const auto secret = text->substr(colon + 1);
    return ClientCredentials{
        .kind = Kind::basic,
        .id = read_id(id),
        .secret = Secret(secret),
        .decoded = Secret(percent_decode(secret, true).value_or(secret)),
        .assertion = {}};
}

// The assertion names its signer; the keys of that client decide later whether that is true.
std::string claimed_client(const std::string& assertion) {
    if (!jwt::compact(assertion)) return {};
    try {
        return jwt::text_claim(Poco::JWT::Token(assertion).payload(), "sub");
    } catch (const std::exception&) {
        return {};
    }
}

Result<ClientCredentials> read_assertion(const SentCredentials& sent) {
    if (sent.client_assertion_type.value != jwt_bearer) {
        return make_error(
            ErrorCode::invalid_request,
            PublicMessage{std::string("client_assertion_type must be ") + jwt_bearer}, LogDetail{},
            "client_assertion_type");
    }
    const auto assertion = sent.client_assertion.value.value_or("");
    if (assertion.size() > max_assertion_bytes)
        return client_not_authenticated("the assertion is too long");
    return ClientCredentials{Kind::assertion, claimed_client(assertion), {}, {}, Secret(assertion)};
}

// The assertion is for us, from this client, and short-lived.
Checked check_assertion(
    const Poco::JWT::Token& token, const Client& client, const Policy& policy, Instant now) {
    const auto& claims = token.payload();
    const auto type = lower_ascii(jwt::text_claim(token.header(), "typ"));
    if (token.header().has("typ") && type != "jwt" && type != "client-authentication+jwt")
        return client_not_authenticated("another type of token");
    if (jwt::text_claim(claims, "iss") != client.id.text ||
        jwt::text_claim(claims, "sub") != client.id.text)
        return client_not_authenticated("iss and sub must be the client");
    const auto named = jwt::audiences(claims);
    const auto ours = [&](const std::string& audience) {
        return audience == policy.issuer || audience == policy.origin() + endpoint::token;
    };
    if (named.empty() || !std::all_of(named.begin(), named.end(), ours))
        return client_not_authenticated("another audience");
    if (const auto valid = jwt::check_dates(claims, now); !valid)
        return client_not_authenticated(valid.error().reason);
    if (*jwt::numeric_date(claims, "exp") >
        static_cast<double>(epoch(now)) + max_assertion_lifetime)
        return client_not_authenticated("it lives longer than 10 minutes");
    if (const auto issued = jwt::numeric_date(claims, "iat");
        issued && *issued > static_cast<double>(epoch(now)) + clock_skew)
        return client_not_authenticated("issued in the future");
    if (jwt::text_claim(claims, "jti").empty()) return client_not_authenticated("jti is missing");
    return Nothing{};
}

// Null for numbers that are no key: a point that is not on the curve.
std::unique_ptr<Poco::JWT::Signer> signer_of(const PublicKey& key) {
    try {
        return jwt::signer_for(key.algorithm, Secret(key.pem));
    } catch (const std::exception&) {
        return nullptr;
    }
}

Error unusable_keys(const std::string& message) {
    return make_error(
        ErrorCode::invalid_client_metadata, PublicMessage{message}, LogDetail{"jwks"}, "jwks");
}

Result<std::optional<AssertionUse>> verify_assertion(
    const std::string& assertion, const Client& client, const Policy& policy, Instant now) {
    if (!jwt::compact(assertion)) return client_not_authenticated("the assertion is not a JWT");
    const auto keys = read_jwks(client.jwks);
    if (!keys) return client_not_authenticated(keys.error().message);
    for (const auto& key : *keys) {
        Poco::JWT::Token token;
        const auto signer = signer_of(key);
        if (!signer || !jwt::verified(*signer, key.algorithm, assertion, token)) continue;
        if (auto valid = check_assertion(token, client, policy, now); !valid)
            return std::move(valid).error();
        const auto& claims = token.payload();
        return std::optional(AssertionUse{
            sha256(client.id.text + " " + jwt::text_claim(claims, "jti")),
            from_epoch(static_cast<std::int64_t>(*jwt::numeric_date(claims, "exp")) + 1)});
    }
    return client_not_authenticated("no key of the client verifies the assertion");
}

} // namespace

Error client_not_authenticated(std::string reason) {
    return make_error(
        ErrorCode::invalid_client,
        PublicMessage{
            "this client is not registered here, or did not prove itself the way it registered"},
        LogDetail{std::move(reason)}, "client_id");
}

Result<ClientCredentials> read_client_credentials(const SentCredentials& sent) {
    const auto& authorization = sent.authorization;
    const bool basic =
        authorization && same_ignoring_case(trim(*authorization).substr(0, 5), "basic");
    const bool posted = sent.client_secret.value || sent.client_secret.repeated();
    const bool asserted = sent.client_assertion.value || sent.client_assertion.repeated();
    if (basic + posted + asserted > 1) return two_ways();
    const auto& id = sent.client_id.value;
    auto found = basic      ? read_basic(trim(*authorization))
                 : asserted ? read_assertion(sent)
                            : Result<ClientCredentials>(ClientCredentials{});
    if (!found) return found;
    if (!basic && !asserted) {
        if (!id)
            return make_error(
                ErrorCode::invalid_client, PublicMessage{"client_id is missing"}, LogDetail{},
                "client_id");
        found->id = *id;
        if (posted)
            found->kind = Kind::post,
            found->secret = found->decoded = Secret(sent.client_secret.value.value_or(""));
    }
    if (id && asserted && found->id.empty())
        return client_not_authenticated("the assertion names no client");
    if (id && *id != found->id)
        return make_error(
            ErrorCode::invalid_request,
            PublicMessage{"client_id is another one than the client authentication names"},
            LogDetail{}, "client_id");
    return found;
}

bool proves_secret(const ClientCredentials& credentials, const Digest& secret) {
    static const Digest unmatched = sha256("no secret has this digest for a name");
    const auto& known = secret.hex.empty() ? unmatched : secret;
    const bool raw = sha256(credentials.secret) == known;
    const bool other =
        credentials.decoded.reveal() !=
        credentials.secret.reveal(); // both are the sender's, so that comparing them tells nothing
    const bool decoded = other && sha256(credentials.decoded) == known;
    return (raw || decoded) && !secret.hex.empty();
}

Result<std::optional<AssertionUse>> verify_client(
    const ClientCredentials& credentials, const std::optional<Client>& client, const Policy& policy,
    Instant now) {
    const bool secret = credentials.kind == Kind::basic || credentials.kind == Kind::post;
    const bool proven = secret && proves_secret(credentials, client ? client->secret : Digest{});
    if (!client) return client_not_authenticated("unknown");
    if (!client->active) return client_not_authenticated("disabled");
    if (credentials.kind == Kind::assertion && client->takes_assertions())
        return verify_assertion(credentials.assertion.reveal(), *client, policy, now);
    if (client->auth == ClientAuth::none) {
        if (credentials.kind == Kind::none) return std::optional<AssertionUse>();
        // Some libraries try Basic first. After this error they send the request again without it,
        // and nothing was consumed (T6).
        return make_error(
            ErrorCode::invalid_client,
            PublicMessage{"this client is public: send client_id in the body, and no secret"},
            LogDetail{"authenticated by a secret"});
    }
    if (client->auth == ClientAuth::private_key_jwt)
        return client_not_authenticated("no assertion");
    if (!proven) return client_not_authenticated(secret ? "wrong secret" : "no secret");
    return std::optional<AssertionUse>();
}

Result<std::string> read_public_keys(const JsonObject& from) {
    const auto* set = from.object("jwks");
    if (set == nullptr)
        return unusable_keys(
            "private_key_jwt needs the client's public keys in jwks, or their address in jwks_uri");
    auto jwks = json_string(*set);
    return check_jwks(jwks).transform([&] { return std::move(jwks); });
}

bool names_unknown_key(const std::string& assertion, const std::string& jwks) {
    if (!jwt::compact(assertion)) return false;
    std::string kid;
    try {
        kid = jwt::text_claim(Poco::JWT::Token(assertion).header(), "kid");
    } catch (const std::exception&) {
        return false;
    }
    const auto keys = read_jwks(jwks);
    return !kid.empty() && keys &&
           std::none_of(
               keys->begin(), keys->end(), [&](const PublicKey& key) { return key.id == kid; });
}

Checked check_jwks(const std::string& jwks) {
    constexpr std::size_t max_keys = 10;
    const auto keys = read_jwks(jwks);
    if (!keys) return unusable_keys(keys.error().message);
    if (!std::all_of(keys->begin(), keys->end(), [](const PublicKey& key) {
            return signer_of(key) != nullptr;
        }))
        return unusable_keys("jwks holds numbers that are no key");
    if (keys->empty() || keys->size() > max_keys)
        return unusable_keys("jwks must hold 1 to 10 public keys");
    return Nothing{};
}

} // namespace consentgate::core
