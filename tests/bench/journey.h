// One journey as a browser and its client make it: authorize, page, user-id, page, submit, token.
#pragma once

#include "http_client.h"

#include <string>
#include <vector>

namespace consentgate::bench {

// Registers the client that all journeys come from. out: its id
// in: refreshes  it gets refresh tokens, too
std::string register_client(int port, bool refreshes = false);

// A form, as a client sends it: no cookie, no browser. in: headers  further ones, each with its
// line end
std::string client_post(
    int port, std::string_view endpoint, std::string_view form, std::string_view headers = {});
// A form of usual size for the program that does nothing.
std::string noop_post(int port);
// The text between two marks of an answer; throws when either is missing.
std::string between(std::string_view text, std::string_view before, std::string_view after);

// Makes journeys one after another on one connection. Each has its own cookie, flow and PKCE pair.
class Traveller {
public:
    virtual ~Traveller() = default;
    virtual void prepare() = 0; // what a journey needs before it starts; not measured
    virtual void
    travel() = 0; // throws when a step is not answered as it must be: a fast refusal is no journey
};

class SignIn final : public Traveller {
public:
    SignIn(int port, std::string client_id);
    void prepare() override;
    void travel() override;

    std::string finish();                      // all but the last request. out: that request's form
    std::string redeem(std::string_view form); // the last request. out: the answer's document

private:
    Response get(std::string_view step, std::string_view target, int status);
    Response post(std::string_view step, std::string_view path, std::string_view body, int status);
    Response expect(std::string_view step, Response response, int status) const;

    HttpClient http_;
    std::string origin_, client_id_;
    std::string verifier_, challenge_, cookie_, request_;
};

std::vector<std::string> sign_in(int port, std::size_t people); // out: an access token of each

// The same six requests, in method and size, to the program that does nothing.
class SixRequests final : public Traveller {
public:
    explicit SixRequests(int port);
    void prepare() override {}
    void travel() override;

private:
    HttpClient http_;
    std::string get_, post_;
};

} // namespace consentgate::bench
