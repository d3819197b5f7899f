#include "doctor_probe.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/metadata.h"
#include "consentgate/sys/http2_probe.h"
#include "consentgate/usecase/services.h"
#include "consentgate/web/paths.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace consentgate::app {
namespace {

using core::Secret;
using sys::HttpResponse;

// The path of a resource as other programs might read it. out: URLs, of which the last segment is
// never plain
std::vector<std::string> spellings_of(const std::string& url) {
    const auto origin = core::origin_of(url);
    const auto path = url.substr(origin.size());
    auto capitals = path;
    std::transform(capitals.begin(), capitals.end(), capitals.begin(), [](unsigned char c) {
        return static_cast<char>(std::toupper(c));
    });
    constexpr std::string_view digits = "0123456789abcdef";
    auto escaped = path;
    if (path.size() > 1) {
        const auto first = static_cast<unsigned char>(path[1]);
        escaped.replace(1, 1, std::string("%") + digits[first >> 4U] + digits[first & 15U]);
    }
    std::vector<std::string> urls{
        origin + "/" + path, url + "/", url + "/doctor", url + ";doctor", origin + "/." + path};
    for (const auto& other : {capitals, escaped})
        if (other != path && path.size() > 1) urls.push_back(origin + other);
    return urls;
}

std::string bearer(const Secret& token) { return "Bearer " + token.reveal(); }

} // namespace

std::optional<std::vector<core::GuardedResource>> Probe::check_server(
    const std::vector<core::GuardedResource>& resources) {
    const auto url = policy_.origin() + core::endpoint::server_metadata + policy_.issuer_path();
    const auto response = ask("GET", url);
    server_ = response.server;
    auto policy = policy_;
    // The document names the resources, too; those that are too new have a finding of their own.
    std::vector<Finding> documents;
    policy.resources = response.answered ? check_resources(resources, documents) : resources;
    add(app::check_document(url, response, core::authorization_server_metadata(policy)));
    for (auto& finding : documents) add(std::move(finding));
    if (!response.answered) return std::nullopt;
    add(check_issuer(base_, policy_.issuer));
    add(check_clock(base_, response, clock_.now()));
    return policy.resources;
}

std::vector<core::GuardedResource> Probe::check_resources(
    const std::vector<core::GuardedResource>& resources, std::vector<Finding>& findings) {
    std::vector<core::GuardedResource> known;
    for (const auto& resource : resources) {
        const auto url = core::resource_metadata_url(resource.url);
        auto finding = check_resource_document(
            resource, url, ask("GET", url), core::protected_resource_metadata(policy_, resource));
        if (finding.cause != Cause::reload) known.push_back(resource);
        findings.push_back(std::move(finding));
    }
    return known;
}

void Probe::check_authorization_header() {
    const auto url = policy_.origin() + core::endpoint::introspect;
    add(check_false_secret(
        url, ask("POST", url, {{"Authorization", "Basic Y2dyc19kb2N0b3I6ZmFsc2U="}}, "token=x")));
}

void Probe::check_plain_http(const std::string& origin) {
    if (origin.empty()) return;
    sys::HttpRequest question{.purpose = sys::PlaceKind::discovery};
    question.url = origin + web::path::sessions_page;
    question.allow_plain_http = true;
    add(check_without_tls(question.url, http_.send(question)));
    question.url = origin + core::endpoint::token;
    question.method = "POST";
    question.content_type = "application/json";
    question.body = Secret("{}");
    add(check_redirect_method(question.url, http_.send(question)));
}

void Probe::check_bodies() {
    const auto url = policy_.origin() + core::endpoint::token;
    const auto form = [](std::size_t bytes) {
        return "grant_type=doctor&filling=" + std::string(bytes, 'x');
    };
    add(check_small_body(url, ask("POST", url, {}, form(60 * 1024))));
    add(check_large_body(url, ask("POST", url, {}, form(65 * 1024))));
}

void Probe::check_preflights(const std::vector<core::GuardedResource>& resources) {
    preflight(
        "GET", policy_.origin() + core::endpoint::server_metadata + policy_.issuer_path(),
        Verdict::broken);
    for (const auto* path : {core::endpoint::register_client, core::endpoint::token})
        preflight("POST", policy_.origin() + path, Verdict::broken);
    for (const auto& resource : resources) preflight("POST", resource.url, Verdict::note);
}

void Probe::check_sign_ins() {
    if (policy_.verified_user == core::VerifiedUser::off) return;
    const auto url = policy_.origin() + web::path::sessions_page;
    add(check_sign_in(url, "without a sign-in", ask("GET", url)));
    add(check_sign_in(
        url, "with an invented name and password",
        ask("GET", url, {{"Authorization", "Basic ZG9jdG9yOmZhbHNl"}})));
}

void Probe::check_caches() {
    const auto url = policy_.origin() + web::path::identity_page + std::string("?flow_id=doctor");
    const auto page = [&] { return ask("GET", url, {{"Accept", "text/html"}}); };
    const auto first = page();
    add(check_cached(url, first, page()));
}

void Probe::check_stranger(const core::GuardedResource& resource, const Stranger& stranger) {
    const AskServer ask_as_stranger = [&](const auto& method, const auto& url, auto headers,
                                          const auto& body, const auto& type) {
        return send(method, url, std::move(headers), body, type);
    };
    add(app::check_stranger(
        walk_as_stranger(ask_as_stranger, stranger, resource, policy_), resource, policy_));
}

bool Probe::check_gate(const core::GuardedResource& resource) {
    const auto called = initialize(resource.url);
    const auto elsewhere =
        initialize(core::origin_of(resource.url) + "/consentgate-doctor-asks-for-nothing");
    if (const auto unserved = find_unserved(resource, called, elsewhere)) {
        add(*unserved);
        return false;
    }
    add(check_without_token("POST", resource, called, policy_));
    add(check_without_token("GET", resource, listen(resource.url, {}), policy_));
    add(check_false_token(
        resource,
        initialize(resource.url, {{"Authorization", "Bearer cgs_" + std::string(43, 'A')}})));
    for (const auto& url : spellings_of(resource.url))
        add(check_spelling(resource, url, initialize(url), elsewhere));
    const auto absolute = base_ + resource.url.substr(core::origin_of(resource.url).size());
    add(check_spelling(
        resource, "POST " + absolute + " in the request line",
        initialize(resource.url, {}, absolute), elsewhere));
    return true;
}

void Probe::check_call(
    const core::GuardedResource& resource, const Secret& token, const std::string& direct) {
    const Headers signed_in{{"Authorization", bearer(token)}};
    auto finding = app::check_call(resource, initialize(resource.url, signed_in));
    const bool arrives = finding.verdict == Verdict::ok;
    add(std::move(finding));
    if (!arrives || direct.empty()) return;
    auto question = request("GET", resource.url);
    question.url = direct;
    question.headers = {{"Accept", "text/event-stream"}};
    question.head_only = true;
    const auto answer = http_.send(question);
    add(check_stream(resource, listen(resource.url, signed_in), answer));
}

void Probe::check_front(
    const std::vector<core::GuardedResource>& resources, const LongestToken& longest,
    const Secret& probe) {
    constexpr std::chrono::milliseconds patience{5000};
    for (const auto& resource : resources) {
        Headers headers;
        for (const auto* name : lax_names) headers.emplace_back(name, "doctor");
        add(check_names(resource, initialize(resource.url, headers)));
        add(check_refusal(resource, initialize(resource.url, {{"Authorization", bearer(probe)}})));
    }
    add(check_http2(base_, server_, sys::speaks_http2(base_, patience)));
    add(check_token_length(longest, server_));
}

// A service that was entered by hand publishes nothing; then its token endpoint must at least
// answer.
void Probe::check_service(const core::Service& service, const std::vector<core::Service>& all) {
    const auto what = "the service " + service.id.text;
    const auto fix = "consentgate-admin service test " + service.id.text;
    if (!service.client_secret.empty()) add(check_client_secret(service, clock_.now()));
    if (const auto safe = core::check_origins(service, all); !safe)
        add({Verdict::note, what + ": " + safe.error().message, fix});
    const auto changed = usecase::test_service(http_, service);
    if (changed && changed->empty()) return add({Verdict::ok, what + " is as it was added"});
    if (changed)
        return add(
            {Verdict::note,
             what + " publishes other data than when it was added: " + core::join(*changed, "; "),
             fix});
    const auto response =
        http_.send({.purpose = sys::PlaceKind::discovery, .url = service.token_endpoint});
    if (response.answered)
        return add(
            {Verdict::ok,
             what + " has a token endpoint that answers; it publishes nothing to compare"});
    add(
        {Verdict::broken,
         what + ": " + changed.error().message + "; its token endpoint: " + response.reason, fix});
}

void Probe::check_document(const std::string& url) {
    const auto& tests = policy_.documents.insecure_test_hosts;
    const bool test = std::find(tests.begin(), tests.end(), core::authority_of(url)) != tests.end();
    sys::PocoHttpClient client(config_.document_http);
    sys::HttpRequest question{.purpose = sys::PlaceKind::discovery};
    question.url = url;
    question.headers = {{"Accept", "application/json"}};
    question.addresses = test ? sys::AddressPolicy::loopback_only : sys::AddressPolicy::public_only;
    add(check_client_document(url, client.send(question)));
}

sys::HttpRequest Probe::request(const std::string& method, const std::string& url) const {
    sys::HttpRequest question{.purpose = sys::PlaceKind::discovery};
    question.method = method;
    question.url = base_ + url.substr(core::origin_of(url).size());
    return question;
}

HttpResponse Probe::ask(
    const std::string& method, const std::string& url, Headers headers, const std::string& form) {
    const auto type = !form.empty()      ? "application/x-www-form-urlencoded"
                      : method == "POST" ? "application/json"
                                         : "";
    return send(
        method, url, std::move(headers), method == "POST" && form.empty() ? "{}" : form, type);
}

HttpResponse Probe::send(
    const std::string& method, const std::string& url, Headers headers, const std::string& body,
    const std::string& type) {
    auto question = request(method, url);
    question.headers = std::move(headers);
    question.body = Secret(body);
    question.content_type = type;
    return http_.send(question);
}

HttpResponse Probe::initialize(const std::string& url, Headers headers, const std::string& target) {
    auto question = request("POST", url);
    question.target = target;
    question.headers = std::move(headers);
    question.headers.emplace_back("Accept", mcp_accept);
    question.body = Secret(initialize_call);
    question.content_type = "application/json";
    auto answer = http_.send(question);
    if (!answer.timed_out) return answer;
    question.head_only = true; // the answer may be a stream that does not end
    return http_.send(question);
}

HttpResponse Probe::listen(const std::string& url, Headers headers) {
    constexpr std::chrono::milliseconds patience{5000};
    auto question = request("GET", url);
    question.headers = std::move(headers);
    question.headers.emplace_back("Accept", "text/event-stream");
    question.head_only = true;
    question.deadline = std::chrono::steady_clock::now() + patience;
    return http_.send(question);
}

void Probe::preflight(const std::string& method, const std::string& url, Verdict otherwise) {
    add(check_preflight(
        url,
        ask("OPTIONS", url,
            {{"Origin", "https://inspector.example"},
             {"Access-Control-Request-Method", method},
             {"Access-Control-Request-Headers",
              "authorization, content-type, mcp-protocol-version"}}),
        otherwise));
}

} // namespace consentgate::app
