#include "admin_services.h"

#include "admin_names.h"
#include "admin_progress.h"
#include "service_presets.h"

#include "consentgate/core/base/text.h"
#include "consentgate/usecase/services.h"
#include "consentgate/usecase/upstream_revocation.h"

#include <algorithm>
#include <chrono>
#include <iostream>

namespace consentgate::app::admin {

core::Service named_service(Context& context, const Arguments& arguments) {
    return named_service(context, arguments.words.front());
}

namespace {

using core::Service;

constexpr std::chrono::minutes max_revocation_time{5};

int list(Context& context, const Arguments& arguments) {
    std::vector<Row> rows;
    for (const auto& service : usecase::list_services(context.deps())) {
        rows.push_back(
            {service.id.text, core::display_text(service.name, 40), service.url,
             yes_no(service.active), std::string(core::name_of(service.registration)),
             std::string(core::name_of(service.callback)), when(service.created_at)});
    }
    print_rows(arguments, rows);
    return 0;
}

int test(Context& context, const Arguments& arguments) {
    const auto service = named_service(context, arguments);
    if (service.takes_keys()) {
        const auto tells = usecase::check_key_trial(context.service_deps(), service);
        if (!tells) throw std::runtime_error(service.id.text + ": " + tells.error().message);
        std::cerr << service.id.text << " answers, and refuses a key that was made up.\n";
        return 0;
    }
    require_safe_origins(context.deps(), service);
    if (service.by_hand) {
        const auto said = usecase::try_service_client(context.service_deps(), service);
        if (!said) throw std::runtime_error(service.id.text + ": " + said.error().message);
        std::cerr << service.id.text << " answers as it was entered, and knows our client ("
                  << *said << ").\n";
        return 0;
    }
    const auto changed = usecase::test_service(context.http(), service);
    if (!changed) throw std::runtime_error(service.id.text + ": " + changed.error().message);
    for (const auto& line : *changed) std::cout << line << "\n";
    if (!changed->empty())
        throw std::runtime_error(
            service.id.text + ": what it publishes differs from what is stored; to take it over, "
                              "remove the service and add it again");
    std::cerr << service.id.text << " answers, and publishes what is stored here.\n";
    return 0;
}

void set_active(Context& context, const Service& service, bool active) {
    const auto done = usecase::set_service_active(context.deps(), service, active);
    if (!done) throw std::runtime_error(done.error().message);
}

int enable(Context& context, const Arguments& arguments) {
    set_active(context, named_service(context, arguments), true);
    std::cerr << "Enabled.\n";
    return 0;
}

int disable(Context& context, const Arguments& arguments) {
    set_active(context, named_service(context, arguments), false);
    std::cerr << "Disabled. No account can be linked there, and none of its tokens is handed out; "
                 "linked accounts are kept.\n";
    return 0;
}

// Ends all accounts linked at the service and asks it to revoke their tokens.
// fail: throws when some are left for later; those that were revoked are deleted
usecase::ServiceRevocation revoke_accounts(
    Context& context, const Service& service, std::size_t linked) {
    const StopSignals stop;
    Progress progress("revoking at " + service.id.text + ":", linked);
    const auto until = std::chrono::steady_clock::now() + max_revocation_time;
    auto revocation = usecase::revoke_all_at(
        context.service_deps(), service.id, [&](const usecase::ServiceRevocation& done) {
            progress.at(done.revoked + done.not_revoked, "RFC 7009");
            stop.check(
                "the service is disabled, and the accounts linked there have ended; the same "
                "command goes on revoking them there");
            return std::chrono::steady_clock::now() < until;
        });
    if (revocation.left == 0) return revocation;
    throw std::runtime_error(
        service.id.text + " revoked " + std::to_string(revocation.revoked) + " accounts; " +
        std::to_string(revocation.left) + " could not be revoked yet: " +
        (revocation.reason.empty() ? "it takes too long" : revocation.reason) +
        ".\nThe service is disabled, and the accounts have ended here. The running server goes on "
        "asking for a day; then run this again, or now with --without-revocation.");
}

void report_removal(const usecase::ServiceRevocation& revocation, std::size_t linked) {
    std::cerr << "Removed.\n";
    const auto others = linked - std::min(linked, revocation.revoked + revocation.not_revoked);
    if (revocation.revoked > 0)
        std::cerr << "The service revoked " << revocation.revoked << " of " << linked
                  << " linked accounts.\n";
    if (revocation.not_revoked > 0)
        std::cerr << "Not revoked there: " << revocation.not_revoked << " (" << revocation.reason
                  << "). People can end them in their settings there.\n";
    if (others > 0)
        std::cerr << "The running server revoked " << others << " meanwhile; its log says how.\n";
}

// The service is disabled first, so that no account is linked while the others are revoked.
int remove(Context& context, const Arguments& arguments) {
    const auto service = named_service(context, arguments);
    confirm(
        arguments, "Remove " + service.id.text + " and all accounts linked there?",
        "deletes all accounts linked there", service.id.text);
    if (service.active) set_active(context, service, false);
    const auto linked = usecase::count_linked_accounts(context.deps(), service.id);
    const bool skip = arguments.has("without-revocation");
    const auto revocation =
        skip || linked == 0
            ? usecase::ServiceRevocation{.not_revoked = linked, .reason = "--without-revocation"}
            : revoke_accounts(context, service, linked);
    const auto removed = usecase::remove_service(
        context.deps(), service.id, skip ? usecase::Unrevoked::remove : usecase::Unrevoked::keep);
    if (!removed) throw std::runtime_error(removed.error().message);
    report_removal(revocation, linked);
    return 0;
}

Option origin_option() {
    return {
        "authorization-origin", "ORIGIN...",
        "where its authorization or registration endpoint is, when that is not where its token "
        "endpoint is"};
}

Option parameter_option() {
    return {
        "authorize-param", "NAME=VALUE...", "people are sent there with it; NAME= takes it away"};
}

Option path_option() {
    return {
        "token-path", "MEMBERS",
        "the object in its replies that holds the person's tokens, like authed_user"};
}

const std::vector<Option>& add_options() {
    static const std::vector<Option> options{
        {"url", "URL", "of its MCP server; the rest is discovered from there"},
        {"name", "TEXT", "what people read; its id when absent"},
        {"scope", "SCOPES", "what to ask for; what the service publishes when absent"},
        {"resource", "URI", "what requests name as resource"},
        {"no-resource", "", "requests name no resource"},
        {"client-id", "ID", "a client that you registered there"},
        {"client-secret-file", "FILE", "its secret; - reads the standard input"},
        {"auth-method", "WORD", "client_secret_basic, client_secret_post or none"},
        {"client-secret-expires", "DAY", "when the secret ends there, 2027-11-28; or never"},
        {"preset", "NAME", "what is known of a provider: " + preset_names()},
        {"authorization-endpoint", "URL", "by hand, when the service publishes nothing"},
        {"token-endpoint", "URL", "by hand, as that"},
        {"registration-endpoint", "URL", "where consentgate registers, when that is not published"},
        {"revocation-endpoint", "URL", "by hand; may be left out"},
        {"issuer", "URL",
         "of its authorization server: by hand; or by your word, when what is published names "
         "another than the one asked"},
        parameter_option(),
        path_option(),
        {"key-header", "NAME", "people have no account there but a key, which this header carries"},
        {"key-test", "URL", "where a key is tried once, when the URL does not refuse wrong keys"},
        origin_option()};
    return options;
}

std::vector<Option> set_options() {
    return {
        {"callback", "WORD",
         "where it sends people back: own, an address that no other service has, or shared, the "
         "one of services from before"},
        {"name", "TEXT", "what people read"},
        {"client-id", "ID", "another client that you registered there"},
        {"client-secret-file", "FILE", "the client's new secret; - reads the standard input"},
        {"client-secret-expires", "DAY", "when the secret ends there, 2027-11-28; or never"},
        {"auth-method", "WORD", "client_secret_basic, client_secret_post or none"},
        {"scope", "SCOPES", "what to ask for"},
        {"resource", "URI", "what requests name as resource"},
        {"no-resource", "", "requests name no resource"},
        {"issuer", "URL", "of its authorization server, by your word"},
        {"registration-endpoint", "URL", "where consentgate registers"},
        {"revocation-endpoint", "URL", "where its tokens are revoked"},
        parameter_option(),
        path_option(),
        {"key-header", "NAME", "the header for a person's key"},
        {"key-test", "URL", "where a key is tried once"},
        origin_option()};
}

} // namespace

std::vector<Command> service_commands() {
    return {
        {.name = "service add",
         .operand = "ID",
         .summary = "let people link their accounts at a service",
         .example = "consentgate-admin service add notion --url https://mcp.notion.com/mcp",
         .options = add_options(),
         .json = service_members(),
         .run = add_service},
        {.name = "service list",
         .summary = "list the services",
         .example = "consentgate-admin service list",
         .json = {"id", "name", "url", "active", "registration", "callback", "created"},
         .audited = false,
         .run = list},
        {.name = "service show",
         .operand = "SERVICE",
         .summary = "show one service, and how it does",
         .example = "consentgate-admin service show notion",
         .json = shown_service_members(),
         .audited = false,
         .run = show_service},
        {.name = "service set",
         .operand = "SERVICE",
         .summary = "change a service; linked accounts stay",
         .example = "consentgate-admin service set notion --callback own",
         .options = set_options(),
         .json = service_members(),
         .run = set_service},
        {.name = "service test",
         .operand = "SERVICE",
         .summary = "ask the service again, and compare",
         .example = "consentgate-admin service test notion",
         .audited = false,
         .run = test},
        {.name = "service disable",
         .operand = "SERVICE",
         .summary = "let no one link or use an account at a service",
         .example = "consentgate-admin service disable notion",
         .run = disable},
        {.name = "service enable",
         .operand = "SERVICE",
         .summary = "undo service disable",
         .example = "consentgate-admin service enable notion",
         .run = enable},
        {.name = "service remove",
         .operand = "SERVICE",
         .summary = "revoke all accounts linked at a service, and delete it",
         .example = "consentgate-admin service remove notion --yes",
         .options =
             {{"without-revocation", "",
               "do not revoke at the service first: it no longer exists, or will not answer"}},
         .destroys = true,
         .run = remove},
    };
}

} // namespace consentgate::app::admin
