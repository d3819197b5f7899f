// The header of a logout token in the first line, its claims in the rest, signed rightly.
#include "lines.h"
#include "require.h"

#include "tests/support/provider_signing.h"

#include "consentgate/core/signin/logout_token.h"

using namespace consentgate;
using tests::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto keys = tests::keys_of({tests::provider_ec().jwk("ec")});
    static const auto provider = tests::sample_signing_provider();
    auto text = tests::text_of_input(data, size);
    const auto header = core::parse_json_object(tests::take_line(text));
    const auto claims = core::parse_json_object(text);
    if (!header || !claims) {
        require(
            !core::validate_logout_token(std::string(text), provider, keys, tests::noon),
            "nobody guesses a signature");
        return 0;
    }
    const auto read = core::validate_logout_token(
        tests::provider_ec().sign(*header, *claims, "ES256"), provider, keys, tests::noon);
    if (!read) {
        require(
            read.error().code == core::ErrorCode::invalid_request && !read.error().back,
            "what is not believed is an invalid request");
        return 0;
    }
    require(header->text("alg") == "ES256", "the algorithm is the one of the key");
    require(!claims->contains("nonce"), "an ID token ends nothing");
    require(claims->object("events") != nullptr, "a logout is an event");
    require(read->issuer == provider.issuer, "the issuer is the row's");
    require(!read->subject.empty() || !read->sid.empty(), "somebody is named");
    require(read->subject.size() <= 255 && read->sid.size() <= 255, "names are bounded");
    require(
        read->forget_after > tests::noon && read->forget_after <= tests::noon + core::Span(721),
        "its use is remembered as long as it would be believed");
    return 0;
}
