// The gate decides for the web server whether a request may pass. The web server asks in one of two
// ways: as a FastCGI AUTHORIZER (lighttpd, Apache), or by a request of its own whose status it
// reads (nginx auth_request).
#pragma once

#include "consentgate/core/oauth/resource.h"
#include "consentgate/usecase/dependencies.h"
#include "consentgate/web/http.h"

namespace consentgate::web {

struct Gate {
    usecase::Dependencies& deps;
    core::ResourceMap resources;
};

// How much of an answer the asking web server takes. The shipped files say it; without their word
// it is what a web server takes by itself.
// spec: docs/requirements.md XB5
// in: limit  CONSENTGATE_LINE_LIMIT
AnswerLimits answer_limits(Asked asked, bool by_apache, std::string_view limit);

// Whether this parameter shows that the web server passes header names on which servers could read
// as the gate's own: nginx does with `ignore_invalid_headers off` or `underscores_in_headers on`.
// The doctor sends such names to find out.
// spec: docs/requirements.md XB2
bool shows_lax_names(std::string_view parameter);
inline constexpr std::string_view lax_names_message =
    "the web server passes on header names that servers read as those of the gate";

// mod_fcgid makes 401 of every refusal, and loses its words. Where its .htaccess says that it lets
// nothing pass without CONSENTGATE_PASSED, the gate writes a 403 as a 200 with variables alone, of
// which the .htaccess makes the 403 that clients must see.
// in:   role     FCGI_APACHE_ROLE
//       soft_no  CONSENTGATE_SOFT_NO
// spec: docs/requirements.md P19
bool takes_soft_no(std::string_view role, std::string_view soft_no);

// Whether this parameter is a header of the client's by the name of a fact that web servers' files
// of before do not know, and therefore let through.
// spec: docs/requirements_signin.md SI78
bool claims_new_fact(std::string_view parameter);

// mod_fcgid sends the gate's variables to clients unless its .htaccess takes them out, which says
// so for the key of an account and for the facts about people; without that word none is given.
// in:   hides  CONSENTGATE_HIDES_KEY, CONSENTGATE_HIDES_FACTS
bool shows_variable(std::string_view role, std::string_view hides);

// Only 200 lets the request pass. It carries CONSENTGATE_… variables to an AUTHORIZER's web server
// and Consentgate-… headers to nginx; AUTHORIZATION among them is the token that the server behind
// the gate gets in place of the session token, KEY a person's key of a service that has such. nginx
// knows three answers: 200, 401 and 403; it makes 500 of any other. The shipped files make the real
// status of Consentgate-Status, or of a 503 or 429, and the body of Consentgate-Error and -Say,
// which nginx keeps to itself; an authorizer's web server would show them to the client.
// fail: never throws; an unexpected exception refuses the request
Reply decide(const Request& request, Gate& gate);

} // namespace consentgate::web
