// An answer of a provider's token endpoint: the status in the first line, the body in the rest.
#include "lines.h"
#include "require.h"

#include "tests/support/samples.h"

#include "consentgate/core/signin/token_answer.h"

using namespace consentgate;
using tests::require;

namespace {

bool visible(const std::string& text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto text = tests::text_of_input(data, size);
    const auto line = tests::take_line(text);
    core::ServiceReply reply;
    reply.answered = true;
    reply.status = static_cast<int>(core::parse_number(line).value_or(200) % 1000);
    reply.body = core::Secret(std::string(text));
    const auto read = core::read_provider_tokens(reply);
    if (!read) {
        const auto& reason = read.error().reason;
        require(
            !reason.empty() && reason.size() <= 120 && core::plain_ascii(reason) == reason,
            "a reason is bounded and plain");
        return 0;
    }
    require(reply.status >= 200 && reply.status < 300, "tokens come with success alone");
    const auto& id_token = read->id_token.reveal();
    require(
        visible(id_token) && std::count(id_token.begin(), id_token.end(), '.') == 2,
        "an ID token has three parts");
    require(visible(read->access_token.reveal()), "an access token is one clean header value");
    require(
        !read->refresh_token || visible(read->refresh_token->reveal()), "a refresh token is plain");
    return 0;
}
