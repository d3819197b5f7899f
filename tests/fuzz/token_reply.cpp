// An answer of a service's token endpoint: "STATUS CONTENT-TYPE" in the first line, the body in the
// rest.
#include "lines.h"
#include "require.h"

#include "tests/support/samples.h"

#include "consentgate/core/upstream/upstream.h"

using namespace consentgate;
using tests::require;

namespace {

constexpr std::size_t max_token = 131072, max_scope = 4096; // bytes
constexpr std::int64_t ten_years = 10LL * 366 * 86400;      // seconds

bool visible(const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

void look_at(const core::TokenSet& tokens) {
    const auto& access = tokens.access_token.reveal();
    require(
        !access.empty() && access.size() <= max_token && visible(access),
        "an access token is one clean header value");
    require(
        !tokens.expires_in ||
            (tokens.expires_in->count() > 0 && tokens.expires_in->count() <= ten_years),
        "a life is above nothing and below ten years");
    require(
        tokens.scope.size() <= max_scope && core::plain_ascii(tokens.scope) == tokens.scope,
        "a scope is plain and short");
    if (!tokens.refresh_token) return;
    const auto& refresh = tokens.refresh_token->reveal();
    require(
        !refresh.empty() && refresh.size() <= max_token && visible(refresh),
        "a refresh token is plain");
    auto service = tests::sample_service();
    service.auth = core::ClientAuth::client_secret_post;
    const auto request =
        core::refresh_request(service, core::Secret("ours"), *tokens.refresh_token);
    require(
        tests::form_of(request.form.reveal()).get("refresh_token") == refresh,
        "the service gets its refresh token back as it was");
}

// The log gets the reason with what the service wrote, but for the secrets of the request.
void look_at_reason(const std::string& made_up) {
    const auto secret = "ours " + made_up + std::string(4, '!');
    core::JsonObject body;
    for (const auto* name : {"error", "error_description", "message", "code"})
        body.set(name, "you sent " + secret + made_up);
    for (const int status : {200, 400, 401, 503}) {
        const auto read = core::read_token_reply(
            {.answered = true,
             .status = status,
             .content_type = "application/json",
             .body = core::Secret(core::json_string(body)),
             .sent = {core::Secret(secret)}});
        require(!read.tokens, "an error is no token");
        require(read.reason.find(secret) == std::string::npos, "a secret that was sent is cut out");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto text = tests::text_of_input(data, size);
    const auto line = tests::take_line(text);
    const auto blank = std::min(line.find(' '), line.size());
    core::ServiceReply reply;
    reply.answered = true;
    reply.status = static_cast<int>(core::parse_number(line.substr(0, blank)).value_or(200) % 1000);
    reply.content_type = std::string(line.substr(std::min(blank + 1, line.size())));
    reply.body = core::Secret(std::string(text));
    const auto read = core::read_token_reply(reply);
    if (read.tokens) {
        require(reply.status >= 200 && reply.status < 300, "tokens come with success alone");
        look_at(*read.tokens);
    } else {
        require(
            !read.reason.empty() && read.reason.size() <= 440 &&
                core::plain_ascii(read.reason) == read.reason,
            "a reason is bounded and plain");
    }
    require(
        !read.rotated || (!read.tokens && visible(read.rotated->reveal())),
        "a refresh token that came alone is plain");
    look_at_reason(std::string(text.substr(0, 64)));
    const auto revoked = core::read_revocation_reply(reply);
    require(
        revoked != core::Revocation::revoked || (reply.status >= 200 && reply.status < 300),
        "only a success says that a token is revoked");
    reply.answered = false;
    require(!core::read_token_reply(reply).tokens, "nothing comes of no answer");
    return 0;
}
