// Request headers that strangers fill: Cookie, Accept, Accept-Language, Content-Type. And what is
// written into ours.
#include "require.h"

#include "consentgate/core/base/text.h"
#include "consentgate/web/http.h"

#include <algorithm>

using namespace consentgate;
using tests::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(tests::text_of_input(data, size));
    web::Request request;
    request.cookie = request.accept = request.content_type = text;
    if (const auto secret = web::browser_secret(request, "b")) {
        require(
            secret->reveal().size() == 43 && core::is_base64url(secret->reveal()),
            "a browser secret has its shape");
        require(
            text.find("b=" + secret->reveal()) != std::string::npos, "a browser secret was sent");
    }
    static_cast<void>(web::prefers_html(request));
    if (web::says_type(request, "application/json"))
        require(
            core::lower_ascii(text).find("application/json") != std::string::npos,
            "a type that is read was sent");

    web::Reply reply{302, {}, {}};
    reply.header("Location", text);
    const auto written = web::serialize(reply, true);
    require(std::count(written.begin(), written.end(), '\n') == 4, "no value opens a line");
    require(written.starts_with("Status: 302 "), "the status comes first");
    return 0;
}
