#include "admin.h"
#include "admin_progress.h"
#include "machine.h"

#include "consentgate/app/composition.h"
#include "consentgate/sys/key_file.h"
#include "consentgate/usecase/maintenance.h"
#include "consentgate/usecase/server_keys.h"

#include <iostream>
#include <thread>

namespace consentgate::app::admin {
namespace {

using usecase::KeyLife;
using usecase::KeyStage;

constexpr int max_walks =
    20; // over everything, of one call without --wait: servers that were not reloaded write on
constexpr std::chrono::seconds between_walks{2};

std::string name_of(KeyStage stage) {
    switch (stage) {
    case KeyStage::added: return "added";
    case KeyStage::known: return "loaded";
    case KeyStage::current: return "current";
    case KeyStage::old: return "old";
    case KeyStage::removed: return "removed";
    }
    return "";
}

std::string clock_text(core::Instant at) { return when(at).shown; }

// The key file and the database must belong together before a key is changed.
void check_keys(Context& context) {
    require_own_schema(context.deps(), context.config().store);
    usecase::check_server_keys(context.key_deps(), context.now, usecase::KeyCheck::looking);
}

std::vector<KeyLife> keys_of(Context& context) {
    return usecase::list_keys(context.key_deps(), context.clock.now());
}

// Rows under other keys than the current one.
std::size_t left_behind(const std::vector<KeyLife>& keys) {
    std::size_t rows = 0;
    for (const auto& key : keys) rows += key.stage == KeyStage::current ? 0 : key.use.total();
    return rows;
}

int list(Context& context, const Arguments& arguments) {
    check_keys(context);
    std::vector<Row> rows;
    for (const auto& key : keys_of(context)) {
        rows.push_back(
            {key.key.text, name_of(key.stage), number(key.use.accounts), number(key.use.services),
             number(key.use.idps), number(key.use.refresh_tokens), number(key.use.codes),
             number(key.use.upstream_states)});
    }
    print_rows(arguments, rows);
    return 0;
}

int add(Context& context, const Arguments& arguments) {
    check_keys(context);
    const auto& key_file = context.config().key_file;
    if (const auto next = usecase::next_key(keys_of(context))) {
        throw std::runtime_error(
            "the key '" + next->key.text +
            "' was added before and is not used yet; run server-key rotate, or server-key remove " +
            next->key.text);
    }
    const auto key = sys::add_key(key_file, context.random());
    if (arguments.has("json"))
        print_row(arguments, {key.text, key_file});
    else
        std::cout << key.text << "\n";
    std::cerr
        << "Added to " << key_file << "; not used yet. Now:\n"
        << "  1. copy the key file to every other machine that uses this database, and back it up\n"
        << "  2. on all of them: " << reload_command << "\n"
        << "  3. consentgate-admin server-key rotate\n";
    return 0;
}

// Makes the key that was added the one for new rows; does nothing when that was done before.
// out: whether it did
bool switch_key(Context& context, const Arguments& arguments) {
    const auto keys = keys_of(context);
    const auto next = usecase::next_key(keys);
    if (!next) {
        if (keys.size() == 1)
            throw std::runtime_error(
                "there is no other key to rotate to; first: consentgate-admin server-key add");
        return false;
    }
    if (next->stage == KeyStage::added && !arguments.has("without-reload")) {
        throw std::runtime_error(
            "no server was reloaded since the key '" + next->key.text +
            "' was added, so none could read what is encrypted with it (--without-reload rotates "
            "all the same, when nothing is running); reload consentgate, then rotate:\n  " +
            reload_command);
    }
    sys::use_key(context.config().key_file, next->key);
    context.reread_keyring();
    usecase::note_current(context.key_deps(), context.now);
    return true;
}

usecase::Rekeyed rekey_all(Context& context, bool wait, const StopSignals& stop) {
    usecase::Rekeyed all;
    Progress progress("moved");
    const auto& newest = context.keyring().newest().text;
    const auto moved = [](const usecase::Rekeyed& part) {
        return part.accounts + part.services + part.idps + part.grants + part.refresh_tokens;
    };
    const auto still_there =
        "the same command goes on where it stopped; everything can be read meanwhile";
    for (int walk = 0; wait || walk < max_walks; ++walk) {
        const auto done = usecase::rekey(
            context.key_deps(), context.clock.now(), [&](const usecase::Rekeyed& so_far) {
                progress.at(moved(all) + moved(so_far), "to " + newest);
                stop.check(still_there);
            });
        all.accounts += done.accounts;
        all.services += done.services;
        all.idps += done.idps;
        all.grants += done.grants;
        all.refresh_tokens += done.refresh_tokens;
        all.unreadable = done.unreadable;
        if (done.found > done.unreadable) continue; // a worker may have written more meanwhile
        if (!wait || left_behind(keys_of(context)) <= done.unreadable) break;
        progress.at(moved(all), "waiting for rows that expire");
        for (auto rest = std::chrono::milliseconds(between_walks); rest.count() > 0;
             rest -= std::chrono::milliseconds(100)) {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            stop.check(still_there);
        }
    }
    return all;
}

// The older keys that rows still need.
Cell left_cell(const std::vector<KeyLife>& keys) {
    core::JsonArray left;
    for (const auto& key : keys) {
        if (key.stage == KeyStage::current || key.use.total() == 0) continue;
        core::JsonObject object;
        object.set("id", key.key.text)
            .set("rows", number(key.use.total()).value)
            .set("until", when(key.until).value);
        left.emplace_back(std::move(object));
    }
    return {std::to_string(left.size()), left};
}

void report_rest(const std::vector<KeyLife>& keys, std::size_t unreadable) {
    for (const auto& key : keys) {
        if (key.stage == KeyStage::current) continue;
        if (key.use.total() == 0) {
            if (key.stage == KeyStage::old)
                std::cerr
                    << "No row needs '" << key.key.text
                    << "' any more. When all servers are reloaded: consentgate-admin server-key "
                       "remove "
                    << key.key.text << "\n";
            continue;
        }
        std::cerr << key.use.total() << " rows still use '" << key.key.text << "'";
        if (key.until)
            std::cerr << "; those that expire have done so at " << clock_text(*key.until);
        std::cerr << ". Then run server-key rotate once more, or wait with --wait.\n";
    }
    if (unreadable > 0) {
        std::cerr
            << unreadable
            << " rows cannot be read with their key: something changed or moved them. They were "
               "left alone; the people they belong to must connect anew.\n";
    }
}

int plan_rotation(Context& context, const Arguments& arguments) {
    const auto keys = keys_of(context);
    const auto next = usecase::next_key(keys);
    const auto& to = next ? next->key : context.keyring().newest();
    std::size_t rows = 0;
    for (const auto& key : keys) rows += key.key == to ? 0 : key.use.total();
    if (arguments.has("json"))
        print_row(arguments, {to.text, number(rows), {}, {}, {}, {}, {}, {}});
    else
        std::cerr << "would use '" << to.text << "' for new rows, and move " << rows
                  << " rows to it; nothing was changed\n";
    return 0;
}

int rotate(Context& context, const Arguments& arguments) {
    check_keys(context);
    usecase::require_latest(context.key_deps());
    if (arguments.has("dry-run")) return plan_rotation(context, arguments);
    const StopSignals stop;
    const bool switched = switch_key(context, arguments);
    const auto& newest = context.keyring().newest().text;
    if (switched) {
        std::cerr << "'" << newest << "' is now the last in " << context.config().key_file
                  << ". Copy the file to every other machine. New rows are encrypted with it after "
                     "this, on all of them:\n  "
                  << reload_command << "\n";
    }
    const auto moved = rekey_all(context, arguments.has("wait"), stop);
    const auto keys = keys_of(context);
    if (arguments.has("json"))
        print_row(
            arguments, {newest,
                        {},
                        number(moved.accounts),
                        number(moved.services),
                        number(moved.idps),
                        number(moved.refresh_tokens),
                        number(moved.unreadable),
                        left_cell(keys)});
    std::cerr << "moved to '" << newest << "': " << moved.accounts << " linked accounts, "
              << moved.services << " services, " << moved.idps << " identity providers, "
              << moved.grants << " grants of people there, " << moved.refresh_tokens
              << " refresh tokens\n";
    report_rest(keys, moved.unreadable);
    return 0;
}

int remove(Context& context, const Arguments& arguments) {
    check_keys(context);
    const core::KeyId key(arguments.words.front());
    confirm(
        arguments, "Remove the server key " + key.text + "?",
        "makes backups unreadable that were made with the key, unless a copy of the key file is "
        "kept with them",
        key.text);
    usecase::retire_key(context.key_deps(), key, context.now);
    sys::remove_key(context.config().key_file, key);
    std::cerr << "Removed from " << context.config().key_file
              << ". Copy the file to every other machine. Backups of the database from before need "
                 "the key file from before.\n";
    return 0;
}

} // namespace

std::vector<Command> server_key_commands() {
    return {
        {.name = "server-key list",
         .summary = "list the keys of the key file, and how many rows need each",
         .example = "consentgate-admin server-key list",
         .json =
             {"id", "state", "linked_accounts", "services", "idps", "refresh_tokens", "codes",
              "upstream_authorizations"},
         .audited = false,
         .run = list},
        {.name = "server-key add",
         .summary = "add a fresh key to the key file, to be used after the next rotate",
         .example = "consentgate-admin server-key add",
         .json = {"id", "key_file"},
         .run = add},
        {.name = "server-key rotate",
         .summary =
             "use the added key for new rows, and move rows of older keys to it, while serving",
         .example = "consentgate-admin server-key rotate --wait",
         .options =
             {{"wait", "",
               "go on until no row needs an older key: some minutes; reload consentgate meanwhile"},
              {"without-reload", "",
               "rotate although no server was reloaded since the key was added"},
              {"dry-run", "", "say what would be done, and change nothing"}},
         .json =
             {"current", "to_move", "linked_accounts", "services", "idps", "refresh_tokens",
              "unreadable", "left", "left.id", "left.rows", "left.until"},
         .run = rotate},
        {.name = "server-key remove",
         .operand = "ID",
         .summary = "remove a key that no row needs any more",
         .example = "consentgate-admin server-key remove kQ3v9Zk0T --yes",
         .destroys = true,
         .run = remove},
    };
}

} // namespace consentgate::app::admin
