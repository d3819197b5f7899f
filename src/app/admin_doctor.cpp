#include "admin.h"

#include "stranger.h"

#include "consentgate/app/composition.h"
#include "consentgate/app/doctor.h"
#include "consentgate/app/doctor_front.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/metadata.h"
#include "consentgate/core/oauth/who_may_register.h"
#include "consentgate/sys/http2_probe.h"
#include "consentgate/sys/http_client.h"
#include "consentgate/sys/key_file.h"
#include "consentgate/sys/metrics.h"
#include "consentgate/usecase/admission.h"
#include "consentgate/usecase/clients.h"
#include "consentgate/usecase/introspection.h"
#include "consentgate/usecase/maintenance.h"
#include "consentgate/usecase/services.h"
#include "consentgate/web/paths.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>

namespace consentgate::app::admin {
namespace {

using core::Secret;
using sys::HttpResponse;

// A check that throws is broken; its message says what to do.
void run_check(
    std::vector<Finding>& findings, const std::string& what, const std::function<void()>& check) {
    try {
        check();
        findings.push_back({Verdict::ok, what});
    } catch (const std::exception& error) {
        findings.push_back({Verdict::broken, error.what()});
    }
}

Finding check_mode(const std::string& path, const std::string& what) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        return {Verdict::broken, what + " " + path + " does not exist, or you may not see it"};
    if ((status.st_mode & 077) == 0) return {Verdict::ok, what + " is readable by its owner alone"};
    return {
        Verdict::broken, "others of this machine may read " + what + " " + path,
        "chmod 600 " + path};
}

void check_files_and_database(Context& context, std::vector<Finding>& findings) {
    const auto& config = context.config();
    findings.push_back(check_mode(config.key_file, "the key file"));
    if (!config.store.path.empty())
        findings.push_back(check_mode(config.store.path, "the database"));
    if (!config.database_password_file.empty())
        findings.push_back(check_mode(config.database_password_file, "the password file"));
    for (const auto& key : config.bearer_keys)
        findings.push_back(check_mode(key.path, "the bearer key"));
    run_check(findings, "the database answers, and its schema is this program's", [&] {
        require_schema(context.deps(), config.store);
    });
    run_check(findings, "the key file is the database's", [&] {
        usecase::check_server_keys(context.key_deps(), context.now, usecase::KeyCheck::looking);
    });
    run_check(findings, "the pages and their words are complete", [&] {
        web::Pages(config.pages, config.brand);
    });
}

// Asks the web server as a stranger does, and collects what the rules of doctor.h find.
class Probe {
public:
    // in: base  the origin that is asked in place of the issuer's own; another way to one server
    Probe(Context& context, std::string base, std::vector<Finding>& findings)
        : policy_(context.config().policy),
          clock_(context.clock),
          http_(context.http()),
          base_(std::move(base)),
          findings_(findings) {}

    void check_documents(const std::vector<core::GuardedResource>& resources) {
        const auto url = policy_.origin() + core::endpoint::server_metadata + policy_.issuer_path();
        const auto response = ask("GET", url);
        auto policy = policy_;
        policy.resources = resources;
        add(check_document(url, response, core::authorization_server_metadata(policy)));
        add(check_clock(base_, response, clock_.now()));
        for (const auto& resource : resources) {
            const auto document = core::resource_metadata_url(resource.url);
            add(check_document(
                document, ask("GET", document),
                core::protected_resource_metadata(policy_, resource)));
        }
    }

    void check_authorization_header() {
        const auto url = policy_.origin() + core::endpoint::introspect;
        add(check_false_secret(
            url,
            ask("POST", url, {{"Authorization", "Basic Y2dyc19kb2N0b3I6ZmFsc2U="}}, "token=x")));
    }

    // in: origin  of the address without TLS; empty: there is none
    void check_plain_http(const std::string& origin) {
        if (origin.empty()) return;
        const auto url = origin + web::path::sessions_page;
        add(check_without_tls(
            url,
            http_.send(
                {.purpose = sys::PlaceKind::discovery, .url = url, .allow_plain_http = true})));
    }

    void check_bodies() {
        const auto url = policy_.origin() + core::endpoint::token;
        const auto form = [](std::size_t bytes) {
            return "grant_type=doctor&filling=" + std::string(bytes, 'x');
        };
        add(check_small_body(url, ask("POST", url, {}, form(60 * 1024))));
        add(check_large_body(url, ask("POST", url, {}, form(65 * 1024))));
    }

    void check_preflights(const std::vector<core::GuardedResource>& resources) {
        preflight(
            "GET", policy_.origin() + core::endpoint::server_metadata + policy_.issuer_path(),
            Verdict::broken);
        for (const auto* path : {core::endpoint::register_client, core::endpoint::token})
            preflight("POST", policy_.origin() + path, Verdict::broken);
        for (const auto& resource : resources) preflight("POST", resource.url, Verdict::note);
    }

    void check_sign_ins() {
        if (policy_.verified_user == core::VerifiedUser::off) return;
        const auto url = policy_.origin() + web::path::sessions_page;
        add(check_sign_in(url, "without a sign-in", ask("GET", url)));
        add(check_sign_in(
            url, "with an invented name and password",
            ask("GET", url, {{"Authorization", "Basic ZG9jdG9yOmZhbHNl"}})));
    }

    void check_stranger(const core::GuardedResource& resource, const Stranger& stranger) {
        const AskServer ask_as_stranger = [&](const auto& method, const auto& url, auto headers,
                                              const auto& body, const auto& type) {
            return send(method, url, std::move(headers), body, type);
        };
        add(app::check_stranger(
            walk_as_stranger(ask_as_stranger, stranger, resource, policy_), resource, policy_));
    }

    void check_gate(const core::GuardedResource& resource) {
        for (const auto* method : {"GET", "POST"})
            add(check_without_token(method, resource, ask(method, resource.url), policy_));
        add(check_false_token(
            resource,
            ask("POST", resource.url, {{"Authorization", "Bearer cgs_" + std::string(43, 'A')}})));
        const auto origin = core::origin_of(resource.url);
        for (const auto& spelling :
             {origin + "/" + resource.url.substr(origin.size()), resource.url + "/",
              resource.url + "/doctor"})
            add(check_spelling(spelling, ask("POST", spelling)));
    }

    // Asks how the web server treats calls of these resources.
    void check_front(
        const std::vector<core::GuardedResource>& resources, const LongestToken& longest,
        const Secret& probe) {
        constexpr std::chrono::milliseconds patience{5000};
        for (const auto& resource : resources) {
            std::vector<std::pair<std::string, std::string>> headers;
            for (const auto* name : lax_names) headers.emplace_back(name, "doctor");
            add(check_names(resource, ask("POST", resource.url, headers)));
            add(check_refusal(
                resource,
                ask("POST", resource.url, {{"Authorization", "Bearer " + probe.reveal()}})));
        }
        const auto server = ask("GET", policy_.origin() + "/").server;
        add(check_http2(base_, server, sys::speaks_http2(base_, patience)));
        add(check_token_length(longest, server));
    }

    // A service that was entered by hand publishes nothing; then its token endpoint must at least
    // answer.
    void check_service(const core::Service& service, const std::vector<core::Service>& all) {
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
                 what +
                     " publishes other data than when it was added: " + core::join(*changed, "; "),
                 fix});
        const auto response =
            http_.send({.purpose = sys::PlaceKind::discovery, .url = service.token_endpoint});
        if (response.answered)
            return add(
                {Verdict::ok,
                 what + " has a token endpoint that answers; it publishes nothing to compare"});
        add(
            {Verdict::broken,
             what + ": " + changed.error().message + "; its token endpoint: " + response.reason,
             fix});
    }

private:
    void add(Finding finding) { findings_.push_back(std::move(finding)); }

    // in: url  one of ours, asked at `base`
    HttpResponse ask(
        const std::string& method, const std::string& url,
        std::vector<std::pair<std::string, std::string>> headers = {},
        const std::string& form = {}) {
        // An MCP call has a body.
        const auto type = !form.empty()      ? "application/x-www-form-urlencoded"
                          : method == "POST" ? "application/json"
                                             : "";
        return send(
            method, url, std::move(headers), method == "POST" && form.empty() ? "{}" : form, type);
    }

    HttpResponse send(
        const std::string& method, const std::string& url,
        std::vector<std::pair<std::string, std::string>> headers, const std::string& body,
        const std::string& type) {
        sys::HttpRequest request{.purpose = sys::PlaceKind::discovery};
        request.method = method;
        request.url = base_ + url.substr(core::origin_of(url).size());
        request.headers = std::move(headers);
        request.body = Secret(body);
        request.content_type = type;
        return http_.send(request);
    }

    void preflight(const std::string& method, const std::string& url, Verdict otherwise) {
        add(check_preflight(
            url,
            ask("OPTIONS", url,
                {{"Origin", "https://inspector.example"},
                 {"Access-Control-Request-Method", method},
                 {"Access-Control-Request-Headers",
                  "authorization, content-type, mcp-protocol-version"}}),
            otherwise));
    }

    const core::Policy& policy_;
    const sys::Clock& clock_;
    sys::HttpClient& http_;
    std::string base_;
    std::vector<Finding>& findings_;
};

int report(const std::vector<Finding>& findings, const Arguments& arguments) {
    auto sorted = findings;
    std::stable_sort(sorted.begin(), sorted.end(), [](const Finding& a, const Finding& b) {
        return a.verdict > b.verdict;
    });
    if (arguments.has("json")) {
        std::vector<Row> rows;
        for (const auto& finding : sorted)
            rows.push_back({std::string(name_of(finding.verdict)), finding.what, finding.fix});
        print_rows(arguments, rows);
    } else {
        for (const auto& finding : sorted) {
            std::cout << name_of(finding.verdict) << ": " << finding.what << "\n";
            if (!finding.fix.empty()) std::cout << "    " << finding.fix << "\n";
        }
    }
    const auto broken = std::count_if(findings.begin(), findings.end(), [](const Finding& finding) {
        return finding.verdict == Verdict::broken;
    });
    std::cerr << (broken == 0 ? "all is well\n" : std::to_string(broken) + " broken\n");
    return broken == 0 ? 0 : 1;
}

std::vector<core::GuardedResource> find_resources(
    Context& context, std::vector<Finding>& findings) {
    std::vector<core::GuardedResource> resources;
    run_check(findings, "there is something to guard, and no two resources have one path", [&] {
        resources = usecase::guarded_resources(context.deps());
        if (resources.empty())
            throw std::runtime_error(
                "nothing is guarded yet: run consentgate-admin resource add URL");
        core::ResourceMap{resources};
    });
    return resources;
}

// The client of the doctor's last walk, so that a doctor who comes every day registers once.
Stranger make_stranger(Context& context) {
    Stranger stranger{.client_id = {}, .verifier = context.random().secret().reveal()};
    for (const auto& client : usecase::list_clients(context.deps())) {
        if (client.active && !client.by_operator && client.name == stranger_name &&
            client.redirect_uris == std::vector<std::string>{stranger_redirect})
            stranger.client_id = client.id.text;
    }
    return stranger;
}

void check_who_comes_in(
    Context& context, Probe& probe, const std::vector<core::GuardedResource>& resources,
    std::vector<Finding>& findings) {
    findings.push_back(check_admission(usecase::who_can_come_in(context.deps(), context.now)));
    findings.push_back(check_shut_out(usecase::count_shut_out(context.deps(), context.now)));
    if (!resources.empty()) probe.check_stranger(resources.front(), make_stranger(context));
}

LongestToken find_longest_token(Context& context, std::vector<Finding>& findings) {
    LongestToken longest;
    run_check(findings, "the connected accounts can be read", [&] {
        if (const auto found = context.store().accounts.find_longest_token())
            longest = {found->service.text, found->bytes};
    });
    return longest;
}

// Where this machine alone is served, everybody has its address.
void check_addresses(Context& context, std::vector<Finding>& findings) {
    const auto issuer = core::split_uri(context.config().policy.issuer).value_or(core::UriParts{});
    if (core::is_loopback_host(issuer.host)) return;
    try {
        findings.push_back(check_callers(usecase::list_callers(context.deps())));
    } catch (const store::StoreFailure&) { // another check has reported the database
    }
}

int doctor(Context& context, const Arguments& arguments) {
    std::vector<Finding> findings;
    check_files_and_database(context, findings);
    auto base = arguments.one("url").value_or(context.config().policy.origin());
    while (base.ends_with('/')) base.pop_back();
    const auto resources = find_resources(context, findings);
    Probe probe(context, base, findings);
    probe.check_documents(resources);
    probe.check_authorization_header();
    probe.check_plain_http(arguments.one("http-url").value_or(default_http_origin(base)));
    probe.check_bodies();
    probe.check_preflights(resources);
    probe.check_sign_ins();
    for (const auto& resource : resources) probe.check_gate(resource);
    run_check(findings, "who can come in is known", [&] {
        check_who_comes_in(context, probe, resources, findings);
    });
    check_addresses(context, findings);
    findings.push_back({Verdict::ok, core::who_may_register(context.config().policy)});
    run_check(findings, "the key file can be read", [&] {
        findings.push_back(find_key_set(context, base));
        probe.check_front(
            resources, find_longest_token(context, findings), context.keyring().probe_token());
    });
    run_check(findings, "the gate's notes of calls can be read", [&] {
        findings.push_back(find_call_log(context, resources));
    });
    if (const auto& file = context.config().metrics_file; std::filesystem::exists(file))
        findings.push_back(check_places(sys::Metrics(file).text()));
    run_check(findings, "the services can be listed", [&] {
        const auto services = usecase::list_services(context.deps());
        if (!services.empty()) findings.push_back(check_callbacks(services));
        for (const auto& service : services) {
            if (service.active && service.takes_keys())
                findings.push_back(
                    check_keys(service, usecase::check_key_trial(context.service_deps(), service)));
            else if (service.active)
                probe.check_service(service, services);
        }
    });
    run_check(findings, "the identity providers can be listed", [&] {
        for (auto& finding : find_idps(context, base)) findings.push_back(std::move(finding));
    });
    return report(findings, arguments);
}

} // namespace

std::vector<Command> doctor_commands() {
    return {
        {.name = "doctor",
         .summary = "check files, database and services, and the web server as a stranger sees it",
         .example = "consentgate-admin doctor --url https://tools.example.org",
         .options =
             {{"url", "ORIGIN", "where to ask the web server; the issuer's when absent"},
              {"http-url", "ORIGIN",
               "the same without TLS, where nothing may be served; else the host's port 80"}},
         .json = {"verdict", "finding", "fix"},
         .audited = false,
         .as_root = true,
         .run = doctor},
    };
}

} // namespace consentgate::app::admin
