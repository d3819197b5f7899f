// The head of a FastCGI request as our own check reads it.
#include "require.h"

#include "web/fastcgi_head.h"

using namespace consentgate;
using tests::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = tests::text_of_input(data, size);
    const auto head = web::look_at_head(bytes);
    if (bytes.empty()) require(head == web::Head::incomplete, "nothing is the beginning of a head");
    // A verdict about a beginning stands, whatever follows.
    auto before = web::Head::incomplete;
    for (std::size_t cut = 0; cut <= size; cut += 1 + size / 64) {
        const auto now = web::look_at_head(bytes.substr(0, cut));
        require(before == web::Head::incomplete || now == before, "a verdict stands");
        before = now;
    }
    if (before != web::Head::incomplete) require(head == before, "a verdict stands to the end");
    return 0;
}
