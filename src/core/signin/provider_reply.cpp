#include "provider_reply.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/signin/signin_request.h"

#include <algorithm>

namespace consentgate::core {
namespace {

constexpr int too_many = 429, server_failed = 500;
constexpr std::size_t max_word = 40, max_number = 12;

// One of an OAuth error's words, and nothing that could be a value.
bool is_word(std::string_view text) {
    return !text.empty() && text.size() <= max_word &&
           std::all_of(
               text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

} // namespace

std::string microsoft_number(std::string_view description) {
    constexpr std::string_view mark = "AADSTS";
    const auto at = description.find(mark);
    if (at == std::string_view::npos) return {};
    auto digits = description.substr(at + mark.size(), max_number);
    digits = digits.substr(0, digits.find_first_not_of("0123456789"));
    return std::string(mark) + std::string(digits);
}

Error bad_answer(const char* wrong, std::string reason) {
    return make_error(
        ErrorCode::access_denied, PublicMessage{"the sign-in did not work"},
        LogDetail{std::move(reason)}, wrong);
}

Error refused_answer(const ServiceReply& reply) {
    auto reason = "status " + std::to_string(reply.status);
    if (const auto body = parse_json_object(without_byte_order_mark(reply.body.reveal()))) {
        const auto word = body->text("error").value_or("");
        reason += is_word(word) ? ", " + word : ", an error of its own";
        const auto number = microsoft_number(body->text("error_description").value_or(""));
        if (!number.empty()) reason += ", " + number;
    }
    return bad_answer("error", std::move(reason));
}

Checked check_answered(const ServiceReply& reply) {
    const bool away = !reply.answered || reply.status == too_many || reply.status >= server_failed;
    if (away)
        return make_error(
            ErrorCode::service_unavailable, PublicMessage{"the provider does not answer"},
            LogDetail{reply.answered ? "status " + std::to_string(reply.status) : reply.reason}, {},
            reply.retry_after
                ? ErrorDetails(RetryAfter{static_cast<int>(reply.retry_after->count())})
                : ErrorDetails());
    if (reply.status < 200 || reply.status >= 300) return refused_answer(reply);
    return Nothing{};
}

} // namespace consentgate::core
