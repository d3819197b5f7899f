// Requests and replies as plain values, independent of FastCGI.
#pragma once

#include "consentgate/core/base/secret.h"
#include "consentgate/core/base/time.h"

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace consentgate::web {

inline constexpr std::size_t max_query_bytes = 16 * 1024;

enum class BodyState {
    whole,
    too_large,
    cut,
    late,
    refused
}; // cut: the peer went away before it was all there; late: it took too long; refused: it did not
   // come at once, and as many workers as allowed wait for others

// The web server wants an answer for the client, or our permission to serve a request itself.
enum class Asked { to_answer, as_authorizer };

// How much the web server takes of the gate's answer, in bytes. Beyond it, a web server fails, or
// shows the client what it could not take.
struct AnswerLimits {
    static constexpr auto unlimited = std::numeric_limits<std::size_t>::max();
    std::size_t line = unlimited, head = unlimited; // of each line; of all of them together
};

struct Request {
    Asked asked = Asked::to_answer;
    std::string method; // upper case, as sent
    std::string
        path; // raw, as in REQUEST_URI: never decoded, because front ends decode differently
    std::string query; // raw, without the question mark
    std::string body;  // at most the reader's limit
    BodyState body_state = BodyState::whole;
    std::optional<std::string> content_type, cookie, authorization, origin, fetch_site, fetch_mode,
        fetch_purpose, // Sec-Purpose: a browser that looks ahead says so
        accept, accept_language,
        asked_headers; // Access-Control-Request-Headers of a preflight
    std::string remote_addr;
    std::optional<std::string>
        remote_user;     // the person whom the web server signed in; never a header of the client's
    core::Instant now{}; // one time for the whole request
    std::string event_id;      // under which the log has the reason of a refusal
    bool lax_names = false;    // of headers: shows_lax_names
    bool claims_facts = false; // a client's header by a name of new facts: claims_new_fact
    bool shows_facts = false;  // for the gate: the web server would show new facts to clients
    AnswerLimits limits;       // for the gate
    bool soft_no = false;      // for the gate: takes_soft_no
    bool shows_key = false;    // for the gate: the web server would show a key to clients
};

struct Reply {
    int status = 200;
    std::vector<std::pair<std::string_view, std::string>> headers; // every name is a literal
    std::string body;
    bool bare = false; // the headers alone, without Content-Length

    Reply& header(std::string_view name, std::string value) {
        headers.emplace_back(name, std::move(value));
        return *this;
    }
};

// The target of a request as it stands in a line to a server: an absolute one, which every server
// must take, without its scheme and authority. Anything that is neither comes back as it is.
// spec: RFC 9112 sections 3.2.1 and 3.2.2; docs/requirements.md XB7
std::string_view origin_form(std::string_view target);

// The header block and body as FastCGI wants them: Status first, values without control characters.
std::string serialize(const Reply& reply, bool with_body);

// The one cookie of that name; absent when there is none or more than one, or it is not a browser
// secret in shape.
std::optional<core::Secret> browser_secret(const Request& request, std::string_view cookie_name);

// A browser navigates (its Accept puts text/html above application/json).
bool prefers_html(const Request& request);

// A browser goes to this address itself, with a person before it who will see the answer. A program
// that accepts HTML does not say so. Browsers that say nothing are treated as programs are.
// spec: Fetch Metadata Request Headers, section 2.2; docs/requirements.md XE2
bool navigates(const Request& request);

// The Content-Type is `type`, with any parameters, or a list with it in it: some clients and web
// servers put two headers, or two defaults, into one.
// in:   type  lower case
// spec: RFC 9110 sections 5.3 and 8.3; docs/requirements.md XE6
bool says_type(const Request& request, std::string_view type);

} // namespace consentgate::web
