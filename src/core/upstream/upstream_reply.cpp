// Reading what a service's token endpoint answered. Providers differ: RFC 6749 says JSON with a
// status of 400 for errors; some answer forms, errors with 200, or a status and nothing else.
#include "consentgate/core/upstream/upstream.h"

#include "consentgate/core/base/form.h"
#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>

namespace consentgate::core {
namespace {

constexpr std::size_t max_token_bytes = 128 * 1024; // beyond what any web server hands on
constexpr std::size_t max_scope_bytes = 4096;
constexpr std::int64_t max_lifetime = 10LL * 366 * 86400; // seconds

using Member = std::function<std::optional<std::string>(const std::string&)>;

// A token goes into a header: visible ASCII and nothing else.
bool is_token(const std::string& text) {
    return !text.empty() && text.size() <= max_token_bytes &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

// Absent when it is no number above 0: such a token is used until the service refuses it.
std::optional<Span> life(const std::string& text) {
    std::int64_t seconds = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (read.ec != std::errc() || seconds <= 0) return std::nullopt;
    return Span(std::min(seconds, max_lifetime));
}

// Some providers send numbers as texts, and texts as numbers.
Member members_of_json(JsonObject object) {
    return [object = std::move(object)](const std::string& name) -> std::optional<std::string> {
        const auto* value = object.find(name);
        if (value == nullptr) return std::nullopt;
        if (const auto* text = value->text()) return *text;
        if (const auto* integer = value->integer()) return std::to_string(*integer);
        const auto* number = value->number();
        if (number == nullptr || std::abs(*number) >= 1e18) return std::nullopt;
        return std::to_string(*number);
    };
}

// Null when the body is neither.
Member members_of(const ServiceReply& reply) {
    const auto& body = reply.body.reveal();
    if (auto object = parse_json_object(body)) return members_of_json(std::move(*object));
    if (reply.content_type != "application/x-www-form-urlencoded" &&
        reply.content_type != "text/plain")
        return nullptr;
    auto form = Form::parse(trim(body));
    if (!form) return nullptr;
    return [form = std::move(*form)](const std::string& name) { return form.get(name); };
}

bool one_of(const std::string& word, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

// The meaning of an error code for the linked account. Codes that only some providers know stand
// beside the standard ones.
// in:  silent  there was no body at all: glewlwyd refuses a refresh token with 400 and not a word
TokenReply no_tokens(int status, const std::string& error, bool silent) {
    TokenReply reply;
    const bool refused = one_of(
        error, {"invalid_grant", "bad_refresh_token", "bad_verification_code", "invalid_code",
                "access_denied", "expired_token"});
    if (refused || (status == 400 && silent))
        reply.error = UpstreamError::refused;
    else if (
        one_of(error, {"invalid_client", "incorrect_client_credentials", "unauthorized_client"}) ||
        (status == 401 && error.empty())) {
        reply.error = UpstreamError::registration_lost;
    }
    const bool known =
        reply.error != UpstreamError::unavailable ||
        one_of(
            error, {"invalid_request", "invalid_scope", "invalid_target", "unsupported_grant_type",
                    "server_error", "temporarily_unavailable", "slow_down"});
    reply.reason = "status " + std::to_string(status) +
                   (error.empty() ? ""
                    : known       ? ", " + error
                                  : ", an error of its own");
    return reply;
}

TokenReply read_answer(const ServiceReply& reply) {
    const auto member = members_of(reply);
    const auto error = member ? member("error").value_or("") : std::string();
    if (reply.status != 200 || !error.empty())
        return no_tokens(reply.status, error, trim(reply.body.reveal()).empty());
    if (!member)
        return {std::nullopt, UpstreamError::unavailable, "the answer is neither JSON nor a form"};

    TokenSet tokens;
    const auto access = member("access_token").value_or("");
    if (!is_token(access))
        return {std::nullopt, UpstreamError::unavailable, "the answer has no usable access_token"};
    if (!same_ignoring_case(member("token_type").value_or("bearer"), "bearer"))
        return {std::nullopt, UpstreamError::unavailable, "the token is no bearer token"};
    tokens.access_token = Secret(access);
    if (const auto refresh = member("refresh_token").value_or(""); is_token(refresh))
        tokens.refresh_token = Secret(refresh);
    tokens.expires_in = life(member("expires_in").value_or(""));
    tokens.scope = plain_ascii(member("scope").value_or("").substr(0, max_scope_bytes));
    return {std::move(tokens), UpstreamError::unavailable, {}};
}

} // namespace

TokenReply read_token_reply(const ServiceReply& reply) {
    if (!reply.answered)
        return {
            std::nullopt, UpstreamError::unavailable,
            reply.timed_out ? "no answer in time" : "no answer"};
    auto read = read_answer(reply);
    read.retry_after = reply.retry_after;
    return read;
}

} // namespace consentgate::core
