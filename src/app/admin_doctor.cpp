#include "admin_doctor.h"

#include "doctor_probe.h"

#include "consentgate/app/composition.h"
#include "consentgate/core/base/uri.h"
#include "consentgate/core/oauth/who_may_register.h"
#include "consentgate/sys/metrics.h"
#include "consentgate/usecase/admission.h"
#include "consentgate/usecase/client_keys.h"
#include "consentgate/usecase/clients.h"
#include "consentgate/usecase/probe_session.h"
#include "consentgate/usecase/resource_servers.h"
#include "consentgate/usecase/services.h"

#include <algorithm>
#include <filesystem>
#include <iostream>

namespace consentgate::app::admin {
namespace {

int report(const std::vector<Finding>& found, const Arguments& arguments) {
    const auto findings = put_in_order(found);
    if (arguments.has("json")) {
        std::vector<Row> rows;
        for (const auto& finding : findings)
            rows.push_back(
                {std::string(name_of(finding.verdict)), finding.what, finding.fix,
                 yes_no(finding.follows)});
        print_rows(arguments, rows);
    } else {
        for (const auto& finding : findings) {
            std::cout << (finding.follows ? "  follows" : name_of(finding.verdict)) << ": "
                      << finding.what << "\n";
            if (!finding.fix.empty() && !finding.follows)
                std::cout << "    " << finding.fix << "\n";
        }
    }
    const auto broken = count_causes(findings);
    std::cerr << (broken == 0 ? "all is well\n" : std::to_string(broken) + " broken\n");
    return broken == 0 ? 0 : 1;
}

std::vector<core::GuardedResource> find_resources(
    Context& context, std::vector<Finding>& findings) {
    std::vector<core::GuardedResource> resources;
    run_check(findings, "the resources can be listed", Cause::database, [&] {
        resources = usecase::guarded_resources(context.deps());
        if (const auto valid = usecase::check_gate_resources(resources); !valid)
            findings.push_back(
                {Verdict::broken, valid.error().message,
                 "the gate does not start with both, and goes on with those of before; "
                 "consentgate-admin resource list, and resource remove of the one that is too many",
                 Cause::database});
        else
            findings.push_back({Verdict::ok, "no two resources have one path"});
        if (resources.empty())
            findings.push_back(
                {Verdict::broken, "nothing is guarded yet, and the servers do not start before",
                 "consentgate-admin resource add URL", Cause::programs});
    });
    return resources;
}

// A client of the doctor's own, whichever way it came into the database.
core::ClientId own_client(Context& context) {
    for (const auto& client : usecase::list_clients(context.deps()))
        if (client.active && client.name == stranger_name) return client.id;
    const auto added = usecase::add_client(
        context.key_deps(), {.name = stranger_name, .redirect_uris = {stranger_redirect}},
        context.now);
    if (!added) throw std::runtime_error(added.error().message);
    return added->client.id;
}

// Calls each server as a client does that has signed in.
void check_calls(
    Context& context, Probe& probe, const std::vector<core::GuardedResource>& resources,
    const std::vector<ServerBehind>& servers, std::vector<Finding>& findings) {
    const auto identity = usecase::probe_identity(context.config().policy);
    if (!identity)
        return findings.push_back(
            {Verdict::ok, "only people with a key come in, so the doctor calls no server as one"});
    for (const auto& resource : resources) {
        if (!resource.service.empty()) continue; // it takes an account that a person connects
        auto& deps = context.key_deps();
        const auto session = usecase::begin_probe_session(
            deps, own_client(context), resource, *identity, context.clock.now());
        if (!session) continue;
        probe.check_call(resource, session->token, address_behind(servers, resource));
        usecase::end_probe_session(deps, *session, context.clock.now());
    }
}

// A document of a client that came with one, or that the operator names.
void check_documents(Context& context, const Arguments& arguments, Probe& probe) {
    if (!context.config().policy.documents.accepted) return;
    if (const auto url = arguments.one("client-document")) return probe.check_document(*url);
    for (const auto& client : usecase::list_clients(context.deps()))
        if (client.active && client.id.text.starts_with("https://"))
            return probe.check_document(client.id.text);
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
    run_check(findings, "the connected accounts can be read", Cause::database, [&] {
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

void check_operator(Context& context, Probe& probe, std::vector<Finding>& findings) {
    check_addresses(context, findings);
    findings.push_back({Verdict::ok, core::who_may_register(context.config().policy)});
    if (const auto& file = context.config().metrics_file; std::filesystem::exists(file))
        findings.push_back(check_places(sys::Metrics(file).text()));
    run_check(findings, "the services can be listed", Cause::database, [&] {
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
}

// in: known  the resources that the servers know
void check_from_outside(
    Context& context, const Arguments& arguments, const std::string& base, Probe& probe,
    const std::vector<core::GuardedResource>& known, const std::vector<ServerBehind>& servers,
    std::vector<Finding>& findings) {
    probe.check_caches();
    probe.check_authorization_header();
    probe.check_plain_http(arguments.one("http-url").value_or(default_http_origin(base)));
    probe.check_bodies();
    std::vector<core::GuardedResource> served; // by the web server
    for (const auto& resource : known)
        if (probe.check_gate(resource)) served.push_back(resource);
    probe.check_preflights(served);
    probe.check_sign_ins();
    run_check(findings, "who can come in is known", Cause::database, [&] {
        check_who_comes_in(context, probe, known, findings);
    });
    run_check(findings, "the key file can be read", Cause::key_file, [&] {
        findings.push_back(find_key_set(context, base));
        probe.check_front(
            served, find_longest_token(context, findings), context.keyring().probe_token());
    });
    run_check(findings, "the doctor's own sessions end", Cause::database, [&] {
        check_calls(context, probe, served, servers, findings);
    });
    run_check(findings, "the clients can be listed", Cause::database, [&] {
        check_documents(context, arguments, probe);
    });
    run_check(findings, "the identity providers can be listed", Cause::database, [&] {
        for (auto& finding : find_idps(context, base)) findings.push_back(std::move(finding));
    });
}

// The remedy for this web server, with the line that it is about where that is known.
void name_lines(
    std::vector<Finding>& findings, const FrontConfig& front, const std::string& server) {
    const auto kind = front.is_ours() ? front.kind : front_kind_of(server);
    for (auto& finding : findings) {
        if (finding.verdict == Verdict::ok) continue;
        const auto line = suspect_line(finding, front);
        finding.fix = fix_for(finding.fix, kind);
        if (!line.empty()) finding.fix = line + ": " + finding.fix;
    }
}

// People paste the address of a server; the doctor takes its origin.
std::string base_of(Context& context, const Arguments& arguments) {
    const auto url = arguments.one("url");
    if (!url) return context.config().policy.origin();
    const auto uri = core::split_uri(*url);
    const bool plain = uri && uri->scheme == "http" && core::is_loopback_host(uri->host);
    if (!uri || uri->host.empty() || (uri->scheme != "https" && !plain))
        throw UsageError(
            "--url takes the https address of the site, like https://tools.example.org, and not '" +
            *url + "'");
    return core::origin_of(*url);
}

int doctor(Context& context, const Arguments& arguments) {
    std::vector<Finding> findings;
    const auto base = base_of(context, arguments);
    check_files_and_database(context, arguments, findings);
    const auto resources = find_resources(context, findings);
    const auto front = find_front_config(context, arguments);
    const auto servers = find_servers_behind(front, arguments, resources);
    check_web_server_here(front, servers, findings);
    Probe probe(context.config(), context.clock, context.http(), base, findings);
    if (const auto known = probe.check_server(resources)) {
        check_from_outside(context, arguments, base, probe, *known, servers, findings);
        run_check(findings, "the gate's notes of calls can be read", Cause::other, [&] {
            findings.push_back(find_call_log(context, resources));
        });
    }
    check_operator(context, probe, findings);
    name_lines(findings, front, probe.server());
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
               "the same without TLS, where nothing may be served; else the host's port 80"},
              {"web-config", "FILE",
               "the web server's main configuration file on this machine, in which lines are "
               "looked for; else Debian's"},
              {"behind", "URL...", "a server behind, which only the web server should reach"},
              {"user", "NAME", "as whom the services run; else the owner of the key file's folder"},
              {"client-document", "URL",
               "a client's document, which this machine must be able to fetch"}},
         .json = {"verdict", "finding", "fix", "follows"},
         .audited = false,
         .as_root = true,
         .run = doctor},
    };
}

} // namespace consentgate::app::admin
