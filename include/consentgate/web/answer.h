// Replies. The only code that turns an Error into a response, in four formats.
#pragma once

#include "consentgate/core/base/error.h"
#include "consentgate/web/context.h"
#include "consentgate/web/http.h"

#include <string>

namespace consentgate::web {

enum class ErrorFormat {
    page,    // a person's browser: HTML, or a redirect where the error permits it
    gateway, // the consent POSTs: gateway JSON (docs/http.md), or HTML for a browser
    oauth,   // programs: RFC 6749 section 5.2
    json,    // well-known documents and health: a bare JSON error
};

// in:  request_type  of the gateway shape's extra_fields, e.g. "oauth_consent_submit"
Reply answer(
    const core::Error& error, ErrorFormat format, const Request& request, const WebContext& context,
    const std::string& request_type);

Reply answer_json(int status, std::string document);
// Where the forms of a page may end. Browsers hold form-action against every redirect that follows
// a form, those of the client's own server too, so a page whose form leads to a client names no
// places. A page with a form of ours tells our own server that it comes from there, and nobody
// else.
// spec: docs/requirements.md XE2, XE6
enum class Forms { none, ours, leading_on };
Reply answer_html(int status, std::string html, Forms forms); // with the headers of U1, U2 and A31
Reply answer_lasting(
    const std::string& type,
    std::string bytes); // 200, to be cached for a year: its address changes with it
Reply answer_redirect(std::string location, int status = 302); // no-store, no-referrer, no body
// The browser goes on to the address by itself. in: seconds  after which
void go_on(Reply& reply, int seconds, const std::string& location);
// Lets programs of any origin read the answer, its challenge and its MCP session (C13).
Reply open_to_browsers(Reply reply);
// The page that explains the error in a person's words.
Reply answer_error_page(
    const core::Error& error, const Request& request, const WebContext& context);

} // namespace consentgate::web
