#include "admin_idps.h"

#include "admin_names.h"
#include "admin_progress.h"
#include "idp_presets.h"

#include "consentgate/core/base/text.h"
#include "consentgate/core/oauth/verified_user.h"
#include "consentgate/core/signin/provider_keys.h"
#include "consentgate/usecase/access_rules.h"
#include "consentgate/usecase/identity_providers.h"

#include <chrono>
#include <iostream>

namespace consentgate::app::admin {
namespace {

using core::IdentityProvider;

// The members that print_row() gets from idp_row().
const std::vector<std::string>& idp_members() {
    static const std::vector<std::string> members{
        "id",
        "title",
        "kind",
        "issuer",
        "active",
        "client_id",
        "auth_method",
        "secret_expires",
        "scope",
        "groups_claim",
        "email",
        "keep",
        "logout",
        "recheck",
        "userinfo",
        "authorize_parameters",
        "domains",
        "any_account",
        "member_of",
        "graph_groups",
        "allowed_tenants",
        "signing_algorithms",
        "keys",
        "keys_expire",
        "callback",
        "backchannel",
        "version",
        "created"};
    return members;
}

Cell recheck_cell(const IdentityProvider& idp) {
    const auto hours = idp.recheck_after.value_or(core::Span(0)).count() / 3600;
    return {hours == 0 ? "never" : "after " + std::to_string(hours) + " hours", hours};
}

Row idp_row(Context& context, const IdentityProvider& idp) {
    const auto keys = core::read_provider_keys(idp.jwks);
    const bool google = idp.kind == core::ProviderKind::google; // the others name groups there
    const std::vector<std::string> none;
    return {
        idp.id.text,
        core::display_text(idp.title, 60),
        std::string(core::name_of(idp.kind)),
        idp.issuer,
        yes_no(idp.active),
        idp.client_id,
        std::string(core::name_of(idp.auth)),
        when(idp.secret_expires_at),
        idp.scope,
        idp.groups_claim,
        std::string(core::name_of(idp.email_trust)),
        list_of(idp.kept_claims, ""),
        std::string(core::name_of(idp.logout)),
        recheck_cell(idp),
        std::string(core::name_of(idp.userinfo)),
        list_of(idp.authorize_parameters, ""),
        list_of(google ? idp.domains : none, ""),
        yes_no(idp.any_account),
        list_of(google ? none : idp.domains, ""),
        yes_no(idp.graph_groups),
        list_of(idp.allowed_tenants, ""),
        list_of(idp.signing_algorithms, ""),
        number(keys ? keys->keys.size() : 0),
        when(idp.jwks_expires_at),
        core::signin_callback_url(context.config().policy.issuer, idp.id),
        core::backchannel_logout_url(context.config().policy.issuer, idp.id),
        number(static_cast<std::size_t>(idp.version)),
        when(idp.created_at)};
}

void save(Context& context, const IdentityProvider& idp) {
    const auto saved = usecase::update_idp(context.deps(), idp);
    if (!saved) throw std::runtime_error(saved.error().message);
}

// Two ways of proving who somebody is would name one human twice.
// spec: docs/requirements_signin.md SI11
void require_no_remote_user(Context& context) {
    if (context.config().policy.verified_user == core::VerifiedUser::remote_user)
        throw std::runtime_error(
            "verified_user = remote_user: the web server signs people in, and an identity provider "
            "of consentgate's own excludes that; set verified_user = off first");
}

// A rule is refused while such a provider is there. A provider that comes later is taken.
void report_unfulfillable_rules(Context& context, const IdentityProvider& idp) {
    if (idp.gives_proof()) return;
    std::string rules;
    for (const auto& rule : usecase::read_access(context.deps()).rules)
        if (rule.asks_for_proof())
            rules += "  rule " + std::to_string(rule.number) + "  " + rule.text() + "\n";
    if (rules.empty()) return;
    std::cerr << "Nobody who signs in there gets a session by these rules, because "
              << idp_preset(idp.kind).title << " cannot be asked for a newer or stronger sign-in:\n"
              << rules;
}

void report_added(Context& context, const IdentityProvider& idp) {
    const auto& issuer = context.config().policy.issuer;
    std::cerr << "Added. Enter this address at the provider, as a redirect address of the client:\n"
              << "  " << core::signin_callback_url(issuer, idp.id) << "\n"
              << "and this one as its back-channel logout address, where it has such a thing:\n"
              << "  " << core::backchannel_logout_url(issuer, idp.id) << "\n"
              << "For groups it needs there: " << idp_preset(idp.kind).groups_need << ".\n"
              << "Whoever has an account there may sign in from now on, and use what everyone may. "
                 "To let in one group:\n  consentgate-admin access allow "
              << idp.id.text << "/group:NAME\nNow: consentgate-admin idp test " << idp.id.text
              << "\n";
    report_unfulfillable_rules(context, idp);
}

int add(Context& context, const Arguments& arguments) {
    auto idp = read_new_idp(context, arguments);
    require_no_remote_user(context);
    if (usecase::find_idp(context.deps(), idp.id))
        throw std::runtime_error(
            "there is an identity provider '" + idp.id.text +
            "' already; see consentgate-admin idp show " + idp.id.text);
    apply_idp_secret(context.service_deps(), idp, arguments);
    const auto published = published_by(context, idp);
    usecase::apply_published(idp, published);
    apply_idp_metadata(idp, published.metadata, arguments);
    const auto added = usecase::add_idp(context.deps(), idp);
    if (!added) throw std::runtime_error(added.error().message);
    print_row(arguments, idp_row(context, idp));
    report_added(context, idp);
    return 0;
}

int list(Context& context, const Arguments& arguments) {
    std::vector<Row> rows;
    for (const auto& idp : usecase::list_idps(context.deps())) {
        rows.push_back(
            {idp.id.text, core::display_text(idp.title, 40), std::string(core::name_of(idp.kind)),
             idp.issuer, yes_no(idp.active), when(idp.created_at)});
    }
    print_rows(arguments, rows);
    return 0;
}

int show(Context& context, const Arguments& arguments) {
    print_row(arguments, idp_row(context, named_idp(context, arguments)));
    return 0;
}

void apply_issuer(IdentityProvider& idp, const Arguments& arguments) {
    const auto issuer = arguments.one("issuer");
    if (!issuer || *issuer == idp.issuer) return;
    if (const auto valid = core::check_provider_issuer(*issuer); !valid)
        throw UsageError("--issuer: " + valid.error().message);
    idp.issuer = *issuer;
    std::cerr << "Its people are others from now on: a person is an issuer and a subject.\n";
}

// Also without an option: takes over what the provider publishes now.
int set(Context& context, const Arguments& arguments) {
    auto idp = named_idp(context, arguments);
    apply_issuer(idp, arguments);
    apply_idp_options(idp, arguments);
    apply_idp_secret(context.service_deps(), idp, arguments);
    const auto published = published_by(context, idp);
    usecase::apply_published(idp, published);
    apply_idp_metadata(idp, published.metadata, arguments);
    save(context, idp);
    ++idp.version;
    print_row(arguments, idp_row(context, idp));
    return 0;
}

void set_active(Context& context, IdentityProvider idp, bool active) {
    if (idp.active == active) return;
    idp.active = active;
    save(context, idp);
}

int enable(Context& context, const Arguments& arguments) {
    require_no_remote_user(context);
    const auto idp = named_idp(context, arguments);
    set_active(context, idp, true);
    std::cerr << "Enabled.\n";
    report_unfulfillable_rules(context, idp);
    return 0;
}

int disable(Context& context, const Arguments& arguments) {
    set_active(context, named_idp(context, arguments), false);
    std::cerr << "Disabled. Nobody signs in there, and the sessions of its people are good for "
                 "nothing until it is enabled.\n";
    return 0;
}

int remove(Context& context, const Arguments& arguments) {
    const auto idp = named_idp(context, arguments);
    confirm(
        arguments, "Remove " + idp.id.text + " and all its people?",
        "deletes all people who signed in there, and ends what they connected", idp.id.text);
    set_active(context, idp, false); // nobody comes meanwhile
    const StopSignals stop;
    Progress progress("removing people of " + idp.id.text + ":");
    const auto gone =
        usecase::remove_idp(context.service_deps(), idp.id, context.now, [&](std::size_t people) {
            progress.at(people, "their sessions and accounts end");
            stop.check("the provider is disabled; the same command goes on where it stopped");
        });
    if (!gone) throw std::runtime_error(gone.error().message);
    std::cerr << "Removed, with " << *gone << (*gone == 1 ? " person" : " people") << ".\n";
    return 0;
}

} // namespace

IdentityProvider named_idp(Context& context, const Arguments& arguments) {
    return named_idp(context, arguments.words.front());
}

usecase::PublishedProvider published_by(Context& context, const IdentityProvider& idp) {
    auto published = usecase::ask_provider(context.service_deps(), idp, context.now);
    if (!published)
        throw std::runtime_error(
            published.error().message + "\nIts documents are asked at the issuer " + idp.issuer +
            ". docs/signin.md has the line for each provider (Providers).");
    return std::move(*published);
}

std::vector<Command> idp_commands() {
    return {
        {.name = "idp add",
         .operand = "ID",
         .summary = "let people sign in at an identity provider of OpenID Connect",
         .example = "consentgate-admin idp add corp --issuer https://sso.example.org --client-id "
                    "consentgate --client-secret-file secret.txt",
         .options = idp_add_options(),
         .json = idp_members(),
         .run = add},
        {.name = "idp list",
         .summary = "list the identity providers",
         .example = "consentgate-admin idp list",
         .json = {"id", "title", "kind", "issuer", "active", "created"},
         .audited = false,
         .run = list},
        {.name = "idp show",
         .operand = "IDP",
         .summary = "show one identity provider",
         .example = "consentgate-admin idp show corp",
         .json = idp_members(),
         .audited = false,
         .run = show},
        {.name = "idp set",
         .operand = "IDP",
         .summary = "change an identity provider, and take over what it publishes now",
         .example = "consentgate-admin idp set corp --client-secret-file secret.txt",
         .options = idp_set_options(),
         .json = idp_members(),
         .run = set},
        idp_test_command(),
        idp_try_command(),
        {.name = "idp disable",
         .operand = "IDP",
         .summary = "let nobody sign in at an identity provider, or go on",
         .example = "consentgate-admin idp disable corp",
         .run = disable},
        {.name = "idp enable",
         .operand = "IDP",
         .summary = "undo idp disable",
         .example = "consentgate-admin idp enable corp",
         .run = enable},
        {.name = "idp remove",
         .operand = "IDP",
         .summary = "end all that the people of an identity provider have here, and delete it",
         .example = "consentgate-admin idp remove corp --yes",
         .destroys = true,
         .run = remove},
    };
}

} // namespace consentgate::app::admin
