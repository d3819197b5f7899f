#include "consentgate/core/signin/token_answer.h"

#include "provider_reply.h"

#include "consentgate/core/base/json.h"
#include "consentgate/core/base/text.h"

#include <algorithm>

namespace consentgate::core {
namespace {

constexpr std::size_t max_token_bytes = 128 * 1024;

bool is_visible(const std::string& text) {
    return !text.empty() && text.size() <= max_token_bytes &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

} // namespace

Result<ProviderTokens> read_provider_tokens(const ServiceReply& reply) {
    if (auto answered = check_answered(reply); !answered) return std::move(answered).error();
    const auto body = parse_json_object(without_byte_order_mark(reply.body.reveal()));
    if (!body) return bad_answer("token", "the answer is no JSON object");
    if (body->has("error")) return refused_answer(reply);
    ProviderTokens tokens{
        .access_token = Secret(body->text("access_token").value_or("")),
        .id_token = Secret(body->text("id_token").value_or(""))};
    if (!is_visible(tokens.access_token.reveal()))
        return bad_answer("access_token", "access_token is missing or cannot be used");
    if (!same_ignoring_case(body->text("token_type").value_or(""), "Bearer"))
        return bad_answer("token_type", "token_type is not Bearer");
    const auto& id_token = tokens.id_token.reveal();
    if (id_token.empty())
        return bad_answer(
            "id_token", "there is no ID token: does the scope openid reach the provider?");
    if (!is_visible(id_token)) return bad_answer("id_token", "id_token cannot be used");
    const auto dots = std::count(id_token.begin(), id_token.end(), '.');
    if (dots == 4)
        return bad_answer(
            "id_token", "the ID token is encrypted: turn encryption off at the provider");
    if (dots != 2) return bad_answer("id_token", "the ID token is no signed JWT");
    if (auto refresh = body->text("refresh_token").value_or(""); is_visible(refresh))
        tokens.refresh_token = Secret(std::move(refresh));
    return tokens;
}

} // namespace consentgate::core
