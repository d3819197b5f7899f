// Asks the web server as strangers, browsers and clients do, and collects what the rules of
// doctor.h find in the answers. Private to this module.
#pragma once

#include "stranger.h"

#include "consentgate/app/config.h"
#include "consentgate/app/doctor.h"
#include "consentgate/app/doctor_front.h"
#include "consentgate/sys/clock.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace consentgate::app {

class Probe {
public:
    using Headers = std::vector<std::pair<std::string, std::string>>;

    // in: base  the origin that is asked in place of the issuer's own; another way to one server
    Probe(
        const Config& config, const sys::Clock& clock, sys::HttpClient& http, std::string base,
        std::vector<Finding>& findings)
        : config_(config),
          policy_(config.policy),
          clock_(clock),
          http_(http),
          base_(std::move(base)),
          findings_(findings) {}

    // The first questions. out: the resources that the servers know; absent: nobody answers, so
    // that no other question is worth its time
    std::optional<std::vector<core::GuardedResource>> check_server(
        const std::vector<core::GuardedResource>& resources);

    void check_authorization_header();
    // in: origin  of the address without TLS; empty: there is none
    void check_plain_http(const std::string& origin);
    void check_bodies();
    void check_preflights(const std::vector<core::GuardedResource>& resources);
    void check_sign_ins();
    void check_caches();
    void check_stranger(const core::GuardedResource& resource, const Stranger& stranger);
    // out: false: the web server has nothing at its address yet
    bool check_gate(const core::GuardedResource& resource);
    // in: token   of the doctor's session
    //     direct  where the server behind is asked without the web server; empty: unknown
    void check_call(
        const core::GuardedResource& resource, const core::Secret& token,
        const std::string& direct);
    // How the web server treats calls of these resources.
    void check_front(
        const std::vector<core::GuardedResource>& resources, const LongestToken& longest,
        const core::Secret& probe);
    void check_service(const core::Service& service, const std::vector<core::Service>& all);
    // A client's document, as the servers fetch it.
    void check_document(const std::string& url);

    const std::string& server() const { return server_; } // what it calls itself

private:
    // out: those that the servers know
    std::vector<core::GuardedResource> check_resources(
        const std::vector<core::GuardedResource>& resources, std::vector<Finding>& findings);
    void add(Finding finding) { findings_.push_back(std::move(finding)); }

    // in: url  one of ours, asked at `base`
    sys::HttpResponse ask(
        const std::string& method, const std::string& url, Headers headers = {},
        const std::string& form = {});
    sys::HttpResponse send(
        const std::string& method, const std::string& url, Headers headers, const std::string& body,
        const std::string& type);
    sys::HttpRequest request(const std::string& method, const std::string& url) const;
    // The first call of an MCP client. in: target  of the request line, where it is not the URL's
    sys::HttpResponse initialize(
        const std::string& url, Headers headers = {}, const std::string& target = {});
    // The head of a stream.
    sys::HttpResponse listen(const std::string& url, Headers headers);
    void preflight(const std::string& method, const std::string& url, Verdict otherwise);

    const Config& config_;
    const core::Policy& policy_;
    const sys::Clock& clock_;
    sys::HttpClient& http_;
    std::string base_, server_;
    std::vector<Finding>& findings_;
};

} // namespace consentgate::app
