#include "admin.h"

#include "consentgate/app/composition.h"
#include "consentgate/app/doctor.h"
#include "consentgate/core/oauth/who_may_register.h"
#include "consentgate/sys/key_file.h"
#include "consentgate/sys/metrics.h"
#include "consentgate/usecase/admission.h"
#include "consentgate/usecase/maintenance.h"

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

int migrate(Context& context, const Arguments&) {
    const auto& config = context.config();
    const auto applied = store::migrate(config.store, context.now);
    for (const auto& migration : applied) std::cerr << "applied " << migration.name << "\n";
    if (applied.empty())
        std::cerr << "the schema is up to date (version " << store::expected_schema_version()
                  << ")\n";
    make_key_file(context);
    usecase::check_server_keys(context.key_deps(), context.now, usecase::KeyCheck::looking);
    return 0;
}

int sweep(Context& context, const Arguments&) {
    std::size_t total = 0;
    for (auto swept = usecase::sweep(context.deps(), context.now, context.config().client_lives);
         swept.total() > 0;
         swept = usecase::sweep(context.deps(), context.now, context.config().client_lives)) {
        total += swept.total();
    }
    std::cerr << "deleted " << total << " expired rows\n";
    return 0;
}

// The configuration can be sound while the database is away, or not made yet.
void say_who_can_come_in(Context& context) {
    const auto& policy = context.config().policy;
    try {
        require_schema(context.deps(), context.config().store);
    } catch (const std::exception& error) {
        std::cerr << core::who_can_come_in(policy, std::nullopt).sentence
                  << "\n(how many keys are active is not known: " << error.what() << ")\n";
        return;
    }
    const auto admission = usecase::who_can_come_in(context.store(), policy, context.now);
    std::cerr << admission.sentence << "\n";
    if (!admission.next_step.empty()) std::cerr << "  next: " << admission.next_step << "\n";
    const auto refused = usecase::count_shut_out(context.store(), policy, context.now);
    if (refused.empty()) return;
    std::cerr << "Sessions that are alive and refused, because identities does not let their "
                 "people in: "
              << text_of(refused)
              << ".\nThey go on when identities names their kind again and the server is "
                 "reloaded.\n";
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
    return 0;
}

int metrics(Context& context, const Arguments&) {
    const auto& file = context.config().metrics_file;
    if (file.empty())
        throw std::runtime_error("nothing is counted: the configuration names no metrics_file");
    std::cout << sys::Metrics(file).text();
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
