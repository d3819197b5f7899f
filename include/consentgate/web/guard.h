// Checks that handlers begin with: forms, origins, cookies, rates.
#pragma once

#include "consentgate/core/base/form.h"
#include "consentgate/usecase/consent.h"
#include "consentgate/web/context.h"
#include "consentgate/web/http.h"

#include <string>
#include <string_view>

namespace consentgate::web {

// A form body of the right media type. fail: unsupported_media_type, invalid_request
core::Result<core::Form> read_form(const Request& request);

// Another site's page led here, as far as the browser says. One that names an origin must name us;
// one that hides it ("null") must say "same-origin" in Sec-Fetch-Site.
bool is_foreign(const Request& request, const WebContext& context);

// The same as read_form for a form that only our own pages may send.
// fail: browser_mismatch; missing_flow_id for a wrong media type, invalid_flow for a malformed body
core::Result<core::Form> read_own_form(const Request& request, const WebContext& context);

// Looks a sign-in up only for a browser that has its cookie.
usecase::BrowserContext browser_context_of(const Request& request, const WebContext& context);
// The secret of the browser's sign-in, which may have ended; absent: it never signed in.
std::optional<core::Secret> signin_secret(const Request& request, const WebContext& context);

// fail: too_many_requests with the seconds to wait
core::Checked admit(
    const Request& request, WebContext& context, std::string_view what, int most_a_minute);

// One attempt to prove a virtual key in a flow, on page 1 or as a bearer. It counts for the address
// and for the flow before it is validated, and is taken back unless it failed: so attempts at the
// same moment cannot pass the limit together, and after too many failures a right key has to wait
// too.
// spec: docs/requirements.md XA3
class KeyAttempt {
public:
    // in: by  page or bearer, for the audit log
    KeyAttempt(
        const Request& request, WebContext& context, const core::FlowId& flow, std::string_view by);
    ~KeyAttempt();
    KeyAttempt(const KeyAttempt&) = delete;
    KeyAttempt& operator=(const KeyAttempt&) = delete;

    core::Checked admitted() const { return admitted_; } // fail: too_many_requests
    void check_refusal(const core::Error& error);        // counts a wrong key, and audits it

private:
    void audit(const std::string& reason) const;

    const Request& request_;
    WebContext& context_;
    std::string caller_, flow_;
    std::string_view by_;
    core::Checked admitted_ = core::Nothing{};
    bool counts_by_caller_ = false, counts_by_flow_ = false; // as long as nothing took it back
};

// Counts a finished sign-in, and writes it into the audit log. in: by  person, admin or remembered
void note_consent(
    const usecase::Submitted& submitted, std::string_view by, const Request& request,
    const WebContext& context);

// The Set-Cookie values.
std::string browser_cookie(const core::Secret& secret, const WebContext& context);
std::string signin_cookie(const core::Secret& secret, const WebContext& context);

} // namespace consentgate::web
