#include "consentgate/core/upstream/service_failure.h"

#include "reply_members.h"

#include "consentgate/core/base/text.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace consentgate::core {
namespace {

constexpr std::string_view cut = "[cut]";
constexpr std::size_t most_read = 4096, most_shown = 200;
constexpr std::size_t shortest_secret = 4;
// A run of letters and digits that is so long is a token, or might as well be one.
constexpr std::size_t token_with_digits = 16, token_without = 32;
constexpr int first_failing_status = 400;

// The parameters of our requests that are no secrets.
constexpr std::array public_parameters{"grant_type", "redirect_uri", "client_id",
                                       "resource",   "scope",        "token_type_hint"};

void cut_all(std::string& text, const std::string& what) {
    if (what.size() < shortest_secret) return;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + cut.size()))
        text.replace(at, what.size(), cut);
}

// Forms write a blank as a plus. in: encoded  with percent signs
std::string as_in_forms(std::string encoded) {
    for (auto at = encoded.find("%20"); at != std::string::npos; at = encoded.find("%20", at))
        encoded.replace(at, 3, "+");
    return encoded;
}

bool is_of_a_token(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("-._~+/=").find(c) != std::string_view::npos;
}

std::string without_tokens(std::string_view text) {
    std::string kept;
    for (std::size_t at = 0; at < text.size();) {
        const auto begin = at;
        while (at < text.size() && is_of_a_token(text[at])) ++at;
        const auto run = text.substr(begin, at - begin);
        const bool digits = run.find_first_of("0123456789") != std::string_view::npos;
        const bool token = run.size() >= (digits ? token_with_digits : token_without);
        kept += token ? cut : run;
        if (at < text.size()) kept += text[at++];
    }
    return kept;
}

std::string on_one_line(const std::string& text) {
    auto line = join(split(text, ' '), " ");
    if (line.size() <= most_shown) return line;
    return line.substr(0, most_shown - 3) + "...";
}

} // namespace

std::string words_for_log(std::string_view written, const std::vector<Secret>& sent) {
    std::string text(written.substr(0, most_read));
    for (const auto& secret : sent) {
        const auto encoded = percent_encode(secret.reveal());
        cut_all(text, secret.reveal());
        cut_all(text, encoded);
        cut_all(text, as_in_forms(encoded));
    }
    return on_one_line(without_tokens(plain_ascii(text)));
}

std::vector<Secret> secrets_in(const ServiceRequest& request) {
    std::vector<Secret> secrets;
    for (const auto& pair : split(request.form.reveal(), '&')) {
        const auto equals = std::min(pair.find('='), pair.size());
        const auto name = pair.substr(0, equals);
        if (std::find(public_parameters.begin(), public_parameters.end(), name) !=
            public_parameters.end())
            continue;
        const auto value = pair.substr(std::min(equals + 1, pair.size()));
        secrets.emplace_back(percent_decode(value, true).value_or(value));
    }
    if (!request.authorization) return secrets;
    const auto& header = request.authorization->reveal();
    const auto credentials = header.substr(std::min(header.find(' ') + 1, header.size()));
    secrets.emplace_back(credentials);
    const auto pair = from_base64(credentials, Base64::standard).value_or("");
    if (const auto colon = pair.find(':'); colon != std::string::npos) {
        const auto password = pair.substr(colon + 1);
        secrets.emplace_back(percent_decode(password, true).value_or(password));
    }
    return secrets;
}

ServiceFailure failure_of(const ServiceReply& reply) {
    if (!reply.answered) {
        const auto cause = reply.cause != FailureCause::none ? reply.cause
                           : reply.timed_out                 ? FailureCause::timeout
                                                             : FailureCause::unreachable;
        const auto* words = reply.timed_out ? "no answer in time" : "no answer";
        return {cause, reply.reason.empty() ? words : reply.reason};
    }
    const auto members = ReplyMembers::parse(reply);
    const auto written = members ? members->failure_words() : ReplyMembers::Words();
    if (written.error.empty() && reply.status < first_failing_status) return {};
    ServiceFailure failure{
        .cause = written.error.empty() ? FailureCause::http_status : FailureCause::oauth_error,
        .reason = "status " + std::to_string(reply.status)};
    const auto code =
        words_for_log(written.error.empty() ? written.own_code : written.error, reply.sent);
    if (!code.empty() && code != std::to_string(reply.status)) failure.reason += ", " + code;
    const auto description = words_for_log(written.description, reply.sent);
    if (!description.empty()) failure.reason += ": " + description;
    return failure;
}

} // namespace consentgate::core
