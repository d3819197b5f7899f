#include "admin.h"

#include "consentgate/app/composition.h"
#include "consentgate/app/doctor.h"
#include "consentgate/core/base/text.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/metadata.h"
#include "consentgate/sys/clock.h"
#include "consentgate/sys/http_client.h"
#include "consentgate/sys/key_file.h"
#include "consentgate/usecase/introspection.h"
#include "consentgate/usecase/maintenance.h"
#include "consentgate/usecase/services.h"

#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <iostream>

namespace consentgate::app::admin {
namespace {

using core::Finding;
using core::HttpAnswer;
using core::Verdict;

// What throws is broken, in its own words; those say what to do.
void look(
    std::vector<Finding>& findings, const std::string& what, const std::function<void()>& at) {
    try {
        at();
        findings.push_back({Verdict::ok, what, {}});
    } catch (const std::exception& error) {
        findings.push_back({Verdict::broken, error.what(), {}});
    }
}

Finding mode_of(const std::string& path, const std::string& what) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        return {Verdict::broken, what + " " + path + " is not there, or not for you to see", {}};
    if ((status.st_mode & 077) == 0) return {Verdict::ok, what + " is nobody else's", {}};
    return {
        Verdict::broken, "others of this machine may read " + what + " " + path,
        "chmod 600 " + path};
}

void look_inside(Context& context, std::vector<Finding>& findings) {
    const auto& config = context.config();
    findings.push_back(mode_of(config.key_file, "the key file"));
    if (!config.store.path.empty()) findings.push_back(mode_of(config.store.path, "the database"));
    if (!config.database_password_file.empty())
        findings.push_back(mode_of(config.database_password_file, "the password file"));
    for (const auto& key : config.bearer_keys)
        findings.push_back(mode_of(key.path, "the bearer key"));
    look(findings, "the database answers, and its schema is this program's", [&] {
        require_schema(context.store(), config.store);
    });
    look(findings, "the key file is the database's", [&] {
        usecase::check_server_keys(
            context.store(), sys::read_key_file(config.key_file), context.now,
            usecase::KeyCheck::looking);
    });
    look(findings, "the pages and their words are whole", [&] {
        web::Pages(config.pages, config.brand);
    });
}

class Outside {
public:
    Outside(const Config& config, std::string base)
        : config_(config), caller_(config.calls), base_(std::move(base)) {}

    // in: url  one of ours, asked at `base` when that is another door to the same server
    HttpAnswer ask(
        const std::string& method, const std::string& url,
        std::vector<std::pair<std::string, std::string>> headers = {},
        const std::string& form = {}) {
        const auto rest = url.substr(core::origin_of(url).size());
        sys::HttpRequest question{
            method, base_ + rest, std::move(headers), core::Secret(form),
            form.empty() ? "" : "application/x-www-form-urlencoded"};
        if (method == "POST" && form.empty())
            question.body = core::Secret("{}"),
            question.content_type = "application/json"; // as calls have one
        auto answer = caller_.ask(question);
        return {answer.answered, answer.status,        answer.authenticate,
                answer.location, answer.body.reveal(), answer.reason,
                answer.date,     answer.allow_origin,  answer.allow_headers};
    }

    void documents(
        const std::vector<core::GuardedResource>& resources, std::vector<Finding>& findings) {
        const auto& policy = config_.policy;
        const auto document = policy.origin() + core::path::server_metadata + policy.issuer_path();
        const auto heard = ask("GET", document);
        findings.push_back(
            core::check_document(document, heard, core::authorization_server_metadata(policy)));
        findings.push_back(core::check_clock(base_, heard, sys::now()));
        for (const auto& resource : resources) {
            const auto url = core::resource_metadata_url(resource.url);
            findings.push_back(core::check_document(
                url, ask("GET", url), core::protected_resource_metadata(policy, resource)));
        }
        const auto introspect = policy.origin() + core::path::introspect;
        findings.push_back(core::check_false_secret(
            introspect, ask("POST", introspect,
                            {{"Authorization", "Basic Y2dyc19kb2N0b3I6ZmFsc2U="}}, "token=x")));
    }

    // in:  base  of the door without TLS; empty: there is none to look at
    void without_tls(const std::string& base, std::vector<Finding>& findings) {
        if (base.empty()) return;
        const auto url = base + core::path::sessions_page;
        const auto answer = caller_.ask({"GET", url, {}, {}, {}, true});
        findings.push_back(core::check_without_tls(
            url, {answer.answered, answer.status, {}, answer.location, {}, answer.reason}));
    }

    void bodies(std::vector<Finding>& findings) {
        const auto token = config_.policy.origin() + core::path::token;
        const auto filled = [](std::size_t bytes) {
            return "grant_type=doctor&filling=" + std::string(bytes, 'x');
        };
        findings.push_back(
            core::check_small_body(token, ask("POST", token, {}, filled(60 * 1024))));
        findings.push_back(
            core::check_large_body(token, ask("POST", token, {}, filled(65 * 1024))));
    }

    // As a browser asks for a program in it. in: otherwise  what it is when the answer is no
    Finding preflight(const std::string& method, const std::string& url, Verdict otherwise) {
        return core::check_preflight(
            url,
            ask("OPTIONS", url,
                {{"Origin", "https://inspector.example"},
                 {"Access-Control-Request-Method", method},
                 {"Access-Control-Request-Headers",
                  "authorization, content-type, mcp-protocol-version"}}),
            otherwise);
    }

    void preflights(
        const std::vector<core::GuardedResource>& resources, std::vector<Finding>& findings) {
        const auto& policy = config_.policy;
        findings.push_back(preflight(
            "GET", policy.origin() + core::path::server_metadata + policy.issuer_path(),
            Verdict::broken));
        for (const auto* path : {core::path::register_client, core::path::token})
            findings.push_back(preflight("POST", policy.origin() + path, Verdict::broken));
        for (const auto& resource : resources)
            findings.push_back(preflight("POST", resource.url, Verdict::note));
    }

    // What was entered by hand publishes nothing; then its token endpoint must at least be there.
    Finding service(const core::Service& service) {
        const auto what = "the service " + service.id.text;
        const auto fix = "consentgate-admin service test " + service.id.text;
        const auto changed = usecase::test_service(caller_, service);
        if (changed && changed->empty()) return {Verdict::ok, what + " is as it was added", {}};
        if (changed)
            return {
                Verdict::note,
                what + " says other things than when it was added: " + core::join(*changed, "; "),
                fix};
        const auto answer = caller_.ask({"GET", service.token_endpoint, {}, {}, {}});
        if (answer.answered)
            return {
                Verdict::ok,
                what + " has a token endpoint that answers; it publishes nothing to compare",
                {}};
        return {
            Verdict::broken,
            what + ": " + changed.error().message + "; its token endpoint: " + answer.reason, fix};
    }

    void sign_in(std::vector<Finding>& findings) {
        if (config_.policy.verified_user == core::VerifiedUser::off) return;
        const auto page = config_.policy.origin() + core::path::sessions_page;
        findings.push_back(core::check_sign_in(page, "without a sign-in", ask("GET", page)));
        findings.push_back(core::check_sign_in(
            page, "with a made-up name and password",
            ask("GET", page, {{"Authorization", "Basic ZG9jdG9yOmZhbHNl"}})));
    }

    void guards(
        const std::vector<core::GuardedResource>& resources, std::vector<Finding>& findings) {
        for (const auto& resource : resources) {
            for (const auto* method : {"GET", "POST"})
                findings.push_back(core::check_without_token(
                    method, resource, ask(method, resource.url), config_.policy));
            findings.push_back(core::check_false_token(
                resource, ask("POST", resource.url,
                              {{"Authorization", "Bearer cgs_" + std::string(43, 'A')}})));
            const auto origin = core::origin_of(resource.url);
            for (const auto& way :
                 {origin + "/" + resource.url.substr(origin.size()), resource.url + "/",
                  resource.url + "/doctor"})
                findings.push_back(core::check_spelling(way, ask("POST", way)));
        }
    }

private:
    const Config& config_;
    sys::PocoHttpClient caller_;
    std::string base_;
};

int report(const std::vector<Finding>& findings, bool json) {
    Table table{{"verdict", "finding", "what_to_do"}, {}};
    auto sorted = findings;
    std::stable_sort(sorted.begin(), sorted.end(), [](const Finding& a, const Finding& b) {
        return a.verdict > b.verdict;
    });
    for (const auto& finding : sorted)
        table.rows.push_back(
            {std::string(core::name_of(finding.verdict)), finding.what, finding.fix});
    const auto broken = std::count_if(findings.begin(), findings.end(), [](const Finding& finding) {
        return finding.verdict == Verdict::broken;
    });
    if (json) print(table, true);
    for (const auto& finding : sorted) {
        if (json) break;
        std::cout << core::name_of(finding.verdict) << ": " << finding.what << "\n";
        if (!finding.fix.empty()) std::cout << "    " << finding.fix << "\n";
    }
    std::cerr << (broken == 0 ? "all is well\n" : std::to_string(broken) + " broken\n");
    return broken == 0 ? 0 : 1;
}

int doctor(Context& context, const Arguments& arguments) {
    std::vector<Finding> findings;
    look_inside(context, findings);
    auto base = arguments.one("url").value_or(context.config().policy.origin());
    while (base.ends_with('/')) base.pop_back();
    std::vector<core::GuardedResource> resources;
    look(findings, "there is something to guard, and no two resources have one path", [&] {
        resources = usecase::guarded_resources(context.store(), context.config().policy.resources);
        if (resources.empty())
            throw std::runtime_error(
                "nothing is guarded yet: run consentgate-admin resource add URL");
        core::ResourceMap{resources};
    });
    const auto host = core::split_uri(base).value_or(core::UriParts{});
    const bool defaults = base.starts_with("https:") && (host.port.empty() || host.port == "443");
    Outside outside(context.config(), base);
    outside.documents(resources, findings);
    outside.without_tls(
        arguments.one("http-url")
            .value_or(defaults ? "http://" + std::string(host.host) : std::string()),
        findings);
    outside.bodies(findings);
    outside.preflights(resources, findings);
    outside.sign_in(findings);
    outside.guards(resources, findings);
    look(findings, "the services can be listed", [&] {
        for (const auto& service : context.store().list_services()) {
            if (service.active) findings.push_back(outside.service(service));
        }
    });
    return report(findings, arguments.has("json"));
}

} // namespace

std::vector<Command> doctor_commands() {
    return {
        {"doctor",
         "",
         "look whether everything is wired as it must be, from inside and from outside",
         "consentgate-admin doctor --url https://tools.example.org",
         {{"url", "ORIGIN", "where to ask from outside; the issuer's when absent"},
          {"http-url", "ORIGIN",
           "the same without TLS, where nothing may be served; port 80 of the host when absent"},
          {"json", "", "print JSON"}},
         doctor}};
}

} // namespace consentgate::app::admin
