#include "admin.h"

#include "consentgate/app/composition.h"
#include "consentgate/store/backup.h"
#include "consentgate/sys/new_file.h"

#include <filesystem>
#include <iostream>

namespace consentgate::app::admin {
namespace {

int back_up(Context& context, const Arguments& arguments) {
    const auto& config = context.config();
    require_schema(context.deps(), config.store);
    sys::NewFile file(arguments.words.front());
    store::back_up(config.store, file.draft());
    file.keep();
    std::cerr << "copied " << config.store.path << " to " << arguments.words.front() << " ("
              << std::filesystem::file_size(arguments.words.front()) / 1024
              << " KiB, read back whole)\nIt is of use only with the key file of today: "
                 "keep a copy of "
              << config.key_file << " in another place\n";
    return 0;
}

} // namespace

std::vector<Command> backup_commands() {
    return {
        {.name = "backup",
         .operand = "FILE",
         .summary = "copy the database file into a new one while the workers go on",
         .example = "consentgate-admin backup /var/backups/consentgate.db",
         .run = back_up},
    };
}

} // namespace consentgate::app::admin
