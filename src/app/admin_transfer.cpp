#include "admin.h"
#include "admin_progress.h"
#include "admin_transfer_file.h"

#include "consentgate/app/composition.h"
#include "consentgate/sys/key_file.h"
#include "consentgate/usecase/maintenance.h"

#include <algorithm>
#include <iostream>

namespace consentgate::app::admin {
namespace {

using store::Record;
using store::Table;

constexpr std::size_t batch = 500; // rows read at once, and rows of one transaction

std::string counts(const Tally& tally) {
    std::string text;
    for (std::size_t at = 0; at < tally.rows.size(); ++at) {
        text += (at == 0 ? "" : ", ") + std::string(store::transfer_tables()[at].name) + " " +
                std::to_string(tally.rows[at]);
    }
    return text;
}

// Visits all rows of a table after a key, a batch at a time, in the order of their keys.
template <class Visit>
void each_page(
    store::Transfer& transfer, const Table& table, std::string after, const Visit& visit) {
    for (bool more = true; more;) {
        const auto rows = transfer.read(table, after, batch);
        visit(rows);
        more = rows.size() == batch;
        if (more) after = store::key_of(rows.back());
    }
}

// A resumed export must be of this database; its last row is compared.
void check_last(store::Transfer& transfer, const ExportWriter& out) {
    if (out.last().empty()) return;
    const auto& table = store::transfer_tables()[out.last_table()];
    if (transfer.find(table, store::key_of(out.last())) == out.last()) return;
    throw std::runtime_error(
        out.name() + ": the last row in it, " + table.name + " '" + store::key_of(out.last()) +
        "', is not in the database (any more); delete the file and export again, while nothing "
        "writes to the database");
}

void write_rows(store::Transfer& transfer, ExportWriter& out, const std::string& when_stopped) {
    const StopSignals stop;
    Progress progress("exported");
    const auto tables = store::transfer_tables();
    for (auto at = out.last_table(); at < tables.size(); ++at) {
        const auto after = at == out.last_table() && !out.last().empty() ? store::key_of(out.last())
                                                                         : std::string();
        each_page(transfer, tables[at], after, [&](const std::vector<Record>& rows) {
            for (const auto& row : rows) out.put(at, row);
            out.flush();
            stop.check(when_stopped);
            progress.at(out.tally().all_rows(), tables[at].name);
        });
    }
}

int export_rows(Context& context, const Arguments& arguments) {
    require_own_schema(context.deps(), context.config().store);
    const auto path = arguments.one("to");
    store::Transfer transfer(context.config().store);
    ExportWriter out(path, store::expected_schema_version());
    check_last(transfer, out);
    if (!out.last().empty())
        std::cerr << "resuming the export in " << out.name() << " after " << out.tally().all_rows()
                  << " rows\n";
    write_rows(
        transfer, out,
        path ? "the same command goes on where it stopped" : "what was written is not complete");
    out.finish();
    std::cerr << "exported " << out.tally().all_rows() << " rows (" << counts(out.tally()) << ")"
              << (path ? " to " + *path : std::string()) << "\n";
    return 0;
}

struct KeyFile {
    explicit KeyFile(std::string path_)
        : path(std::move(path_)), keyring(sys::read_key_file(path)) {}

    // in: whose  "the export", or the database's name
    void require(const core::ServerKeyRecord& wanted, const std::string& whose) const {
        const auto& keys = keyring.keys();
        const auto key = std::find_if(
            keys.begin(), keys.end(), [&](const auto& known) { return known.id == wanted.id; });
        if (key != keys.end() && core::Keyring::fingerprint(*key) == wanted.fingerprint) return;
        throw std::runtime_error(
            path + ": the key file " +
            (key == keys.end() ? "lacks the key '" : "has another key under the id '") +
            wanted.id.text + "' that " + whose +
            " was used with; nothing was imported. Copy the key file of the old side here, "
            "unchanged, " +
            "before the new database is made with migrate");
    }

    const std::string path;
    const core::Keyring keyring;
};

// The file is read three times. First all of it must be sound, and the key file the right one, so
// that nothing is written from a file that is damaged at its end.
std::uint64_t check_file(Context& context, const std::string& path, const StopSignals& stop) {
    ExportReader file(path);
    if (file.schema_version() != store::expected_schema_version()) {
        throw std::runtime_error(
            path + ": it was exported with schema version " +
            std::to_string(file.schema_version()) + ", this program has version " +
            std::to_string(store::expected_schema_version()) +
            "; migrate the old database with this program and export again");
    }
    const KeyFile keys(context.config().key_file);
    for (const auto& known : context.store().server_keys.list()) {
        if (known.state == core::KeyState::used)
            keys.require(known, store::address_of(context.config().store));
    }
    Progress progress("checked");
    while (file.next()) {
        const auto& table = store::transfer_tables()[file.table()];
        stop.check("nothing was imported");
        progress.at(file.tally().all_rows(), table.name);
        if (std::string_view(table.name) != "server_key") continue;
        const auto row = file.record();
        if (!std::holds_alternative<std::monostate>(row.at(3)))
            continue; // no row was written with it yet, or no row needs it any more
        const auto* fingerprint = std::get_if<std::string>(&row.at(1));
        keys.require(
            {core::KeyId(store::key_of(row)),
             core::Digest{fingerprint == nullptr ? std::string() : *fingerprint}},
            "the export");
    }
    if (!file.complete()) {
        throw std::runtime_error(
            path +
            ": this export is not complete; nothing was imported. Run the export again: it goes "
            "on where it stopped");
    }
    return file.tally().all_rows();
}

void require_complete(const ExportReader& file, const std::string& path) {
    if (!file.complete())
        throw std::runtime_error(
            path + ": the file was changed while it was imported; import it again");
}

// In batches of one table each.
store::Loaded load(
    store::Transfer& transfer, const std::string& path, std::uint64_t total,
    const StopSignals& stop) {
    store::Loaded all;
    Progress progress("imported", total);
    ExportReader file(path);
    std::vector<Record> rows;
    std::size_t at = 0; // the table of the batch
    const auto put = [&] {
        if (rows.empty()) return;
        const auto& table = store::transfer_tables()[at];
        const auto loaded = transfer.put(table, rows);
        rows.clear();
        all.inserted += loaded.inserted;
        all.present += loaded.present;
        stop.check("the same command goes on where it stopped");
        progress.at(all.inserted + all.present, table.name);
    };
    while (file.next()) {
        if (file.table() != at || rows.size() == batch) put();
        at = file.table();
        rows.push_back(file.record());
    }
    put();
    require_complete(file, path);
    return all;
}

struct Verified {
    std::uint64_t rows = 0, others = 0; // others: of the database, not in the file
};

// Reads the whole database back. As lines, its rows include those of the file in the same order.
Verified verify(
    store::Transfer& transfer, const std::string& path, std::uint64_t total,
    const StopSignals& stop) {
    Verified verified;
    Progress progress("verified", total);
    ExportReader file(path);
    bool more = file.next();
    const auto tables = store::transfer_tables();
    for (std::size_t at = 0; at < tables.size(); ++at) {
        each_page(transfer, tables[at], "", [&](const std::vector<Record>& rows) {
            for (const auto& row : rows) {
                const bool same =
                    more && file.table() == at && row_line(tables[at], row) == file.line();
                ++(same ? verified.rows : verified.others);
                if (same) more = file.next();
            }
            stop.check(
                "everything is imported, and not all of it verified; the same command does it "
                "again");
            progress.at(verified.rows, tables[at].name);
        });
        if (more && file.table() == at) {
            throw std::runtime_error(
                std::string(tables[at].name) + " '" + store::key_of(file.record()) +
                "' was imported, and is not there as it is in the file; does something else "
                "write to the database?");
        }
    }
    require_complete(file, path);
    return verified;
}

int import_rows(Context& context, const Arguments& arguments) {
    const auto& path = arguments.words.front();
    require_own_schema(context.deps(), context.config().store);
    const StopSignals stop;
    const auto total = check_file(context, path, stop);
    const auto where = store::address_of(context.config().store);
    store::Transfer transfer(context.config().store);
    try {
        const auto loaded = load(transfer, path, total, stop);
        const auto verified = verify(transfer, path, total, stop);
        std::cerr << "imported " << loaded.inserted << " rows, " << loaded.present
                  << " were there already, all " << verified.rows << " verified\n";
        if (verified.others > 0)
            std::cerr << "the database has " << verified.others
                      << " more, which are not in the file\n";
        return 0;
    } catch (const store::RowDiffers& differs) {
        throw std::runtime_error(
            where + ": " + differs.what() +
            "; import never overwrites. Import into a database that nothing has used yet");
    } catch (const store::StoreFailure& failure) {
        throw std::runtime_error(
            where + ": " + failure.what() +
            ". What was imported stays; when the cause is gone, the same command goes on from "
            "there");
    }
}

} // namespace

std::vector<Command> transfer_commands() {
    return {
        {.name = "export",
         .summary =
             "write all rows as JSON lines, to move to another database; stop the workers first",
         .example = "consentgate-admin export --to consentgate.jsonl",
         .options =
             {{"to", "FILE",
               "write FILE, mode 0600, and resume an export that was interrupted in it; standard "
               "output when absent"}},
         .run = export_rows},
        {.name = "import",
         .operand = "FILE",
         .summary =
             "load an export into a migrated database with the same key file, and verify every row",
         .example = "consentgate-admin import consentgate.jsonl",
         .run = import_rows},
    };
}

} // namespace consentgate::app::admin
