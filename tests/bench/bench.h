// The measurements that tests/bench/run.sh starts; each prints its part of the report. A database
// is named by its address, as in the configuration; a server's password is in the environment.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace consentgate::bench {

// (a) our store beside the engine's own client.
// in: address  of an empty database
//     folder   on the disk to be measured, empty
int measure_finalizing(const std::string& address, const std::string& folder);

// (b) the cost of the store's verbs on a full database, beside a nearly empty one. Both databases
// are filled first, which prints nothing.
int fill(const std::string& few, const std::string& many);
int measure_fullness(const std::string& few, const std::string& many);

// (d) from starting the server to its first answer through the web server.
// in:   socket   that the command serves; a web server on `port` passes requests to it
//       command  that starts the server; ended again each time
int measure_start(int port, const std::string& socket, const std::vector<std::string>& command);

// (c) and (d) whole journeys, their CPU time, and what a worker keeps in memory.
struct Servers {
    int port;
    pid_t lighttpd, consentgate, noop; // the last two: the masters, whose children do the work
};
int measure_journeys(const Servers& servers);

// (e) the endpoints that clients and resource servers ask most, beside the program that does
// nothing.
// in:   id, secret  of a resource server of the one resource
//       service     that it may fetch its callers' tokens of; none of them is refreshed, and it is
//         never asked
struct KeyedDatabase {
    std::string database, key_file; // an account is written there beforehand
};
int measure_endpoints(
    int port, const std::string& id, const std::string& secret, const std::string& service,
    const KeyedDatabase& database);

// (f) calls of a server behind the gate, through one web server after another. Each has /open,
// which is not guarded, /nothing behind the authorizer that does nothing, and /mcp behind the gate.
struct Front {
    std::string name;
    int port;
    pid_t nothing, gate; // the masters, whose children decide
};
int measure_gate(
    int port,
    const std::vector<Front>& fronts); // in: port  of the pages, where the callers sign in

// (h) decisions about a person with groups and rules, with and without an assertion.
int measure_people();

// (i) calls of a person with groups and rules, through one web server.
// in: resources  behind its gate: one without an assertion, one with it
int measure_people_calls(
    const Front& front, const std::vector<std::string>& resources, const KeyedDatabase& database);

// A FastCGI AUTHORIZER that says yes to everything, with as many headers as the gate sends.
int authorize_nothing();

// A FastCGI program that says "ok" to everything: what lighttpd, libfcgi and the kernel cost
// without us.
int serve_nothing();

} // namespace consentgate::bench
