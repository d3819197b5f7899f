// Reading what a service's token endpoint answered. Providers differ: RFC 6749 says JSON with a
// status of 400 for errors; some answer forms, errors with 200, or a status and nothing else. The
// words are in reply_words.cpp.
#include "consentgate/core/upstream/upstream.h"

#include "reply_members.h"
#include "reply_words.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/upstream/service_failure.h"

#include <algorithm>
#include <charconv>

namespace consentgate::core {
namespace {

constexpr std::size_t max_token_bytes = 128 * 1024; // beyond what any web server hands on
constexpr std::size_t max_scope_bytes = 4096;
constexpr std::int64_t max_lifetime = 10LL * 366 * 86400; // seconds

// A token goes into a header: visible ASCII and nothing else.
bool is_token(const std::string& text) {
    return !text.empty() && text.size() <= max_token_bytes &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::optional<Secret> token_in(const ReplyMembers& members, const std::string& name) {
    auto text = members.text(name);
    return is_token(text) ? std::optional(Secret(std::move(text))) : std::nullopt;
}

// Absent when it is no number above 0: nobody said then how long the token is good.
std::optional<Span> life(std::string_view text) {
    text = trim(text);
    std::int64_t seconds = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (read.ec != std::errc() || seconds <= 0) return std::nullopt;
    return Span(std::min(seconds, max_lifetime));
}

TokenReply nothing_usable(const char* reason) {
    return {std::nullopt, UpstreamError::unavailable, reason};
}

// in: members  null: the body is neither JSON nor a form
TokenReply no_tokens(int status, const ReplyMembers* members, bool silent) {
    const auto words = members ? members->error_words() : std::vector<std::string>();
    TokenReply reply;
    reply.error = meaning_of(
        {.status = status,
         .silent = silent,
         .words = words,
         .names_resource = members && members->describes_resource()});
    const auto known = known_word(words);
    reply.word = known;
    reply.reason = "status " + std::to_string(status) +
                   (words.empty()    ? ""
                    : !known.empty() ? ", " + std::string(known)
                                     : ", an error of its own");
    return reply;
}

TokenReply read_answer(const ServiceReply& reply) {
    const auto members = ReplyMembers::parse(reply);
    const auto success = reply.status >= 200 && reply.status < 300;
    if (!success || (members && members->has_error()))
        return no_tokens(
            reply.status, members ? &*members : nullptr, trim(reply.body.reveal()).empty());
    if (!members) return nothing_usable("the answer is neither JSON nor a form");

    TokenSet tokens;
    tokens.refresh_token = token_in(*members, "refresh_token");
    auto access = token_in(*members, "access_token");
    const bool for_bearers = is_bearer_type(members->text("token_type"));
    if (!access || !for_bearers) {
        auto read = nothing_usable(
            access ? "the token is no bearer token" : "the answer has no usable access_token");
        read.rotated = std::move(tokens.refresh_token);
        return read;
    }
    tokens.access_token = std::move(*access);
    tokens.expires_in = life(members->text("expires_in"));
    tokens.scope = plain_ascii(members->text("scope").substr(0, max_scope_bytes));
    return {std::move(tokens), UpstreamError::unavailable, {}};
}

// The `exp` of a JWT, whose signature is the business of whoever takes the token. Absent: it is
// none, or says nothing.
std::optional<Instant> expiry_in(const std::string& token) {
    const auto parts = split(token, '.');
    if (parts.size() != 3 || !parts[0].starts_with("ey")) return std::nullopt;
    const auto payload = from_base64(parts[1], Base64::url);
    const auto claims = payload ? parse_json_object(*payload) : std::nullopt;
    if (!claims) return std::nullopt;
    const auto* claim = claims->find("exp");
    if (claim == nullptr) return std::nullopt;
    std::optional<std::int64_t> exp = claims->integer("exp");
    if (const auto* number = claim->number(); number && *number > 0 && *number < 1e15)
        exp = static_cast<std::int64_t>(*number);
    return exp ? std::optional(from_epoch(*exp)) : std::nullopt;
}

} // namespace

std::optional<Instant> expiry_of(const TokenSet& tokens, Instant asked) {
    if (tokens.expires_in) return asked + *tokens.expires_in;
    const auto own = expiry_in(tokens.access_token.reveal());
    // One that is over already was made by another clock.
    const bool ahead = own && *own > asked && *own - asked <= Span(max_lifetime);
    return ahead ? own : std::nullopt;
}

TokenReply read_token_reply(const ServiceReply& reply) {
    const auto failure = failure_of(reply);
    TokenReply read;
    if (reply.answered) read = read_answer(reply);
    read.retry_after = reply.retry_after;
    if (read.tokens) {
        read.tokens->holder = holder_in(reply.body.reveal());
        return read;
    }
    const bool unusable = failure.cause == FailureCause::none;
    read.cause = unusable ? FailureCause::unusable_answer : failure.cause;
    if (!unusable) read.reason = failure.reason;
    return read;
}

// spec: RFC 7009 section 2.2
Revocation read_revocation_reply(const ServiceReply& reply) {
    if (!reply.answered || is_passing(reply.status)) return Revocation::unavailable;
    if (reply.status >= 200 && reply.status < 300) return Revocation::revoked;
    // Somebody between us may answer so, without a word of OAuth.
    const auto members = ReplyMembers::parse(reply);
    const bool in_words = members && members->has_error();
    return is_doubtful(reply.status) && !in_words ? Revocation::unavailable : Revocation::refused;
}

} // namespace consentgate::core
