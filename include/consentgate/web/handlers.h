// The handlers, named <method>_<path>. Each reads a request into the types of a use-case and turns
// the result into a reply.
#pragma once

#include "consentgate/web/answer.h"

namespace consentgate::web {

using Handled = core::Result<Reply>;
using Handler = Handled (*)(const Request&, WebContext&);

Handled get_wellknown(const Request& request, WebContext& context);
Handled get_key_set(const Request& request, WebContext& context);
Handled post_register(const Request& request, WebContext& context);
Handled get_authorize(const Request& request, WebContext& context);
Handled post_authorize(
    const Request& request, WebContext& context); // leads to the same request as GET
Handled get_authorize_alias(
    const Request& request, WebContext& context); // for clients that read no metadata
Handled post_consent_client(
    const Request& request,
    WebContext& context); // the page before: shall the client's document be read
Handled get_consent(const Request& request, WebContext& context);      // page 1: who are you
Handled get_consent_mcps(const Request& request, WebContext& context); // page 2: services
Handled get_consent_remembered(
    const Request& request, WebContext& context); // in place of page 1: go on as before
Handled get_consent_done(
    const Request& request, WebContext& context); // it was finished or denied: back to the app
Handled get_upstream_authorize(
    const Request& request, WebContext& context); // from page 2, or the page of a link
Handled post_upstream_connect(const Request& request, WebContext& context); // that page's form
Handled get_upstream_key(
    const Request& request, WebContext& context); // where a key of a service is pasted
Handled post_upstream_key(const Request& request, WebContext& context);
Handled post_upstream_change(
    const Request& request, WebContext& context); // from page 2: another account, or none
Handled get_signin_start(const Request& request, WebContext& context);    // to an identity provider
Handled get_signin_callback(const Request& request, WebContext& context); // and back
Handled get_signin_try(const Request& request, WebContext& context);      // an operator's trial
Handled post_signin_backchannel(const Request& request, WebContext& context);
Handled post_signin_go_on(
    const Request& request, WebContext& context); // this flow is the signed-in person's
Handled post_signin_out(const Request& request, WebContext& context);
Handled get_callback(const Request& request, WebContext& context); // back from a service
Handled get_sessions(const Request& request, WebContext& context); // the sessions of this browser
Handled post_sessions_end(const Request& request, WebContext& context);
Handled post_sessions_disconnect(const Request& request, WebContext& context);
Handled post_sessions_connect(const Request& request, WebContext& context);
Handled get_style(const Request& request, WebContext& context);
Handled get_icon(const Request& request, WebContext& context);
Handled get_logo(const Request& request, WebContext& context);
Handled post_consent_resource(const Request& request, WebContext& context);
Handled post_consent_vk(const Request& request, WebContext& context);
Handled post_consent_user_id(const Request& request, WebContext& context);
Handled post_consent_skip(const Request& request, WebContext& context);
Handled post_consent_reuse(const Request& request, WebContext& context);
Handled post_consent_submit(const Request& request, WebContext& context);
Handled post_consent_deny(const Request& request, WebContext& context);
Handled post_token(const Request& request, WebContext& context);
Handled post_revoke(const Request& request, WebContext& context);
Handled post_introspect(const Request& request, WebContext& context);
Handled get_client_metadata(
    const Request& request,
    WebContext& context); // our own document as a client of upstream services
Handled get_healthz(const Request& request, WebContext& context); // a worker answers
Handled get_readyz(
    const Request& request,
    WebContext& context); // and can do its work: the database answers, with the right schema
Handled get_metrics(const Request& request, WebContext& context);

} // namespace consentgate::web
