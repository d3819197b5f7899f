#include "admin.h"
#include "admin_progress.h"
#include "machine.h"

#include "consentgate/app/composition.h"
#include "consentgate/app/doctor.h"
#include "consentgate/core/oauth/who_may_register.h"
#include "consentgate/sys/key_file.h"
#include "consentgate/sys/metrics.h"
#include "consentgate/usecase/admission.h"
#include "consentgate/usecase/identity_providers.h"
#include "consentgate/usecase/maintenance.h"
#include "consentgate/usecase/old_seals.h"
#include "consentgate/usecase/resource_servers.h"
#include "consentgate/usecase/services.h"

#include <algorithm>
#include <iostream>

namespace consentgate::app::admin {
namespace {

// A used database without its key file is refused: a new key would silently make its rows
// unreadable.
void make_key_file(Context& context) {
    const auto& config = context.config();
    const auto health = usecase::check_health(context.deps());
    const bool used_before =
        health.store_answers && health.ready() && !context.store().server_keys.list().empty();
    try {
        sys::read_key_file(config.key_file);
        return;
    } catch (const std::runtime_error&) {
        if (used_before) throw; // wrong, missing or unreadable: the operator must restore it
    }
    if (sys::create_key_file(config.key_file, context.random()))
        std::cerr << "made the key file " << config.key_file
                  << " (back it up, apart from the database)\n";
}

// Linked accounts from before the migration are sealed without their owner. A migrate that was
// interrupted after it is known by there being no other accounts.
bool has_accounts_to_seal(
    store::Store& store, const std::vector<store::AppliedMigration>& applied) {
    constexpr int first = 1, owner_seals = 13;
    const auto holds = [&](int version) {
        return std::any_of(applied.begin(), applied.end(), [&](const auto& migration) {
            return migration.version == version;
        });
    };
    if (holds(owner_seals)) return !holds(first);
    const auto seals = store.accounts.count_seals();
    return seals.old > 0 && seals.old == seals.all;
}

int migrate(Context& context, const Arguments&) {
    const auto& config = context.config();
    const auto applied = store::migrate(config.store, context.now);
    for (const auto& migration : applied) std::cerr << "applied " << migration.name << "\n";
    if (require_schema(context.deps(), config.store) == core::SchemaFit::newer)
        std::cerr << newer_schema_words(usecase::check_health(context.deps()))
                  << " and goes on with it\n";
    else if (applied.empty())
        std::cerr << "the schema is up to date (version " << store::expected_schema_version()
                  << ")\n";
    make_key_file(context);
    usecase::check_server_keys(context.key_deps(), context.now, usecase::KeyCheck::looking);
    if (has_accounts_to_seal(context.store(), applied))
        usecase::permit_old_seals(context.key_deps(), context.now);
    return 0;
}

int sweep(Context& context, const Arguments&) {
    std::size_t total = 0;
    Progress progress("deleted");
    for (auto swept = usecase::sweep(context.deps(), context.now, context.config().client_lives);
         swept.total() > 0;
         swept = usecase::sweep(context.deps(), context.now, context.config().client_lives)) {
        total += swept.total();
        progress.at(total, "expired");
    }
    std::cerr << "deleted " << total << " expired rows\n";
    std::size_t sealed = 0;
    while (const auto some = usecase::seal_old_accounts_anew(context.key_deps(), context.now))
        sealed += some, progress.at(sealed, "sealing linked accounts for their owners");
    if (sealed > 0) std::cerr << "sealed " << sealed << " linked accounts for their owners\n";
    return 0;
}

// The configuration can be sound while the database is away, or not made yet.
void say_who_can_come_in(Context& context) {
    const auto& policy = context.config().policy;
    try {
        if (require_schema(context.deps(), context.config().store) == core::SchemaFit::newer)
            std::cerr << newer_schema_words(usecase::check_health(context.deps()))
                      << " and goes on with it; install the newer version here, too\n";
    } catch (const std::exception& error) {
        std::cerr << core::who_can_come_in(policy, std::nullopt).sentence
                  << "\n(how many keys are active is not known: " << error.what() << ")\n";
        return;
    }
    usecase::require_one_proof(context.deps());
    const auto admission = usecase::who_can_come_in(context.deps(), context.now);
    std::cerr << admission.sentence << "\n";
    if (!admission.next_step.empty()) std::cerr << "  next: " << admission.next_step << "\n";
    const auto refused = usecase::count_shut_out(context.deps(), context.now);
    if (refused.empty()) return;
    std::cerr << "Sessions that are alive and refused, because identities does not let their "
                 "people in: "
              << text_of(refused)
              << ".\nThey go on when identities names their kind again, and after:\n  "
              << reload_command
              << "\nTo end them: consentgate-admin session revoke --identity KIND\n";
}

// Whether the version before could still open the linked accounts. Says nothing where there is no
// database yet.
void report_seals(Context& context) {
    if (!usecase::check_health(context.deps()).ready()) return;
    const auto seals = context.store().accounts.count_seals();
    if (seals.old > 0)
        std::cerr << seals.old << " of " << seals.all
                  << " linked accounts are not sealed for their owners yet; the running server "
                     "does it, or consentgate-admin sweep\n";
    if (seals.all > seals.old)
        std::cerr << "there is no way back to a version that does not seal linked accounts for "
                     "their owners: it could not open "
                  << seals.all - seals.old << " of them\n";
}

// The pages serve such resources, a gate does not start with them.
void report_gate(Context& context) {
    if (!usecase::check_health(context.deps()).ready()) return;
    const auto resources = usecase::guarded_resources(context.deps());
    if (const auto valid = usecase::check_gate_resources(resources); !valid)
        std::cerr << valid.error().message
                  << ". A gate does not start with them: consentgate-admin resource remove\n";
}

int check(Context& context, const Arguments& arguments) {
    if (arguments.has("defaults")) {
        for (const auto& key : known_keys()) std::cout << key.name << " = " << key.standard << "\n";
        return 0;
    }
    context.config();
    std::cerr << "the configuration is sound\n";
    say_who_can_come_in(context);
    std::cerr << core::who_may_register(context.config().policy) << "\n";
    report_seals(context);
    report_gate(context);
    return 0;
}

int metrics(Context& context, const Arguments&) {
    const auto& file = context.config().metrics_file;
    if (file.empty())
        throw std::runtime_error(
            "nothing is counted: the configuration names no metrics_file; say metrics_file = "
            "/run/consentgate/metrics there, then:\n  " +
            std::string(reload_command));
    std::cout << sys::Metrics(file).text(usecase::known_of_services(context.deps(), context.now));
    return 0;
}

} // namespace

std::vector<Command> database_commands() {
    return {
        {.name = "migrate",
         .summary = "make the database and the key file, or bring the schema up to date",
         .example = "consentgate-admin migrate --config /etc/consentgate/consentgate.conf",
         .run = migrate},
        {.name = "sweep",
         .summary = "delete what has expired (the workers do it too, a little at a time)",
         .example = "consentgate-admin sweep",
         .audited = false,
         .run = sweep},
        {.name = "check",
         .summary = "read the configuration, report every problem, and say who can come in",
         .example = "consentgate-admin check",
         .options = {{"defaults", "", "list every configuration key with its default"}},
         .audited = false,
         .run = check},
        {.name = "metrics",
         .summary = "print the counters, as Prometheus reads them",
         .example = "consentgate-admin metrics",
         .audited = false,
         .run = metrics},
    };
}

} // namespace consentgate::app::admin
