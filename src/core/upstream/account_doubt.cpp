#include "consentgate/core/upstream/account_doubt.h"

#include "consentgate/core/base/text.h"

#include <algorithm>

namespace consentgate::core {
namespace {

constexpr std::int64_t max_doubts = 3; // one more is the third of a token that was new
constexpr Span doubts_within{600}, brake{600};
constexpr Span confirmed_after{10}; // two calls of one moment may have met one odd gateway
constexpr Span suspect_every{60};
constexpr std::size_t max_account_bytes = 64, max_challenge_bytes = 2048;

std::string unmarked(const CalledAccount& called) {
    return called.account + "." + std::to_string(called.version);
}

// The text of a member, up to the next quotation mark; absent when the line lacks it.
std::optional<std::string_view> member(std::string_view line, std::string_view name) {
    const auto label = "\"" + std::string(name) + "\":\"";
    const auto at = line.find(label);
    if (at == std::string_view::npos) return std::nullopt;
    line.remove_prefix(at + label.size());
    return line.substr(0, std::min(line.find('"'), line.size()));
}

bool is_within(Instant since, Span span, Instant now) { return since <= now && now - since < span; }

} // namespace

std::string call_id(const CalledAccount& called, const Keyring& keyring) {
    const auto text = unmarked(called);
    const auto mark = keyring.call_mark(keyring.newest(), text);
    return text + "." + (mark ? mark->reveal() : std::string());
}

std::optional<CalledAccount> read_call_id(std::string_view text, const Keyring& keyring) {
    const auto first = text.find('.');
    const auto second = text.find('.', std::min(first, text.size() - 1) + 1);
    if (text.empty() || second == std::string_view::npos || first > max_account_bytes)
        return std::nullopt;
    const auto version = parse_number(text.substr(first + 1, second - first - 1));
    if (!version) return std::nullopt;
    CalledAccount called{std::string(text.substr(0, first)), *version};
    const auto marked = unmarked(called);
    if (marked != text.substr(0, second)) return std::nullopt;
    const auto mark = text.substr(second + 1);
    const auto& keys = keyring.keys();
    const bool ours = std::any_of(keys.begin(), keys.end(), [&](const ServerKey& key) {
        const auto expected = keyring.call_mark(key.id, marked);
        return expected && same_bytes(expected->reveal(), mark);
    });
    return ours ? std::optional(std::move(called)) : std::nullopt;
}

// The web server writes call and status before the challenge, so nothing in a challenge is taken
// for them. nginx writes several statuses when it asked several servers, and the last one counts.
std::optional<CallReport> read_call_report(std::string_view line) {
    const auto call = member(line, "call");
    const auto status = member(line, "status");
    if (!call || !status || status->size() < 3) return std::nullopt;
    const auto number = parse_number(status->substr(status->size() - 3));
    if (!number || *number < 100) return std::nullopt;
    CallReport report{.call = std::string(*call), .status = static_cast<int>(*number)};
    constexpr std::string_view label = "\"challenge\":\"";
    const auto at = line.find(label);
    if (at != std::string_view::npos)
        report.challenge = std::string(line.substr(at + label.size(), max_challenge_bytes));
    return report;
}

TokenRefusal token_refusal(const CallReport& report) {
    if (report.status != 401) return TokenRefusal::none;
    const auto challenge = lower_ascii(report.challenge);
    return challenge.find("bearer") != std::string::npos ? TokenRefusal::certain
                                                         : TokenRefusal::likely;
}

std::optional<LinkedAccount> after_refused_token(
    LinkedAccount account, std::int64_t version, TokenRefusal refusal, Instant now) {
    if (refusal == TokenRefusal::none || account.version != version) return std::nullopt;
    if (account.ended_at || account.broken_at) return std::nullopt;
    if (account.refresh_token.empty()) {
        const bool again = account.doubted_at && *account.doubted_at + confirmed_after <= now;
        if (refusal == TokenRefusal::certain || again) {
            account.broken_at = now;
            account.failure = "the service refused the token";
            account.failure_cause = FailureCause::http_status;
            return account;
        }
    }
    if (account.doubted_at) return std::nullopt;
    const bool goes_on =
        account.doubts_since && is_within(*account.doubts_since, doubts_within, now);
    account.doubts = goes_on ? account.doubts + 1 : 1;
    if (!goes_on) account.doubts_since = now;
    account.doubted_at = now;
    return account;
}

std::optional<Instant> braked_until(const LinkedAccount& account, Instant now) {
    if (account.doubts <= max_doubts || !account.doubted_at) return std::nullopt;
    if (!is_within(*account.doubted_at, brake, now)) return std::nullopt;
    return *account.doubted_at + brake;
}

bool may_have_been_refused(const LinkedAccount& account, Instant now) {
    if (account.ended_at || account.broken_at || account.refresh_token.empty()) return false;
    const auto lately = [&](const std::optional<Instant>& at) {
        return at && is_within(*at, suspect_every, now);
    };
    return !account.doubted_at && !lately(account.updated_at) && !lately(account.doubts_since);
}

} // namespace consentgate::core
