#include "admin.h"
#include "admin_progress.h"

#include "consentgate/app/composition.h"
#include "consentgate/sys/clock.h"
#include "consentgate/sys/key_file.h"
#include "consentgate/usecase/maintenance.h"
#include "consentgate/usecase/server_keys.h"

#include <algorithm>
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
    case KeyStage::known: return "known";
    case KeyStage::current: return "current";
    case KeyStage::old: return "old";
    case KeyStage::removed: return "removed";
    }
    return "";
}

Cell number(std::size_t count) { return {std::to_string(count), static_cast<std::int64_t>(count)}; }

std::string clock_text(core::Instant at) { return when(at).shown; }

struct Vault {
    explicit Vault(Context& context)
        : config(context.config()),
          store((require_schema(context.store(), context.config().store), context.store())),
          keyring(sys::read_key_file(config.key_file)) {
        usecase::check_server_keys(store, keyring, context.now, usecase::KeyCheck::looking);
    }
    std::vector<KeyLife> keys() const {
        return usecase::list_keys(store, keyring, config.policy.refresh_grace, sys::now());
    }
    void read_again() { keyring = sys::read_key_file(config.key_file); }

    const Config& config;
    store::Store& store;
    core::Keyring keyring;
};

// Rows under other keys than the current one.
std::size_t left_behind(const std::vector<KeyLife>& keys) {
    std::size_t rows = 0;
    for (const auto& key : keys) rows += key.stage == KeyStage::current ? 0 : key.use.total();
    return rows;
}

int list(Context& context, const Arguments& arguments) {
    const Vault vault(context);
    Table table{
        {"id", "use", "upstream_tokens", "services", "refresh_tokens", "codes", "sign_ins"}, {}};
    for (const auto& key : vault.keys()) {
        table.rows.push_back(
            {key.key.text, name_of(key.stage), number(key.use.accounts), number(key.use.services),
             number(key.use.refresh_tokens), number(key.use.codes),
             number(key.use.upstream_states)});
    }
    print(table, arguments.has("json"));
    return 0;
}

int add(Context& context, const Arguments& arguments) {
    const Vault vault(context);
    if (const auto next = usecase::next_key(vault.keys())) {
        throw std::runtime_error(
            "the key '" + next->key.text +
            "' was added before and is not used yet; run vault rotate, or vault remove " +
            next->key.text);
    }
    sys::OsRandom random;
    const auto key = sys::add_key(vault.config.key_file, random);
    if (arguments.has("json"))
        print(core::JsonObject().set("id", key.text).set("key_file", vault.config.key_file));
    else
        std::cout << key.text << "\n";
    std::cerr
        << "Added to " << vault.config.key_file << "; not used yet. Now:\n"
        << "  1. copy the key file to every other machine that uses this database, and back it up\n"
        << "  2. reload consentgate on all of them: kill -HUP, or systemctl reload consentgate\n"
        << "  3. consentgate-admin vault rotate\n";
    return 0;
}

// Makes the key that was added the one for what is new; nothing when that was done before. out:
// whether it did
bool switch_key(Vault& vault, const Arguments& arguments, core::Instant now) {
    const auto keys = vault.keys();
    const auto next = usecase::next_key(keys);
    if (!next) {
        if (keys.size() == 1)
            throw std::runtime_error(
                "there is no other key to rotate to; run vault add, reload consentgate, and rotate then");
        return false;
    }
    if (next->stage == KeyStage::added && !arguments.has("unseen")) {
        throw std::runtime_error(
            "no server was reloaded since the key '" + next->key.text +
            "' was added, so none could read what is encrypted with it; reload consentgate with HUP, then rotate "
            "(--unseen rotates all the same, when nothing is running)");
    }
    sys::use_key(vault.config.key_file, next->key);
    vault.read_again();
    usecase::note_current(vault.store, vault.keyring, now);
    return true;
}

usecase::Rekeyed rekey_all(Vault& vault, bool wait, const StopSignals& stop) {
    sys::OsRandom random;
    usecase::Rekeyed all;
    Progress progress("moved");
    const auto still_there =
        "the same command goes on where it stopped; everything can be read meanwhile";
    for (int walk = 0; wait || walk < max_walks; ++walk) {
        const auto revoked = [&](const usecase::Rekeyed& done) {
            progress.at(
                all.accounts + all.services + all.refresh_tokens + done.accounts + done.services +
                    done.refresh_tokens,
                "to " + vault.keyring.newest().text);
            stop.check(still_there);
        };
        const auto done = usecase::rekey(
            vault.store, random, vault.keyring, vault.config.policy.refresh_grace, sys::now(),
            revoked);
        all.accounts += done.accounts;
        all.services += done.services;
        all.refresh_tokens += done.refresh_tokens;
        all.unreadable = done.unreadable;
        if (done.found > done.unreadable) continue; // a worker may have written more meanwhile
        if (!wait || left_behind(vault.keys()) <= done.unreadable) break;
        progress.at(
            all.accounts + all.services + all.refresh_tokens,
            "waiting for what runs out by itself");
        for (auto rest = std::chrono::milliseconds(between_walks); rest.count() > 0;
             rest -= std::chrono::milliseconds(100)) {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            stop.check(still_there);
        }
    }
    return all;
}

core::JsonArray left_json(const std::vector<KeyLife>& keys) {
    core::JsonArray left;
    for (const auto& key : keys) {
        if (key.stage == KeyStage::current || key.use.total() == 0) continue;
        core::JsonObject object;
        object.set("id", key.key.text).set("rows", static_cast<std::int64_t>(key.use.total()));
        object.set("until", key.until ? core::Json(core::epoch(*key.until)) : core::Json());
        left.push_back(std::move(object));
    }
    return left;
}

void report_rest(const std::vector<KeyLife>& keys, std::size_t unreadable) {
    for (const auto& key : keys) {
        if (key.stage == KeyStage::current) continue;
        if (key.use.total() == 0) {
            if (key.stage == KeyStage::old)
                std::cerr
                    << "Nothing needs '" << key.key.text
                    << "' any more. When all servers are reloaded: consentgate-admin vault remove "
                    << key.key.text << "\n";
            continue;
        }
        std::cerr << key.use.total() << " rows still use '" << key.key.text << "'";
        if (key.until)
            std::cerr << "; what runs out by itself has done so at " << clock_text(*key.until);
        std::cerr << ". Then run vault rotate once more, or wait with --wait.\n";
    }
    if (unreadable > 0) {
        std::cerr
            << unreadable
            << " rows cannot be read with their key: something changed or moved them. They were left alone; the people they belong to must connect anew.\n";
    }
}

int rotate(Context& context, const Arguments& arguments) {
    Vault vault(context);
    usecase::require_latest(vault.store, vault.keyring);
    if (arguments.has("dry-run")) {
        const auto keys = vault.keys();
        const auto next = usecase::next_key(keys);
        const auto& to = next ? next->key : vault.keyring.newest();
        std::size_t rows = 0;
        for (const auto& key : keys) rows += key.key == to ? 0 : key.use.total();
        if (arguments.has("json"))
            print(core::JsonObject()
                      .set("current", to.text)
                      .set("to_move", static_cast<std::int64_t>(rows)));
        else
            std::cerr << "would use '" << to.text << "' for what is new, and move " << rows
                      << " rows to it; nothing was changed\n";
        return 0;
    }
    const StopSignals stop;
    const bool switched = switch_key(vault, arguments, context.now);
    if (switched) {
        std::cerr
            << "'" << vault.keyring.newest().text << "' is now the last in "
            << vault.config.key_file
            << ". Copy the file to every other machine, and reload consentgate on all of them: what is new is encrypted with it from then on.\n";
    }
    const auto moved = rekey_all(vault, arguments.has("wait"), stop);
    const auto keys = vault.keys();
    if (arguments.has("json")) {
        print(core::JsonObject()
                  .set("current", vault.keyring.newest().text)
                  .set("upstream_tokens", static_cast<std::int64_t>(moved.accounts))
                  .set("services", static_cast<std::int64_t>(moved.services))
                  .set("refresh_tokens", static_cast<std::int64_t>(moved.refresh_tokens))
                  .set("unreadable", static_cast<std::int64_t>(moved.unreadable))
                  .set("left", left_json(keys)));
    }
    std::cerr << "moved to '" << vault.keyring.newest().text << "': " << moved.accounts
              << " upstream tokens, " << moved.services << " services, " << moved.refresh_tokens
              << " refresh tokens\n";
    report_rest(keys, moved.unreadable);
    return 0;
}

int remove(Context& context, const Arguments& arguments) {
    const Vault vault(context);
    const core::KeyId key(arguments.words.front());
    const auto records = vault.store.list_server_keys();
    const auto of_key = [&](const auto& one) { return one.id == key; };
    const auto& keys = vault.keyring.keys();
    if (std::none_of(keys.begin(), keys.end(), of_key) &&
        std::none_of(records.begin(), records.end(), of_key)) {
        throw std::runtime_error(
            "there is no key '" + key.text + "'; see consentgate-admin vault list");
    }
    usecase::retire_key(
        vault.store, vault.keyring, key, vault.config.policy.refresh_grace, context.now);
    sys::remove_key(vault.config.key_file, key);
    std::cerr
        << "Removed from " << vault.config.key_file
        << ". Copy the file to every other machine. Backups of the database from before need the key file from before.\n";
    return 0;
}

} // namespace

std::vector<Command> server_key_commands() {
    const Option json{"json", "", "print JSON"};
    return {
        {"vault list",
         "",
         "list the keys of the key file, and how many rows need each",
         "consentgate-admin vault list",
         {json},
         list},
        {"vault add",
         "",
         "add a fresh key to the key file, to be used after the next rotate",
         "consentgate-admin vault add",
         {json},
         add},
        {"vault rotate",
         "",
         "use the key that was added for what is new, and move what older keys hold to it, while serving",
         "consentgate-admin vault rotate --wait",
         {{"wait", "",
           "go on until nothing needs an older key: some minutes; reload consentgate meanwhile"},
          {"unseen", "", "rotate although no server was reloaded since the key was added"},
          {"dry-run", "", "say what would be done, and change nothing"},
          json},
         rotate},
        {"vault remove",
         "ID",
         "remove a key that nothing needs any more",
         "consentgate-admin vault remove kQ3v9Zk0T",
         {},
         remove},
    };
}

} // namespace consentgate::app::admin
