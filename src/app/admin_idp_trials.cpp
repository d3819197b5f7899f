// The commands that find out whether people can sign in at a provider: by asking it, and by a
// person who tries.
// spec: docs/requirements_signin.md SI8, SI9
#include "admin_idps.h"

#include "admin_progress.h"
#include "idp_presets.h"

#include "consentgate/core/base/text.h"
#include "consentgate/usecase/identity_providers.h"
#include "consentgate/usecase/signin_trial.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <thread>

namespace consentgate::app::admin {
namespace {

using core::IdentityProvider;

std::string name_of(usecase::ClientTrial trial) {
    switch (trial) {
    case usecase::ClientTrial::good: return "good";
    case usecase::ClientTrial::refused: return "refused";
    case usecase::ClientTrial::unknown: return "unknown";
    }
    return "unknown";
}

Cell clock_cell(std::optional<core::Span> ahead) {
    if (!ahead) return {"not said", nullptr};
    return {std::to_string(ahead->count()) + " s ahead of this machine's", ahead->count()};
}

std::string callback_of(Context& context, const IdentityProvider& idp) {
    return core::signin_callback_url(context.config().policy.issuer, idp.id);
}

// fail: throws all that is wrong in one
void require_no_problem(const IdentityProvider& idp, const std::vector<std::string>& problems) {
    if (!problems.empty())
        throw std::runtime_error(
            idp.id.text + ": " + core::join(problems, "\n" + idp.id.text + ": "));
}

// Nothing is changed.
int test(Context& context, const Arguments& arguments) {
    using usecase::ClientTrial;
    constexpr core::Span most_apart{30}, nobody_comes{120};
    const auto idp = named_idp(context, arguments);
    const auto published = published_by(context, idp);
    const auto differences = usecase::provider_differences(idp, published);
    const auto [client, said] = usecase::try_idp_client(context.service_deps(), idp, context.now);
    const auto [redirect, answer] = usecase::try_idp_redirect(context.service_deps(), idp);
    print_row(
        arguments, {idp.id.text, list_of(differences, "none"), number(published.keys),
                    number(published.skipped_keys), clock_cell(published.clock_ahead),
                    name_of(client), said, name_of(redirect), answer});
    const auto apart = published.clock_ahead.value_or(core::Span(0));
    const auto difference = std::max(apart, -apart);
    if (difference > most_apart)
        std::cerr << "The clocks differ by more than 30 seconds: one of the two is wrong.\n";
    if (client == ClientTrial::unknown)
        std::cerr << "Whether the client's secret is good cannot be said from that answer; signing "
                     "in once shows it.\n";
    if (redirect == ClientTrial::unknown)
        std::cerr << "Whether it sends people back here cannot be said from that answer; "
                     "consentgate-admin idp try "
                  << idp.id.text << " shows it.\n";
    std::vector<std::string> problems;
    if (difference > nobody_comes)
        problems.push_back(
            "its clock and ours are " + std::to_string(difference.count()) +
            " seconds apart, and at more than 120 nobody can sign in: set this machine's by NTP");
    if (!differences.empty())
        problems.push_back(
            "what it publishes differs from what is stored; consentgate-admin idp set " +
            idp.id.text + " takes it over");
    if (client == ClientTrial::refused)
        problems.push_back("it does not take client id and secret (" + said + ")");
    if (redirect == ClientTrial::refused)
        problems.push_back(redirect_problem(context, idp, answer));
    require_no_problem(idp, problems);
    std::cerr << idp.id.text << " answers, and publishes what is stored here.\n";
    return 0;
}

// Each on a line of its own, because they are sentences.
Cell lines_of(const std::vector<std::string>& lines) {
    if (lines.empty()) return list_of(lines, "none");
    return {"\n  " + core::join(lines, "\n  "), core::json_array(lines)};
}

Row report_row(const IdentityProvider& idp, const core::TrialReport& report) {
    std::vector<std::string> claims;
    for (const auto& [name, value, source] : report.claims)
        claims.push_back(name + " = " + value + " (" + source + ")");
    return {
        idp.id.text,
        report.issuer,
        report.subject,
        report.name,
        report.email,
        list_of(report.groups, "none"),
        yes_no(report.groups_known),
        lines_of(report.kept),
        lines_of(report.rules),
        lines_of(report.hints),
        lines_of(claims)};
}

// out: absent: nobody came back in time
std::optional<core::TrialReport> wait_for_report(
    Context& context, const usecase::TrialLink& link, bool& opened) {
    constexpr std::chrono::milliseconds pause{300};
    auto& deps = context.key_deps();
    const StopSignals stop;
    for (;;) {
        try {
            stop.check("the link is not good any more");
        } catch (...) {
            usecase::end_trial(deps, link.secret);
            throw;
        }
        auto progress = usecase::look_at_trial(deps, link.secret, context.clock.now());
        opened = opened || progress.opened;
        if (progress.over) return std::move(progress.report);
        std::this_thread::sleep_for(pause);
    }
}

int try_once(Context& context, const Arguments& arguments) {
    const auto idp = named_idp(context, arguments);
    const auto link = usecase::begin_trial(context.key_deps(), idp.id, context.now);
    std::cerr << "Open this address in a browser within ten minutes, and sign in. It works once, "
                 "and nothing is kept.\n  "
              << link.url.reveal() << "\n"
              << std::flush;
    bool opened = false;
    const auto report = wait_for_report(context, link, opened);
    usecase::end_trial(context.key_deps(), link.secret);
    if (!report && !opened) throw std::runtime_error(idp.id.text + ": nobody opened the link");
    if (!report)
        throw std::runtime_error(
            idp.id.text +
            ": nobody came back from there. Where the provider showed an error of "
            "its own, it most likely does not know the redirect address " +
            callback_of(context, idp) + " or the client " + idp.client_id);
    if (!report->problem.empty())
        throw std::runtime_error(idp.id.text + ": signing in did not work: " + report->problem);
    print_row(arguments, report_row(idp, *report));
    if (report->groups.empty() && report->groups_known && !idp.groups_claim.empty())
        std::cerr << "For groups it needs there: " << idp_preset(idp.kind).groups_need << ".\n";
    return 0;
}

} // namespace

std::string redirect_problem(
    Context& context, const IdentityProvider& idp, const std::string& answer) {
    if (answer.find("error ") != std::string::npos)
        return "it sends people back with an error (" + answer + ")";
    return "it does not send people back (" + answer + "): enter the redirect address " +
           callback_of(context, idp) + " there, at the client " + idp.client_id;
}

Command idp_test_command() {
    return {
        .name = "idp test",
        .operand = "IDP",
        .summary = "ask the provider again, compare, and try our client there",
        .example = "consentgate-admin idp test corp",
        .json =
            {"id", "differences", "keys", "skipped_keys", "clock_ahead", "client", "answer",
             "redirect", "redirect_answer"},
        .audited = false,
        .run = test};
}

Command idp_try_command() {
    return {
        .name = "idp try",
        .operand = "IDP",
        .summary = "make a link where somebody signs in on trial, and show what came",
        .example = "consentgate-admin idp try corp",
        .json =
            {"id", "issuer", "subject", "name", "email", "groups", "groups_known", "kept", "rules",
             "hints", "claims"},
        .run = try_once};
}

} // namespace consentgate::app::admin
