// A key set as a provider may publish it.
#include "require.h"

#include "tests/support/samples.h"

#include "consentgate/core/base/public_key.h"
#include "consentgate/core/signin/provider_keys.h"

using namespace consentgate;
using tests::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = tests::text_of_input(data, size);
    const auto read = core::read_provider_keys(text);
    if (!read) return 0;
    const auto set = core::parse_json_object(core::without_byte_order_mark(text));
    require(read->keys.size() <= 64, "a set is bounded");
    require(
        read->keys.size() + read->skipped == set->array("keys")->size(),
        "each entry is used or skipped");
    for (const auto& key : read->keys) {
        require(key.pem.starts_with("-----BEGIN PUBLIC KEY-----"), "a key is a public key");
        std::size_t ways = 0;
        for (const auto& name : core::signature_algorithms()) {
            const auto& algorithm = *core::signature_algorithm(name);
            if (!key.fits(name)) continue;
            ++ways;
            require(algorithm.kind == key.kind, "a key fits its own kind");
            require(
                !core::verify_signature(algorithm, key.pem, "text", std::string(64, 'x')),
                "nobody guesses a signature");
        }
        require(ways > 0, "a key that is kept can sign");
    }
    return 0;
}
