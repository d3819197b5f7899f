// A discovery document as a provider may publish it.
#include "require.h"

#include "tests/support/samples.h"

#include "consentgate/core/base/public_key.h"
#include "consentgate/core/signin/provider_metadata.h"
#include "consentgate/core/upstream/service_discovery.h"

using namespace consentgate;
using tests::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string issuer = "https://sso.example";
    const auto text = tests::text_of_input(data, size);
    if (const auto read = core::read_provider_metadata(text, issuer)) {
        require(read->issuer == issuer, "a document is its issuer's");
        for (const auto& url : {read->authorization_endpoint, read->token_endpoint, read->jwks_uri})
            require(static_cast<bool>(core::check_endpoint(url)), "an endpoint can be asked");
        for (const auto& url : {read->userinfo_endpoint, read->end_session_endpoint})
            require(
                url.empty() || static_cast<bool>(core::check_endpoint(url)),
                "an endpoint can be asked");
        require(!read->auth_methods.empty(), "there is a way to authenticate");
        require(!read->signing_algorithms.empty(), "there is a way to sign");
        for (const auto& name : read->signing_algorithms)
            require(core::signature_algorithm(name) != nullptr, "it is a way that we verify");
    } else {
        require(!read.error().message.empty(), "a refusal is in words");
    }
    const std::string typed(text);
    if (core::check_provider_issuer(typed))
        require(
            static_cast<bool>(core::check_endpoint(core::provider_metadata_url(typed))),
            "a document can be asked for");
    return 0;
}
