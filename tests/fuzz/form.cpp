// Query strings and form bodies.
#include "require.h"

#include "consentgate/core/base/form.h"
#include "consentgate/core/base/text.h"

using namespace consentgate;
using tests::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = tests::text_of_input(data, size);
    const auto form = core::Form::parse(text);
    if (!form) {
        require(
            form.error().code == core::ErrorCode::invalid_request,
            "a malformed form is an invalid request");
        require(!form.error().back, "a malformed form redirects nowhere");
        return 0;
    }
    for (const auto* name : {"flow_id", "state", "code", "redirect_uri", "a", ""}) {
        const auto raw = form->raw(name);
        const auto count = form->count(name);
        require(count == form->all(name).size(), "as many values as counted");
        require(raw.has_value() == (count == 1), "a value exactly when it was sent once");
        require((count > 1) == !form->check_not_repeated({name}), "what is repeated is refused");
        require(!form->get(name) || !form->get(name)->empty(), "an empty value is an absent one");
        if (raw)
            require(
                core::valid_utf8(*raw) && raw->find('\0') == std::string::npos,
                "values are UTF-8 without NUL");
        if (raw)
            require(
                core::percent_decode(core::percent_encode(*raw), true) == *raw,
                "encoding a value is undone by decoding it");
    }
    return 0;
}
