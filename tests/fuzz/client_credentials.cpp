// How a client says who it is: the Authorization header in the first line, the form of a token
// request in the second, and in the third the subject of a JWT that nobody signed.
#include "lines.h"
#include "require.h"

#include "tests/support/jwt.h"

#include "consentgate/web/requests.h"

using namespace consentgate;
using tests::require;
using Kind = core::ClientCredentials::Kind;

namespace {

void look_at(const core::SentCredentials& sent) {
    const auto read = core::read_client_credentials(sent);
    if (!read) {
        const auto code = read.error().code;
        require(
            code == core::ErrorCode::invalid_client || code == core::ErrorCode::invalid_request,
            "a refusal is one of the two of RFC 6749");
        require(!read.error().back, "a refusal redirects nowhere");
        require(
            core::plain_ascii(read.error().message) == read.error().message,
            "a refusal is plain ASCII");
        return;
    }
    require(
        core::valid_utf8(read->id) && read->id.find('\0') == std::string::npos,
        "a client's id is text that every database takes");
    require(
        (read->kind == Kind::basic || read->kind == Kind::post) || read->secret.empty(),
        "a secret belongs to the ways that have one");
    require(
        read->kind == Kind::assertion || read->assertion.empty(),
        "an assertion belongs to its own way");
    require(
        !sent.client_id.value || read->id == *sent.client_id.value,
        "nobody speaks for two clients");
    // Without the client's secret none of this is a proof.
    auto client = tests::sample_client();
    client.id = core::ClientId(read->id);
    client.secret = core::sha256("a secret of 256 bits that nobody guesses");
    for (const auto auth :
         {core::ClientAuth::client_secret_basic, core::ClientAuth::client_secret_post,
          core::ClientAuth::private_key_jwt}) {
        client.auth = auth;
        require(
            !core::verify_client(*read, client, tests::sample_policy(), tests::noon),
            "a guess proves nothing");
    }
    require(
        !core::verify_client(*read, std::nullopt, tests::sample_policy(), tests::noon),
        "an unknown client proves nothing");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto text = tests::text_of_input(data, size);
    const std::string header(tests::take_line(text));
    const auto form = core::Form::parse(tests::take_line(text));
    const std::string subject(tests::take_line(text));
    if (form) {
        look_at(web::read_credentials(*form, header));
        look_at(web::read_credentials(*form, std::nullopt));
    }
    core::SentCredentials basic;
    basic.authorization = "Basic " + core::to_base64(header, core::Base64::standard);
    look_at(basic);
    core::SentCredentials asserted;
    asserted.client_assertion_type = {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer", 1};
    for (const auto& claims :
         {subject, "{\"sub\":\"" + subject + "\"}",
          core::json_string(core::JsonObject().set("sub", core::plain_ascii(subject)))}) {
        asserted.client_assertion = {tests::forge(R"({"alg":"ES256"})", claims).reveal(), 1};
        look_at(asserted);
    }
    return 0;
}
