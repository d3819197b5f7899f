// The doctor's findings, and which of them is the one thing to fix first. Each rule of doctor.h and
// its neighbours says what an answer shows; put_in_order says what explains what.
// spec: docs/requirements_from_use.md XF3
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace consentgate::app {

enum class Verdict { ok, note, broken }; // note: it works, but not for every client
std::string_view name_of(Verdict verdict);

// Kinds of what is wrong, in the order in which to fix it: what makes others go wrong, then
// what lets strangers in, then what keeps people out.
enum class Cause {
    key_file,       // cannot be read, or is another database's
    database,       // is away, or of another version
    files,          // are not the services' to use
    programs,       // neither the pages nor the gate run
    modules,        // the web server lacks some, or runs them in the wrong order
    web_server,     // nothing answers there
    certificate,    // the web server's, which keeps every client out
    pages_away,     // nobody listens at their socket, or the web server may not connect
    gate_away,      // the same of the gate
    configuration,  // another one is running than the file's, or it names another address
    reload,         // a resource that the workers do not know yet
    cached,         // something on the way answers in our place
    open_server,    // ANYONE can call it
    open_pages,     // ANYONE can be any user
    reachable_past, // a server behind can be reached past the web server
    authorization,  // does not arrive
    pages_fail,     // they answer 5xx
    gate_fails,     // it answers 5xx
    mount,          // something else answers at our addresses
    challenge,      // a refusal without the words that clients need
    names,          // of headers, which the web server must not pass on
    refusal,        // of somebody who lacks a right
    server_behind,  // does not answer a call that passes
    plain_http,     // something is served without TLS, or a redirect forgets it
    http2,          // loses bodies
    body,           // has another limit than ours
    clock,
    nobody, // can come in
    preflight,
    redirect_method, // a redirect makes GET of POST
    buffered,        // streams come late
    documents,       // of clients cannot be fetched
    other,
    who_comes_in, // as the operator wants it
};

struct Finding {
    Verdict verdict = Verdict::ok;
    std::string what;  // for the operator, plain words
    std::string fix{}; // the line to change; empty when there is none
    Cause cause = Cause::other;
    std::string path{};   // of the guarded server that it is about; empty: no single one
    bool follows = false; // from the broken finding before it, so that nothing is to do here
};

// Broken findings first, each cause with what follows from it (notes, too), then the other notes,
// then what is well.
// out: `follows` is set
std::vector<Finding> put_in_order(std::vector<Finding> findings);

// Broken findings that follow from no other one.
std::size_t count_causes(const std::vector<Finding>& findings);

} // namespace consentgate::app
