// Reading the body of a request, which some web servers pass on as slowly as they get it. Private
// to this module.
#pragma once

#include "consentgate/sys/places.h"
#include "consentgate/web/http.h"

#include <fcgiapp.h>

#include <chrono>
#include <optional>
#include <string_view>

namespace consentgate::web {

// How long the body may have taken by the time that so much of it is there: three seconds, and then
// as long as 2 KiB a second take; half of it while other requests wait for a worker.
// in:   longest  for a whole body
// spec: docs/requirements.md XD1
std::chrono::milliseconds body_allowance(
    std::size_t bytes, bool others_wait, std::chrono::milliseconds longest);

struct BodyRules {
    std::chrono::milliseconds longest;
    int listening_socket;
    sys::Places* places; // null: nothing is limited
};

// How long the connection is held open, and read, after the answer.
struct Linger {
    std::chrono::milliseconds silence{0}, total{0};
};

struct BodyRead {
    Linger linger{};
    sys::Place place{}; // of a body that did not come to its end; kept until it is closed
};

// Reads to the end even what it drops: an unread body breaks the connection for the answer. Apache
// reads the answer only when it has passed on another two parts of the body, so after a late one
// the connection stays open for a moment.
// in:   promised  the content length, as it was sent
// out:  in `request`: the body and its state
BodyRead read_body(
    FCGX_Request& raw, std::optional<std::string_view> promised, const BodyRules& rules,
    Request& request);

} // namespace consentgate::web
