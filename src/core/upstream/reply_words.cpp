#include "reply_words.h"

#include "consentgate/core/base/text.h"

#include <algorithm>
#include <initializer_list>

namespace consentgate::core {
namespace {

struct Word {
    std::string_view word;
    UpstreamError meaning;
};

constexpr auto refused = UpstreamError::refused, odd = UpstreamError::odd_refusal,
               client = UpstreamError::client_refused, target = UpstreamError::resource_refused,
               away = UpstreamError::unavailable;

constexpr Word words_known[] = {
    // RFC 6749 section 5.2, RFC 8707, RFC 8628, and of section 4.1.2.1 what servers send here too.
    {"invalid_grant", refused},
    {"invalid_client", client},
    {"invalid_target", target},
    {"access_denied", refused},
    {"expired_token", refused},
    {"server_error", away},
    {"temporarily_unavailable", away},
    {"slow_down", away},
    // Errors of the request, with which some providers refuse a token that is dead.
    {"invalid_request", odd},
    {"invalid_scope", odd},
    {"unsupported_grant_type", odd},
    {"unauthorized_client", odd},
    // OpenID Connect Core section 3.1.2.6: no refresh helps, a sign-in does.
    {"interaction_required", refused},
    {"login_required", refused},
    {"consent_required", refused},
    // GitHub
    {"bad_refresh_token", refused},
    {"bad_verification_code", refused},
    {"incorrect_client_credentials", client},
    // Slack
    {"invalid_refresh_token", refused},
    {"token_revoked", refused},
    {"token_expired", refused},
    {"account_inactive", refused},
    {"invalid_code", refused},
    {"code_already_used", refused},
    {"invalid_client_id", client},
    {"bad_client_secret", client},
    {"ratelimited", away},
    {"internal_error", away},
    {"fatal_error", away},
    {"service_unavailable", away},
    {"request_timeout", away},
    // HubSpot
    {"bad_auth_code", refused},
    {"bad_client_id", client},
    // Salesforce
    {"inactive_user", refused},
    {"inactive_org", refused},
    {"invalid_client_credentials", client},
    {"rate_limit_exceeded", away},
    // Microsoft, where resources had endpoints of their own
    {"invalid_resource", target},
};

const Word* find_word(const std::vector<std::string>& words) {
    for (const auto& word : words) {
        const auto* known =
            std::find_if(std::begin(words_known), std::end(words_known), [&](const auto& one) {
                return one.word == word;
            });
        if (known != std::end(words_known)) return known;
    }
    return nullptr;
}

bool is_one_of(int status, std::initializer_list<int> statuses) {
    return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

bool has(const std::vector<std::string>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

// An error of the request may be about the token that was sent, one of the address or of the method
// is not.
UpstreamError meaning_without_known_word(const RefusedReply& reply) {
    const bool success = reply.status >= 200 && reply.status < 300;
    if (success) return reply.words.empty() ? away : odd;
    if (reply.status < 400 || is_doubtful(reply.status)) return away;
    // glewlwyd refuses a refresh token with 400 and not a word.
    if (reply.status == 400 && reply.silent) return refused;
    const bool about_token = is_one_of(reply.status, {400, 409, 410, 422});
    return about_token || !reply.words.empty() ? odd : away;
}

} // namespace

bool is_passing(int status) {
    return is_one_of(status, {408, 425, 429}) || status >= 500 || status < 200;
}

bool is_doubtful(int status) { return is_one_of(status, {401, 403}); }

UpstreamError meaning_of(const RefusedReply& reply) {
    const auto* known = find_word(reply.words);
    if (is_passing(reply.status)) return known && known->meaning == refused ? odd : away;
    if (!known) return meaning_without_known_word(reply);
    if (reply.names_resource && has(reply.words, "invalid_request")) return target;
    // Walls before a service say that, too.
    if (is_doubtful(reply.status) && known->word == "access_denied") return odd;
    return known->meaning;
}

std::string_view known_word(const std::vector<std::string>& words) {
    const auto* known = find_word(words);
    return known ? known->word : std::string_view();
}

bool is_bearer_type(std::string_view token_type) {
    const auto word = lower_ascii(trim(token_type));
    for (const auto* bound : {"dpop", "mac", "pop", "http_signature"}) {
        if (word == bound) return false;
    }
    return true;
}

} // namespace consentgate::core
